// com.microsoft.MoE and QMoE: tokens sorted by expert, each expert's matrices read once a run.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/loops/cache_rows.h"
#include "cpu/loops/expert_matrix.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"
#include "ops/attributes/mixture.h"

namespace onnxrun::cpu {
namespace {

using ops::attributes::ExpertActivation;

class Mixture {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Mixture(const Node& node)
      : quantized_(node.op() == "QMoE"),
        attributes_(ops::attributes::read_mixture(node, std::string(node.op()))),
        type_(dtype(node.input(0))),
        hidden_(provider::dims(node.input(0)).back()),
        tokens_(provider::dims(node.input(1))[0]),
        experts_(provider::dims(node.input(1))[1]),
        third_(node.has_input(quantized_ ? 8 : 6)),
        inner_(provider::dims(node.input(2))[1] / (attributes_.fused() ? 2 : 1)),
        fc1_(node, quantized_ ? ExpertMatrix::Inputs{2, 3, 4, 11} : ExpertMatrix::Inputs{2, 0, 3, 0},
             provider::dims(node.input(2))[1], hidden_, attributes_.bits[0], attributes_.block),
        fc2_(node, quantized_ ? ExpertMatrix::Inputs{5, 6, 7, 12} : ExpertMatrix::Inputs{4, 0, 5, 0}, hidden_, inner_,
             attributes_.bits[1], attributes_.block),
        fc3_(node,
             third_ ? (quantized_ ? ExpertMatrix::Inputs{8, 9, 10, 13} : ExpertMatrix::Inputs{6, 0, 7, 0})
                    : ExpertMatrix::Inputs{2, 0, 0, 0},
             inner_, hidden_, attributes_.bits[2], attributes_.block) {
    if (attributes_.experts_per_token > experts_)
      base::fail(base::Code::kInvalidModel, "{}: k is {}, but there are {} experts", node.op(),
                 attributes_.experts_per_token, experts_);
  }

  // For the tokens of one expert: their elements, both projections and what comes of them; all results.
  size_t scratch_bytes() const {
    const int64_t each =
        base::checked_add(base::checked_mul(3, hidden_), base::checked_add(fc1_.rows(), base::checked_mul(2, inner_)));
    return static_cast<size_t>(base::checked_mul(base::checked_mul(tokens_, each), sizeof(float)));
  }

  void run(RunContext& context) const {
    if (tokens_ == 0) return;
    float* x = static_cast<float*>(context.scratch());
    float* first = x + tokens_ * hidden_;
    float* third = first + tokens_ * fc1_.rows();
    float* opened = third + tokens_ * inner_;
    float* y = opened + tokens_ * inner_;
    float* sums = y + tokens_ * hidden_;
    std::fill_n(sums, tokens_ * hidden_, 0.0f);
    const auto chosen = route(context);
    const int64_t bytes = hidden_ * base::dtype_bits(type_) / 8;
    const CacheRows rows(type_, hidden_, 8, false);
    for (int64_t e = 0; e < experts_; ++e) {
      const auto& takers = chosen[static_cast<size_t>(e)];
      const auto count = static_cast<int64_t>(takers.size());
      if (count == 0) continue;
      context.check_cancelled();
      for (int64_t t = 0; t < count; ++t)
        rows.load(static_cast<const char*>(context.input(0).data) + takers[static_cast<size_t>(t)].token * bytes,
                  nullptr, 0, x + t * hidden_);
      fc1_.multiply(context, e, x, count, first);
      if (third_) fc3_.multiply(context, e, x, count, third);
      for (int64_t t = 0; t < count; ++t) open(first + t * fc1_.rows(), third + t * inner_, opened + t * inner_);
      fc2_.multiply(context, e, opened, count, y);
      for (int64_t t = 0; t < count; ++t)
        row_functions().add_scaled(y + t * hidden_, takers[static_cast<size_t>(t)].weight,
                                   sums + takers[static_cast<size_t>(t)].token * hidden_, hidden_);
    }
    rows_out(sums, context.output(0).data);
  }

 private:
  struct Taker {
    int64_t token;
    float weight;
  };

  void rows_out(const float* sums, void* out) const {
    CacheRows(type_, tokens_ * hidden_, 8, false).save(sums, nullptr, 0, out);
  }

