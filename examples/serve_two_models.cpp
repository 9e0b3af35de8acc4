// A service that answers requests for two models from several threads: sessions are shared, limited in memory and time, and stopped in order.
#include <onnxrun/onnxrun.hpp>

#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <vector>

namespace {

struct Request {
  const onnxrun::Session* session;
  onnxrun::NamedValues inputs;
  std::promise<onnxrun::Results> answer;
};

// A queue of requests and the threads that serve it.
class Service {
 public:
  explicit Service(int threads) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
  }
  // Answers what is queued, then ends.
  ~Service() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::future<onnxrun::Results> ask(const onnxrun::Session& session, onnxrun::NamedValues inputs) {
    Request request{&session, std::move(inputs), {}};
    auto answer = request.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(request));
    }
    ready_.notify_one();
    return answer;
  }

 private:
  void serve() {
    for (;;) {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Request request = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      try {
        request.answer.set_value(request.session->run(request.inputs, {.timeout = 10}));
      } catch (...) {
        request.answer.set_exception(std::current_exception());  // one bad request ends only itself
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Request> queue_;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

// Every input filled with a number, symbolic dims taken as 1.
onnxrun::NamedValues filled_inputs(const onnxrun::Session& session, double number) {
  onnxrun::NamedValues inputs;
  for (const onnxrun::Port& port : session.inputs()) {
    if (port.has_default) continue;
    onnxrun::Shape shape = port.dims;
    for (int64_t& dim : shape) dim = dim < 0 ? 1 : dim;
    onnxrun::Tensor tensor(port.dtype, shape);
    tensor.set(std::vector<double>(static_cast<size_t>(tensor.count()), number));
    inputs.emplace_back(port.name, tensor);
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: serve_two_models FIRST.onnx SECOND.onnx\n");
    return 2;
  }
  try {
    onnxrun::Options options{{"streams", "2"}, {"threads", "1"}, {"max_memory", "2G"}};
    const onnxrun::Session sessions[] = {onnxrun::Session(argv[1], options), onnxrun::Session(argv[2], options)};
    constexpr int kRequests = 100;
    std::vector<std::future<onnxrun::Results>> answers;
    int good = 0;
    {
      Service service(4);
      for (int i = 0; i < kRequests; ++i)
        answers.push_back(service.ask(sessions[i % 2], filled_inputs(sessions[i % 2], i / 200.0)));
    }
    for (auto& answer : answers) {
      try {
        good += answer.get().size() != 0;
      } catch (const onnxrun::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
    }
    std::printf("%d of %d requests answered\n", good, kRequests);
    return good == kRequests ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
