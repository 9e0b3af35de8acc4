// Generates text, as token ids, with a decoder that keeps keys and values: they lie in buffers of fixed size that the model reads and writes in place.
//
//   generate MODEL [--tokens N] [--temperature T] [--top-k K] [--top-p P] [--seed S] < PROMPT
//
// MODEL has the inputs input_ids, attention_mask, past_key_values.* and the outputs logits, present.*, as onnxruntime-genai (GroupQueryAttention) and
// PyTorch's exporters write them. PROMPT is a line of token ids. Temperature 0, the default, always takes the likeliest token.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <iterator>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Sampling {
  double temperature = 0;
  size_t top_k = 0;  // 0: all
  double top_p = 1;
};

// The next token: the likeliest, or one drawn from the `top_k` likeliest that together have `top_p` of the probability.
int64_t choose(std::span<const float> logits, const Sampling& sampling, std::mt19937_64& random) {
  if (sampling.temperature <= 0) return std::max_element(logits.begin(), logits.end()) - logits.begin();
  std::vector<size_t> order(logits.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t kept = sampling.top_k == 0 ? order.size() : std::min(sampling.top_k, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<ptrdiff_t>(kept), order.end(),
                    [&](size_t a, size_t b) { return logits[a] > logits[b]; });
  order.resize(kept);
  std::vector<double> weights;
  double total = 0;
  for (const size_t token : order) {
    weights.push_back(std::exp(static_cast<double>(logits[token] - logits[order[0]]) / sampling.temperature));
    total += weights.back();
  }
  double sum = 0;
  size_t count = 0;
  while (count < weights.size() && (count == 0 || sum < sampling.top_p * total)) sum += weights[count++];
  weights.resize(count);
  return static_cast<int64_t>(order[std::discrete_distribution<size_t>(weights.begin(), weights.end())(random)]);
}

// A decoder and the keys and values of what it has seen.
class Decoder {
 public:
  Decoder(const onnxrun::Session& session, int64_t capacity) : run_(session), capacity_(capacity) {
    const std::vector<onnxrun::Port> outputs = session.outputs();
    for (const onnxrun::Port& input : session.inputs()) {
      wants_positions_ |= input.name == "position_ids";
      constexpr std::string_view kPast = "past_key_values.";
      if (!input.name.starts_with(kPast)) continue;
      const std::string present = "present." + input.name.substr(kPast.size());
      const auto output =
          std::find_if(outputs.begin(), outputs.end(), [&](const auto& port) { return port.name == present; });
      if (output == outputs.end()) throw std::runtime_error("the model has no output " + present);
      caches_.push_back({input.name, present});
      // [batch, heads, length, size]; whether old and new are of one length says whether they may be one buffer.
      onnxrun::Shape shape{1, input.dims.at(1), 0, output->dims.at(3)};
      in_place_ = output->symbols.at(2).starts_with("max(");
      if (in_place_) shape[2] = capacity;
      onnxrun::Tensor cache(input.dtype, shape);
      run_.set_input(input.name, cache);
      if (in_place_) run_.set_output(present, cache);
      else run_.want(present);
    }
    if (caches_.empty()) throw std::runtime_error("the model has no inputs past_key_values.*");
    run_.want("logits");
  }

  bool in_place() const { return in_place_; }

  // Scores of the token after `tokens`, which follow those of the calls before.
  onnxrun::Tensor next(const std::vector<int64_t>& tokens) {
    const auto count = static_cast<int64_t>(tokens.size());
    if (seen_ + count > capacity_) throw std::runtime_error("the text is longer than the buffers");
    run_.set_input("input_ids", onnxrun::Tensor::from<int64_t>({1, count}, tokens));
    const std::vector<int64_t> mask(static_cast<size_t>(seen_ + count), 1);
    run_.set_input("attention_mask", onnxrun::Tensor::from<int64_t>({1, seen_ + count}, mask));
    if (wants_positions_) {
      std::vector<int64_t> positions(tokens.size());
      std::iota(positions.begin(), positions.end(), seen_);
      run_.set_input("position_ids", onnxrun::Tensor::from<int64_t>({1, count}, positions));
    }
    const onnxrun::Results results = run_.execute();
    if (!in_place_)
      for (const Cache& cache : caches_) run_.set_input(cache.past, results.value(cache.present));
    seen_ += count;
    return results.at("logits");
  }

 private:
  struct Cache {
    std::string past, present;
  };
  onnxrun::Run run_;
  const int64_t capacity_;
  std::vector<Cache> caches_;
  bool wants_positions_ = false, in_place_ = false;
  int64_t seen_ = 0;
};

template <class T>
void read(const char* flag, std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size())
    throw std::runtime_error(std::string(flag) + ": '" + std::string(text) + "' is no number that fits");
}

}  // namespace

int main(int argc, char** argv) {
  try {
    size_t wanted = 16;
    uint64_t seed = 1;
    Sampling sampling;
    if (argc < 2 || argc % 2 != 0) {
      std::fprintf(
          stderr, "usage: generate MODEL [--tokens N] [--temperature T] [--top-k K] [--top-p P] [--seed S] < PROMPT\n");
      return 2;
    }
    for (int i = 2; i < argc; i += 2) {
      const std::string_view flag = argv[i];
      if (flag == "--tokens") read(argv[i], argv[i + 1], wanted);
      else if (flag == "--temperature") read(argv[i], argv[i + 1], sampling.temperature);
      else if (flag == "--top-k") read(argv[i], argv[i + 1], sampling.top_k);
      else if (flag == "--top-p") read(argv[i], argv[i + 1], sampling.top_p);
      else if (flag == "--seed") read(argv[i], argv[i + 1], seed);
      else throw std::runtime_error("unknown flag " + std::string(flag));
    }
    std::vector<int64_t> tokens{std::istream_iterator<int64_t>(std::cin), {}};
    if (tokens.empty()) throw std::runtime_error("the prompt has no token ids");

    const onnxrun::Session session(argv[1]);
    Decoder decoder(session, static_cast<int64_t>(tokens.size() + wanted));
    std::fprintf(stderr, "keys and values are %s\n", decoder.in_place() ? "written in place" : "handed on");
    std::mt19937_64 random(seed);
    for (size_t i = 0; i < wanted; ++i) {
      const onnxrun::Tensor logits = decoder.next(tokens);
      const auto vocabulary = static_cast<size_t>(logits.shape().back());
      tokens = {choose(logits.span<float>().last(vocabulary), sampling, random)};
      std::printf("%s%lld", i == 0 ? "" : " ", static_cast<long long>(tokens[0]));
      std::fflush(stdout);
    }
    std::printf("\n");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