  // The tokens of each expert: the most likely experts of a token with their softmax over all, or the weights given beside.
  std::vector<std::vector<Taker>> route(RunContext& context) const {
    // Lists of an expert each, of a choice each, of which vectors may have twice as many, and of scores.
    base::take_kernel_memory(base::checked_add(
        base::checked_mul(experts_, sizeof(std::vector<Taker>) + sizeof(float) + sizeof(int64_t)),
        base::checked_mul(base::checked_mul(tokens_, attributes_.experts_per_token), 2 * sizeof(Taker))));
    std::vector<std::vector<Taker>> chosen(static_cast<size_t>(experts_));
    std::vector<float> scores(static_cast<size_t>(experts_));
    std::vector<int64_t> order(static_cast<size_t>(experts_));
    const int64_t k = attributes_.experts_per_token;
    const bool given = quantized_ && context.has_input(14);
    Pacer pacer(context);
    for (int64_t t = 0; t < tokens_; ++t) {
      for (int64_t e = 0; e < experts_; ++e)
        scores[static_cast<size_t>(e)] = load_narrow(type_, context.input(1).data, t * experts_ + e);
      pacer.did(64 * experts_);
      std::iota(order.begin(), order.end(), int64_t{0});
      const auto likelier = [&](int64_t a, int64_t b) {
        const float first = scores[static_cast<size_t>(a)], second = scores[static_cast<size_t>(b)];
        if (first != first || second != second)
          return first == first && second != second ? true : first != first && second == second ? false : a < b;
        return first != second ? first > second : a < b;
      };
      std::partial_sort(order.begin(), order.begin() + k, order.end(), likelier);
      const float largest = row_max(scores.data(), experts_);
      const double total = row_exp_sum(scores.data(), largest, experts_);
      std::vector<double> weights;
      for (int64_t i = 0; i < k; ++i) {
        const auto e = order[static_cast<size_t>(i)];
        weights.push_back(
            given
                ? static_cast<double>(load_narrow(type_, context.input(14).data, t * experts_ + e))
                : std::exp(static_cast<double>(scores[static_cast<size_t>(e)]) - static_cast<double>(largest)) / total);
      }
      // QMoE takes the softmax over the chosen experts alone, whatever it is told.
      const bool normalize = attributes_.normalize || (quantized_ && !given);
      const double sum = normalize ? std::accumulate(weights.begin(), weights.end(), 0.0) : 1.0;
      for (int64_t i = 0; i < k; ++i) {
        const double weight = sum == 0 ? 0.0 : weights[static_cast<size_t>(i)] / sum;
        chosen[static_cast<size_t>(order[static_cast<size_t>(i)])].push_back({t, static_cast<float>(weight)});
      }
    }
    return chosen;
  }

  float swiglu(float g, float l) const {
    g = std::min(g, attributes_.limit);
    l = std::min(std::max(l, -attributes_.limit), attributes_.limit);  // a limit may be negative
    return g / (1.0f + std::exp(-attributes_.alpha * g)) * (l + attributes_.beta);
  }

  float activate(float x) const {
    switch (attributes_.activation) {
      case ExpertActivation::kRelu: return std::max(x, 0.0f);
      case ExpertActivation::kGelu:
        return 0.5f * x * (1.0f + std::tanh(0.7978845608028654f * (x + 0.044715f * x * x * x)));
      case ExpertActivation::kSilu: return x / (1.0f + std::exp(-x));
      default: return x;
    }
  }

  // What the second projection gets of one token, from the first and third.
  void open(const float* first, const float* third, float* out) const {
    for (int64_t i = 0; i < inner_; ++i) {
      if (attributes_.activation != ExpertActivation::kSwiglu)
        out[i] = third_ ? activate(first[i]) * third[i] : activate(first[i]);
      else if (attributes_.fusion == 1) out[i] = swiglu(first[2 * i], first[2 * i + 1]);
      else out[i] = swiglu(first[i], attributes_.fusion == 2 ? first[inner_ + i] : third[i]);
    }
  }

  bool quantized_;
  ops::attributes::Mixture attributes_;
  DType type_;
  int64_t hidden_, tokens_, experts_;
  bool third_;
  int64_t inner_;
  ExpertMatrix fc1_, fc2_, fc3_;
};

}  // namespace

void kernels_microsoft_moe(provider::KernelTable& table) {
  table.add<Mixture>("com.microsoft", "MoE", "experts");
  table.add<Mixture>("com.microsoft", "QMoE", "experts");
}

}  // namespace onnxrun::cpu
