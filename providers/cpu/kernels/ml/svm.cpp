// SVMClassifier and SVMRegressor: kernel values against all support vectors, then decisions between pairs of classes or one sum.
#include "ops/attributes/svm.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/checked.h"
#include "cpu/loops/feature_dot.h"
#include "cpu/loops/labels.h"
#include "cpu/loops/pairwise.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scores.h"
#include "cpu/loops/table_bytes.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

using Kind = ops::SvmKernel::Kind;

// Support vectors, or without them rows of linear coefficients; packed are the vectors and then the coefficients.
class Svm {
 public:
  static Acceptance accepts(const Node& node) {
    return Acceptance().pack(
        (node.get_floats("support_vectors").size() + node.get_floats("coefficients").size() + 1) * sizeof(float), {});
  }
  static void pack(const Node& node, void* bytes) {
    const std::vector<float> vectors = node.get_floats("support_vectors"),
                             coefficients = node.get_floats("coefficients");
    std::copy(coefficients.begin(), coefficients.end(),
              std::copy(vectors.begin(), vectors.end(), static_cast<float*>(bytes)));
  }

  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  size_t table_bytes() const { return bytes_outside(rho_); }

 protected:
  Svm(const Node& node, const void* packed, int64_t vectors)
      : transform_(ops::read_post_transform(node)),
        vectors_(vectors),
        rho_(node.get_floats("rho")),
        kernel_(ops::read_svm_kernel(node)),
        work_(work_float(node, 1)),
        operands_(node, 1, 0, work_),
        support_(static_cast<const float*>(packed)) {
    const auto dims = provider::dims(node.input(0));
    features_ = dims.back();
    rows_ = dims.size() == 1 ? 1 : dims[0];
    coefficients_ = support_ + node.get_floats("support_vectors").size();
  }

  // Calls body(row, values, pacer) with each row's kernel values: against the support vectors, or its products with `linear` rows of coefficients. It takes
  // `row_bytes` of memory.
  template <class F>
  void each_row(RunContext& context, int64_t linear, int64_t row_bytes, F&& body) const {
    const auto arrays = operands_.load(context);
    const int64_t count = vectors_ > 0 ? vectors_ : linear;
    base::take_kernel_memory(base::checked_mul(std::min<int64_t>(context.threads(), rows_),
                                               row_bytes + count * static_cast<int64_t>(sizeof(double))));
    with_work_float(work_, [&]<class T>(std::type_identity<T>) {
      const T* x = arrays.template in<T>(0);
      parallel_polled(context, rows_, count * (Cost(features_) + 16) * 2, [&](int64_t begin, int64_t end) {
        std::vector<double> values(static_cast<size_t>(count));
        Pacer pacer(context);
        for (int64_t row = begin; row < end; ++row) {
          const T* features = x + row * features_;
          for (int64_t k = 0; k < count; ++k)
            values[static_cast<size_t>(k)] = vectors_ > 0
                                                 ? value(features, support_ + k * features_)
                                                 : feature_dot(features, coefficients_ + k * features_, features_);
          body(row, values.data(), pacer);
        }
      });
    });
  }

  ops::PostTransform transform_;
  int64_t vectors_;
  std::vector<float> rho_;
  const float* coefficients_;

 private:
  template <class T>
  double value(const T* x, const float* vector) const {
    switch (kernel_.kind) {
      case Kind::kRbf: return std::exp(-kernel_.gamma * feature_distance(x, vector, features_));
      case Kind::kPoly:
        return std::pow(kernel_.gamma * feature_dot(x, vector, features_) + kernel_.coef0, kernel_.degree);
      case Kind::kSigmoid: return std::tanh(kernel_.gamma * feature_dot(x, vector, features_) + kernel_.coef0);
      default: return feature_dot(x, vector, features_);
    }
  }

  ops::SvmKernel kernel_;
  DType work_;
  WorkOperands operands_;
  const float* support_;
  int64_t features_ = 0, rows_ = 0;
};

class SvmRegressor : public Svm {
 public:
  SvmRegressor(const Node& node, const void* packed)
      : Svm(node, packed, node.get_int("n_supports", 0)), one_class_(node.get_int("one_class", 0) != 0) {
    charge_tables(*this);
  }

  void run(RunContext& context) const {
    each_row(context, 1, 0, [&](int64_t row, const double* values, Pacer&) {
      double sum = vectors_ > 0 ? 0 : values[0];
      for (int64_t i = 0; i < vectors_; ++i) sum += values[i] * static_cast<double>(coefficients_[i]);
      auto score = static_cast<float>(sum + static_cast<double>(rho_[0]));
      if (one_class_) score = score > 0 ? 1.0f : -1.0f;
      else transform_scores(transform_, &score, 1);
      context.out<float>(0)[row] = score;
    });
  }

 private:
  bool one_class_;
};

class SvmClassifier : public Svm {
 public:
  SvmClassifier(const Node& node, const void* packed)
      : Svm(node, packed, total(node.get_ints("vectors_per_class"))),
        labels_(ops::read_labels(node, "classlabels_ints", "classlabels_strings")),
        per_class_(node.get_ints("vectors_per_class")),
        prob_a_(node.get_floats("prob_a")),
        prob_b_(node.get_floats("prob_b")),
        classes_(labels_.size()) {
    const std::vector<float> coefficients = node.get_floats("coefficients");
    no_negative_ = std::all_of(coefficients.begin(), coefficients.end(), [](float value) { return value >= 0; });
    charge_tables(*this);
  }
  size_t table_bytes() const { return Svm::table_bytes() + bytes_outside_of(labels_, per_class_, prob_a_, prob_b_); }

