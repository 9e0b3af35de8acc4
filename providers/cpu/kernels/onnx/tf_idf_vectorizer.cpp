// TfIdfVectorizer: n-grams found by walking a trie of token numbers.
#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"

namespace onnxrun::cpu {
namespace {

class TfIdfVectorizer {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit TfIdfVectorizer(const Node& node)
      : least_(node.get_int("min_gram_length", 1)),
        most_(node.get_int("max_gram_length", 1)),
        skips_(std::min<int64_t>(node.get_int("max_skip_count", 0), INT64_MAX - 1)),
        indexes_(node.get_ints("ngram_indexes")),
        weights_(node.get_floats("weights")) {
    const std::string mode = node.get_string("mode");
    counts_ = mode != "IDF";
    weighs_ = mode != "TF" && !weights_.empty();
    std::vector<uint64_t> pool;
    const std::vector<std::string> strings = node.get_strings("pool_strings");
    const std::vector<int64_t> ints = node.get_ints("pool_int64s");
    charge(strings, ints.size());
    for (const std::string& word : strings) pool.push_back(words_.try_emplace(word, words_.size() + 1).first->second);
    for (int64_t number : ints) pool.push_back(numbers_.try_emplace(number, numbers_.size() + 1).first->second);
    const std::vector<int64_t> starts = node.get_ints("ngram_counts");
    int64_t gram = 0;
    grams_.push_back(-1);
    for (size_t n = 0; n < starts.size(); ++n) {
      const size_t end = n + 1 < starts.size() ? static_cast<size_t>(starts[n + 1]) : pool.size();
      for (size_t at = static_cast<size_t>(starts[n]); at < end; at += n + 1, ++gram) add(&pool[at], n + 1, gram);
    }
  }
  size_t table_bytes() const { return bytes_outside_of(indexes_, weights_, words_, numbers_, trie_, grams_); }

  void run(RunContext& context) const {
    const onnxrun_tensor& x = context.input(0);
    const auto dims = provider::dims(x), out = provider::dims(context.output(0));
    const int64_t length = dims.empty() ? 1 : dims.back(), rows = dims.size() == 2 ? dims[0] : 1, size = out.back();
    float* y = context.out<float>(0);
    std::fill_n(y, rows * size, 0.0f);
    Pacer pacer(context);
    for (int64_t row = 0; row < rows; ++row, y += size) {
      pacer.did(size + 1);
      count(x, row * length, length, y, pacer);
      for (int64_t i = 0; i < size; ++i) {
        if (!counts_) y[i] = y[i] > 0 ? 1.0f : 0.0f;
        if (weighs_) y[i] *= static_cast<size_t>(i) < weights_.size() ? weights_[static_cast<size_t>(i)] : 0.0f;
      }
    }
  }

 private:
  // Each token of the pool is in a map and in a list of tokens, and makes at most one node of the trie.
  void charge(const std::vector<std::string>& strings, size_t ints) const {
    constexpr size_t kToken = 2 * (kMapNodeBytes + sizeof(std::string) + sizeof(uint64_t)) + 4 * sizeof(uint64_t);
    base::take_kernel_memory(static_cast<int64_t>((strings.size() + ints) * kToken + bytes_outside(strings) +
                                                  bytes_outside_of(indexes_, weights_)));
  }

  static uint64_t edge(uint64_t node, uint64_t token) { return node << 32 | token; }

  void add(const uint64_t* tokens, size_t n, int64_t gram) {
    uint64_t node = 0;
    for (size_t i = 0; i < n; ++i) {
      const auto [found, fresh] = trie_.try_emplace(edge(node, tokens[i]), grams_.size());
      if (fresh) grams_.push_back(-1);
      node = found->second;
    }
    grams_[node] = gram;
  }

  // The number of an element's token; 0 for one that the pool does not have.
  uint64_t token(const onnxrun_tensor& x, int64_t i) const {
    if (dtype(x) == DType::kString) {
      const auto found = words_.find(static_cast<const std::string*>(x.data)[i]);
      return found == words_.end() ? 0 : found->second;
    }
    const auto found = numbers_.find(int_at(x, i));
    return found == numbers_.end() ? 0 : found->second;
  }

  void count(const onnxrun_tensor& x, int64_t first, int64_t length, float* y, Pacer& pacer) const {
    int64_t least = least_;
    for (int64_t distance = 1; distance <= skips_ + 1; ++distance) {
      if (distance > 1 && distance >= length) break;
      for (int64_t start = 0; start < length; ++start) {
        uint64_t node = 0;
        for (int64_t n = 1, i = start; n <= most_ && i < length; ++n, i += distance) {
          pacer.did(32);
          const uint64_t number = token(x, first + i);
          const auto found = trie_.find(edge(node, number));
          if (number == 0 || found == trie_.end()) break;
          node = found->second;
          if (n >= least && grams_[node] >= 0) y[indexes_[static_cast<size_t>(grams_[node])]] += 1.0f;
        }
      }
      // Skips mean nothing to single tokens: they count once.
      if (least == 1 && ++least > most_) break;
    }
  }

  int64_t least_, most_, skips_;
  std::vector<int64_t> indexes_;
  std::vector<float> weights_;
  bool counts_ = true, weighs_ = false;
  std::unordered_map<std::string, uint64_t> words_;
  std::unordered_map<int64_t, uint64_t> numbers_;
  std::unordered_map<uint64_t, uint64_t> trie_;  // (node, token) to node
  std::vector<int64_t> grams_;                   // by node; -1: none ends there
};

}  // namespace

void kernels_onnx_tf_idf_vectorizer(provider::KernelTable& table) {
  table.add<TfIdfVectorizer>("", "TfIdfVectorizer", "reference");
}

}  // namespace onnxrun::cpu
