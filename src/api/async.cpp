// Asynchronous execution: a queue, the threads that empty it, and the C functions over them.
#include "api/async.h"

#include <unistd.h>

#include <deque>
#include <thread>
#include <vector>

#include "api/functions.h"
#include "api/handles.h"
#include "api/run.h"
#include "api/status.h"

namespace onnxrun::api {

struct AsyncThreads::Team {
  explicit Team(int most) : count(most) {}
  const pid_t process = getpid();
  const int count;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> queue;
  bool closing = false;
  int idle = 0;
  std::vector<std::thread> threads;

  static void work(const std::shared_ptr<Team>& team) {
    std::unique_lock lock(team->mutex);
    for (;;) {
      ++team->idle;
      team->wake.wait(lock, [&] { return team->closing || !team->queue.empty(); });
      --team->idle;
      if (team->queue.empty()) return;
      {
        const std::function<void()> task = std::move(team->queue.front());
        team->queue.pop_front();
        lock.unlock();
        task();
      }
      lock.lock();
    }
  }
};

AsyncThreads::~AsyncThreads() {
  if (!team_) return;
  // In a child of fork the threads are not there; what stands for them can be neither joined nor destroyed.
  if (team_->process != getpid()) {
    new std::shared_ptr<Team>(std::move(team_));
    return;
  }
  {
    const std::lock_guard lock(team_->mutex);
    team_->closing = true;
    team_->wake.notify_all();
  }
  for (std::thread& thread : team_->threads) {
    if (thread.get_id() == std::this_thread::get_id()) thread.detach();
    else thread.join();
  }
}

std::shared_ptr<AsyncThreads::Team> AsyncThreads::team() {
  const std::lock_guard lock(mutex_);
  if (team_ && team_->process != getpid()) new std::shared_ptr<Team>(std::move(team_));
  if (!team_) team_ = std::make_shared<Team>(count_);
  return team_;
}

void AsyncThreads::submit(std::function<void()> task) {
  const std::shared_ptr<Team> own = team();
  {
    const std::lock_guard lock(own->mutex);
    own->queue.push_back(std::move(task));
    if (own->idle < static_cast<int>(own->queue.size()) && static_cast<int>(own->threads.size()) < own->count) {
      try {
        own->threads.emplace_back([own] { Team::work(own); });
      } catch (...) {
        if (own->threads.empty()) {
          own->queue.pop_back();
          throw;
        }
      }
    }
  }
  // The task may be done by now, and this object gone with the session that it was the last to use.
  own->wake.notify_one();
}

onnxrun_status* run_execute_async(onnxrun_run* run, onnxrun_done done, void* context) {
  return guard([&] {
    idle(run);
    if (done == nullptr) fail(Code::kInvalidArgument, "argument 'done' is null");
    const std::shared_ptr<Flight> flight = run->flight;
    flight->take_off();
    try {
      // The task owns nothing: whoever frees the last handle frees the session, and waits for the callbacks of others.
      run->session->async.submit([run, flight, done, context] {
        onnxrun_status* const status = guard([&] { execute(*run); });
        flight->land();
        try {
          done(context, status);
        } catch (...) {  // NOLINT(bugprone-empty-catch): nobody is left to tell
        }
      });
    } catch (...) {
      flight->land();
      throw;
    }
  });
}

onnxrun_status* run_wait(onnxrun_run* run) {
  return guard([&] { need(run, "run").flight->wait(); });
}

}  // namespace onnxrun::api