  void run(RunContext& context) const {
    each_row(context, static_cast<int64_t>(classes_), row_bytes(),
             [&](int64_t row, const double* values, Pacer& pacer) {
               std::vector<float> scores;
               const size_t label = vectors_ > 0 ? decide_pairs(values, scores, pacer) : decide_linear(values, scores);
               write_label(labels_, context.output(0), row, static_cast<int64_t>(label));
               if (!context.has_output(1)) return;
               const auto count = static_cast<int64_t>(scores.size());
               transform_scores(transform_, scores.data(), count);
               std::copy(scores.begin(), scores.end(), context.out<float>(1) + row * count);
             });
  }

 private:
  // Of votes, decisions, scores and what couples them.
  int64_t row_bytes() const {
    constexpr auto kReal = static_cast<int64_t>(sizeof(double));
    const auto classes = static_cast<int64_t>(classes_), pairs = classes * (classes - 1) / 2;
    const int64_t scores = std::max(pairs, classes) * static_cast<int64_t>(sizeof(float));
    if (vectors_ == 0) return scores;
    const int64_t coupled = prob_a_.empty() ? 0 : 2 * classes * (classes + 1);
    return scores + (classes + pairs + coupled) * kReal;
  }

  static int64_t total(const std::vector<int64_t>& counts) {
    return std::accumulate(counts.begin(), counts.end(), int64_t{0});
  }

  size_t decide_linear(const double* values, std::vector<float>& scores) const {
    scores.reserve(classes_);
    for (size_t k = 0; k < classes_; ++k)
      scores.push_back(static_cast<float>(values[k] + static_cast<double>(rho_[0])));
    const auto best = static_cast<size_t>(largest_score(scores.data(), static_cast<int64_t>(classes_)));
    // Two classes whose weights have one sign are told apart at 0.5, as by the ONNX reference and ONNX Runtime.
    return classes_ == 2 && no_negative_ && scores[best] >= 0.5f ? 1 : best;
  }

  // Each pair of classes votes; ties go to the first. Scores are the pairs' decisions, or probabilities where the model has them.
  size_t decide_pairs(const double* values, std::vector<float>& scores, Pacer& pacer) const {
    std::vector<double> decisions;
    std::vector<int64_t> votes(classes_);
    decisions.reserve(classes_ * (classes_ - 1) / 2);
    int64_t begin_i = 0;
    for (size_t i = 0; i < classes_; begin_i += per_class_[i++]) {
      pacer.did(static_cast<int64_t>(classes_) * 8);
      int64_t begin_j = begin_i + per_class_[i];
      for (size_t j = i + 1; j < classes_; begin_j += per_class_[j++]) {
        const double sum = weighted(values, j - 1, begin_i, per_class_[i]) +
                           weighted(values, i, begin_j, per_class_[j]) + static_cast<double>(rho_[decisions.size()]);
        decisions.push_back(sum);
        ++votes[sum > 0 ? i : j];
      }
    }
    if (!prob_a_.empty()) probabilities(decisions, scores, pacer);
    else if (classes_ == 2) scores = {static_cast<float>(-decisions[0]), static_cast<float>(decisions[0])};
    else scores.assign(decisions.begin(), decisions.end());
    return static_cast<size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
  }

  // The part of a decision that comes from one class's support vectors, by a row of the coefficients [classes - 1, vectors].
  double weighted(const double* values, size_t coefficient_row, int64_t begin, int64_t count) const {
    const float* row = coefficients_ + static_cast<int64_t>(coefficient_row) * vectors_;
    double sum = 0;
    for (int64_t i = begin; i < begin + count; ++i) sum += values[i] * static_cast<double>(row[i]);
    return sum;
  }

  void probabilities(const std::vector<double>& decisions, std::vector<float>& scores, Pacer& pacer) const {
    std::vector<double> pairs(classes_ * classes_), result(classes_), work(classes_ * (classes_ + 1));
    size_t pair = 0;
    for (size_t i = 0; i < classes_; ++i)
      for (size_t j = i + 1; j < classes_; ++j, ++pair) {
        const double p =
            1 /
            (1 + std::exp(decisions[pair] * static_cast<double>(prob_a_[pair]) + static_cast<double>(prob_b_[pair])));
        pairs[i * classes_ + j] = std::clamp(p, 1e-7, 1 - 1e-7);
        pairs[j * classes_ + i] = 1 - pairs[i * classes_ + j];
      }
    couple_pairs(pairs, result, work, &pacer);
    scores.assign(result.begin(), result.end());
  }

  ops::Labels labels_;
  std::vector<int64_t> per_class_;
  std::vector<float> prob_a_, prob_b_;
  size_t classes_;
  bool no_negative_ = false;
};

}  // namespace

void kernels_ml_svm(provider::KernelTable& table) {
  table.add<SvmClassifier>("ai.onnx.ml", "SVMClassifier", "reference");
  table.add<SvmRegressor>("ai.onnx.ml", "SVMRegressor", "reference");
}

}  // namespace onnxrun::cpu
