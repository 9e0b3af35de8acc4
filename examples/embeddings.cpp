// A service that turns texts into embeddings: requests that wait are padded into one batch, worker threads run the batches on one session.
//
//   embeddings MODEL < TEXTS
//
// MODEL is a BERT encoder, such as all-MiniLM-L6-v2, with the inputs input_ids, attention_mask and, where it has it, token_type_ids. TEXTS has a line a text: its
// token ids, as the model's tokenizer gives them. Prints how similar each text is to the first.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <future>
#include <iostream>
#include <iterator>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Tokens = std::vector<int64_t>;
using Embedding = std::vector<float>;

class Embedder {
 public:
  Embedder(const std::string& path, int workers, size_t largest_batch)
      : session_(path, onnxrun::Options({{"streams", std::to_string(workers)},
                                         {"threads", std::to_string(std::max(1, cpus() / workers))},
                                         {"statistics", "runs"}})),
        largest_batch_(largest_batch) {
    for (const onnxrun::Port& input : session_.inputs()) has_types_ |= input.name == "token_type_ids";
    for (int i = 0; i < workers; ++i) workers_.emplace_back([this](std::stop_token stop) { serve(stop); });
  }

  // From any thread.
  std::future<Embedding> embed(Tokens tokens) {
    Request request{std::move(tokens), {}};
    auto answer = request.answer.get_future();
    {
      const std::lock_guard lock(mutex_);
      queue_.push_back(std::move(request));
    }
    waiting_.notify_one();
    return answer;
  }

  // For the /metrics of the service.
  std::string metrics() const { return session_.prometheus("embeddings"); }

 private:
  struct Request {
    Tokens tokens;
    std::promise<Embedding> answer;
  };

  static int cpus() { return static_cast<int>(std::max(1u, std::thread::hardware_concurrency())); }

  void serve(std::stop_token stop) {
    for (;;) {
      std::vector<Request> batch;
      {
        std::unique_lock lock(mutex_);
        // What is queued when the service ends is still answered.
        if (!waiting_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
        while (!queue_.empty() && batch.size() < largest_batch_) {
          batch.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      try {
        answer(batch);
      } catch (...) {
        for (Request& request : batch) request.answer.set_exception(std::current_exception());
      }
    }
  }

  void answer(std::vector<Request>& batch) {
    const size_t rows = batch.size();
    size_t length = 1;
    for (const Request& request : batch) length = std::max(length, request.tokens.size());
    const onnxrun::Shape shape{static_cast<int64_t>(rows), static_cast<int64_t>(length)};
    onnxrun::Tensor ids(ONNXRUN_DTYPE_INT64, shape), mask(ONNXRUN_DTYPE_INT64, shape);  // zeroed: padding
    for (size_t r = 0; r < rows; ++r) {
      const Tokens& tokens = batch[r].tokens;
      std::copy(tokens.begin(), tokens.end(), ids.mutable_span<int64_t>().subspan(r * length).begin());
      std::fill_n(mask.mutable_span<int64_t>().subspan(r * length).begin(), tokens.size(), 1);
    }
    onnxrun::NamedValues inputs{{"input_ids", ids}, {"attention_mask", mask}};
    if (has_types_) inputs.emplace_back("token_type_ids", onnxrun::Tensor(ONNXRUN_DTYPE_INT64, shape));
    const onnxrun::Tensor hidden = session_.run(inputs).at("last_hidden_state");

    std::vector<Embedding> embeddings;
    const auto width = static_cast<size_t>(hidden.shape().at(2));
    for (size_t r = 0; r < rows; ++r)
      embeddings.push_back(pool(hidden.span<float>().subspan(r * length * width), batch[r].tokens.size(), width));
    for (size_t r = 0; r < rows; ++r) batch[r].answer.set_value(std::move(embeddings[r]));
  }

  // The mean of a text's tokens, of length 1.
  static Embedding pool(std::span<const float> states, size_t tokens, size_t width) {
    Embedding mean(width);
    for (size_t t = 0; t < tokens; ++t)
      for (size_t i = 0; i < width; ++i) mean[i] += states[t * width + i];
    float square = 0;
    for (const float x : mean) square += x * x;
    for (float& x : mean) x /= std::sqrt(std::max(square, 1e-12f));
    return mean;
  }

  const onnxrun::Session session_;
  const size_t largest_batch_;
  bool has_types_ = false;
  std::mutex mutex_;
  std::condition_variable_any waiting_;
  std::deque<Request> queue_;
  std::vector<std::jthread> workers_;  // last: they stop before what they use goes
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embeddings MODEL < TEXTS\n");
    return 2;
  }
  try {
    Embedder embedder(argv[1], 2, 16);
    std::vector<std::future<Embedding>> answers;
    for (std::string line; std::getline(std::cin, line);) {
      std::istringstream words(line);
      Tokens tokens{std::istream_iterator<int64_t>(words), {}};
      if (!words.eof()) throw std::runtime_error("'" + line + "' is no list of token ids");
      if (!tokens.empty()) answers.push_back(embedder.embed(std::move(tokens)));
    }
    Embedding first;
    for (std::future<Embedding>& answer : answers) {
      const Embedding embedding = answer.get();
      if (first.empty()) first = embedding;
      float similarity = 0;
      for (size_t i = 0; i < first.size(); ++i) similarity += first[i] * embedding[i];
      std::printf("%.4f\n", static_cast<double>(similarity));
    }
    std::fprintf(stderr, "%s", embedder.metrics().c_str());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
