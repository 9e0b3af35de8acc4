// Child processes that take indices from a pipe and answer through another.
#include "workers.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>

#include "outcome.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

bool write_all(int file, const void* data, size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size != 0) {
    const ssize_t n = write(file, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    from += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

bool read_all(int file, void* data, size_t size) {
  char* to = static_cast<char*>(data);
  while (size != 0) {
    const ssize_t n = read(file, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

[[noreturn]] void serve(int tasks, int answers, const std::function<std::string(size_t)>& work) {
  const rlimit no_core{0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // a worker that hangs must not outlive the run
  for (size_t index; read_all(tasks, &index, sizeof index);) {
    std::string message;
    try {
      message = work(index);
    } catch (const std::exception& error) {
      message = error.what()[0] ? error.what() : "an exception without a message";
    } catch (...) {
      message = "an exception of unknown type";
    }
    const size_t size = message.size();
    if (!write_all(answers, &size, sizeof size) || !write_all(answers, message.data(), size)) break;
  }
  _exit(0);
}

struct Worker {
  pid_t process = -1;
  int tasks = -1, answers = -1;
  bool busy = false;
  size_t index = 0;
  Clock::time_point begin;
};

class Pool {
 public:
  Pool(size_t count, double timeout, const std::function<std::string(size_t)>& work,
       const std::function<void(size_t, const Outcome&)>& done)
      : count_(count), timeout_(timeout), work_(work), done_(done) {}
  ~Pool() {
    for (Worker& worker : workers_) stop(worker, true);
  }

  void run(size_t jobs) {
    workers_.resize(std::min(jobs, count_));
    for (Worker& worker : workers_) give(worker);
    while (std::any_of(workers_.begin(), workers_.end(), [](const Worker& w) { return w.busy; })) wait();
  }

 private:
  void start(Worker& worker) {
    int tasks[2], answers[2];
    if (pipe(tasks) != 0) throw Failure(std::string("no pipe to a worker: ") + std::strerror(errno), kRun);
    if (pipe(answers) != 0) {
      close(tasks[0]);
      close(tasks[1]);
      throw Failure(std::string("no pipe to a worker: ") + std::strerror(errno), kRun);
    }
    const pid_t process = fork();
    if (process == 0) {
      for (const Worker& other : workers_) {  // or their pipes would never be seen closed
        if (other.tasks >= 0) close(other.tasks);
        if (other.answers >= 0) close(other.answers);
      }
      close(tasks[1]);
      close(answers[0]);
      serve(tasks[0], answers[1], work_);
    }
    close(tasks[0]);
    close(answers[1]);
    worker.tasks = tasks[1];
    worker.answers = answers[0];
    worker.process = process;
    if (process < 0) throw Failure(std::string("no worker process: ") + std::strerror(errno), kRun);
  }

  // Ends the process; returns its wait status.
  int stop(Worker& worker, bool kill_first) {
    int status = 0;
    if (worker.process > 0) {
      if (kill_first) kill(worker.process, SIGKILL);
      while (waitpid(worker.process, &status, 0) < 0 && errno == EINTR) {
      }
    }
    if (worker.tasks >= 0) close(worker.tasks);
    if (worker.answers >= 0) close(worker.answers);
    worker = {};
    return status;
  }

  void give(Worker& worker) {
    worker.busy = false;
    if (next_ == count_) return;
    if (worker.process <= 0) start(worker);
    worker.busy = true;
    worker.index = next_++;
    worker.begin = Clock::now();
    write_all(worker.tasks, &worker.index, sizeof worker.index);  // a dead worker shows itself when its answer is read
  }

  static double seconds_of(const Worker& worker) {
    return std::chrono::duration<double>(Clock::now() - worker.begin).count();
  }

  void lose(Worker& worker, std::string message, bool kill_first) {
    const size_t index = worker.index;
    const double seconds = seconds_of(worker);
    const int status = stop(worker, kill_first);
    if (message.empty())
      message = WIFSIGNALED(status) ? "crashed (signal " + std::to_string(WTERMSIG(status)) + ")"
                                    : "crashed (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
    done_(index, {false, message, seconds});
    give(worker);
  }

  void wait() {
    std::vector<pollfd> files;
    std::vector<Worker*> owners;
    double left = timeout_;
    for (Worker& worker : workers_) {
      if (!worker.busy) continue;
      files.push_back({worker.answers, POLLIN, 0});
      owners.push_back(&worker);
      left = std::min(left, timeout_ - seconds_of(worker));
    }
    poll(files.data(), files.size(), std::max(0, static_cast<int>(left * 1000) + 1));
    for (size_t i = 0; i < files.size(); ++i) {
      Worker& worker = *owners[i];
      if (files[i].revents != 0) receive(worker);
      else if (seconds_of(worker) > timeout_)
        lose(worker, "took longer than " + std::to_string(static_cast<int>(timeout_)) + " s", true);
    }
  }

  void receive(Worker& worker) {
    size_t size = 0;
    Outcome outcome;
    if (!read_all(worker.answers, &size, sizeof size)) return lose(worker, "", false);
    outcome.message.resize(size);
    if (!read_all(worker.answers, outcome.message.data(), size)) return lose(worker, "", false);
    outcome.passed = outcome.message.empty();
    outcome.seconds = seconds_of(worker);
    done_(worker.index, outcome);
    // What made a case fail may have broken the process for those after it, as an error of a GPU does.
    if (!outcome.passed) stop(worker, true);
    give(worker);
  }

  size_t count_, next_ = 0;
  double timeout_;
  const std::function<std::string(size_t)>& work_;
  const std::function<void(size_t, const Outcome&)>& done_;
  std::vector<Worker> workers_;
};

}  // namespace

void run_in_workers(size_t count, int jobs, double timeout, const std::function<std::string(size_t)>& work,
                    const std::function<void(size_t, const Outcome&)>& done) {
  const auto old_handler = std::signal(SIGPIPE, SIG_IGN);
  {
    Pool pool(count, timeout, work, done);
    pool.run(static_cast<size_t>(std::max(jobs, 1)));
  }
  std::signal(SIGPIPE, old_handler);
}

}  // namespace cli
