// A service that answers requests for two models from several threads: sessions are shared, limited in memory and time, and stopped in order.
#include <onnxrun/onnxrun.hpp>

#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <string>
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

// A shape of the command line, NAME=1x3x48x320.
using Shapes = std::map<std::string, onnxrun::Shape>;

bool read_shape(const std::string& text, Shapes& shapes) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  onnxrun::Shape shape;
  for (size_t at = equals; at < text.size();) {
    int64_t dim = 0;
    const auto [end, error] = std::from_chars(text.data() + at + 1, text.data() + text.size(), dim);
    if (error != std::errc() || dim < 0) return false;
    shape.push_back(dim);
    at = static_cast<size_t>(end - text.data());
    if (at < text.size() && (text[at] != 'x' || at + 1 == text.size())) return false;
  }
  shapes[text.substr(0, equals)] = shape;
  return true;
}

// Every input filled with a number, in the shape given for it, else with symbolic dims taken as 1.
onnxrun::NamedValues filled_inputs(const onnxrun::Session& session, const Shapes& shapes, double number) {
  onnxrun::NamedValues inputs;
  for (const onnxrun::Port& port : session.inputs()) {
    if (port.has_default) continue;
    onnxrun::Shape shape = port.dims;
    for (int64_t& dim : shape) dim = dim < 0 ? 1 : dim;
    if (const auto given = shapes.find(port.name); given != shapes.end()) shape = given->second;
    onnxrun::Tensor tensor(port.dtype, shape);
    tensor.set(std::vector<double>(static_cast<size_t>(tensor.count()), number));
    inputs.emplace_back(port.name, tensor);
  }
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  Shapes shapes;
  bool understood = argc >= 3;
  for (int i = 3; i < argc; ++i) understood = read_shape(argv[i], shapes) && understood;
  if (!understood) {
    std::fprintf(stderr, "usage: serve_two_models FIRST.onnx SECOND.onnx [INPUT=1x3x48x320]...\n");
    return 2;
  }
  try {
    onnxrun::Options options{{"streams", "2"}, {"threads", "1"}, {"max_memory", "2G"}};
    const onnxrun::Session sessions[] = {onnxrun::Session(argv[1], options), onnxrun::Session(argv[2], options)};
    constexpr int kRequests = 100;
    std::vector<std::future<onnxrun::Results>> answers;
    int good = 0;
    std::map<std::string, int> errors;  // how often each came
    {
      Service service(4);
      for (int i = 0; i < kRequests; ++i)
        answers.push_back(service.ask(sessions[i % 2], filled_inputs(sessions[i % 2], shapes, i / 200.0)));
    }
    for (auto& answer : answers) {
      try {
        good += answer.get().size() != 0;
      } catch (const onnxrun::Error& error) {
        ++errors[error.what()];
      }
    }
    for (const auto& [text, times] : errors) std::fprintf(stderr, "%d requests: %s\n", times, text.c_str());
    std::printf("%d of %d requests answered\n", good, kRequests);
    return good == kRequests ? 0 : 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
