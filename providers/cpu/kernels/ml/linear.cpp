// LinearClassifier and LinearRegressor: a row's scores are its products with rows of coefficients.
#include <algorithm>

#include "cpu/loops/feature_dot.h"
#include "cpu/loops/labels.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scores.h"
#include "cpu/loops/table_bytes.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

// Coefficients are packed as they are, so that all shapes share them.
class Linear {
 public:
  static Acceptance accepts(const Node& node) {
    return Acceptance().pack((node.get_floats("coefficients").size() + 1) * sizeof(float), {});
  }
  static void pack(const Node& node, void* bytes) {
    const std::vector<float> coefficients = node.get_floats("coefficients");
    std::copy(coefficients.begin(), coefficients.end(), static_cast<float*>(bytes));
  }

  size_t scratch_bytes() const { return operands_.scratch_bytes(); }
  size_t table_bytes() const { return bytes_outside(intercepts_); }

 protected:
  // The scores of [N,F] or [F] against `scores` rows of coefficients.
  Linear(const Node& node, const void* packed, int64_t scores)
      : transform_(ops::read_post_transform(node)),
        scores_(scores),
        work_(work_float(node, 1)),
        operands_(node, 1, 0, work_),
        coefficients_(static_cast<const float*>(packed)),
        intercepts_(node.get_floats("intercepts")) {
    const auto dims = provider::dims(node.input(0));
    features_ = dims.back();
    rows_ = dims.size() == 1 ? 1 : dims[0];
  }

  // Calls finish(row, scores) with the scores of each row.
  template <class F>
  void each_row(RunContext& context, F&& finish) const {
    const auto arrays = operands_.load(context);
    with_work_float(work_, [&]<class T>(std::type_identity<T>) {
      const T* x = arrays.template in<T>(0);
      parallel_polled(context, rows_, scores_ * (Cost(features_) + 8) * 2, [&](int64_t begin, int64_t end) {
        std::vector<float> scores(static_cast<size_t>(scores_));
        for (int64_t row = begin; row < end; ++row) {
          for (int64_t k = 0; k < scores_; ++k) {
            const auto at = static_cast<size_t>(k);
            scores[at] = static_cast<float>(feature_dot(x + row * features_, coefficients_ + k * features_, features_) +
                                            (at < intercepts_.size() ? static_cast<double>(intercepts_[at]) : 0.0));
          }
          finish(row, scores.data());
        }
      });
    });
  }

  ops::PostTransform transform_;
  int64_t scores_;

 private:
  DType work_;
  WorkOperands operands_;
  const float* coefficients_;
  std::vector<float> intercepts_;
  int64_t features_ = 0, rows_ = 0;
};

class LinearRegressor : public Linear {
 public:
  LinearRegressor(const Node& node, const void* packed) : Linear(node, packed, node.get_int("targets", 1)) {
    charge_tables(*this);
  }

  void run(RunContext& context) const {
    each_row(context, [&](int64_t row, float* scores) {
      transform_scores(transform_, scores, scores_);
      std::copy_n(scores, scores_, context.out<float>(0) + row * scores_);
    });
  }
};

class LinearClassifier : public Linear {
 public:
  LinearClassifier(const Node& node, const void* packed)
      : Linear(node, packed, count_scores(node)),
        labels_(ops::read_labels(node, "classlabels_ints", "classlabels_strings")) {
    charge_tables(*this);
  }
  size_t table_bytes() const { return Linear::table_bytes() + bytes_outside(labels_); }

  void run(RunContext& context) const {
    each_row(context, [&](int64_t row, float* scores) {
      const auto classes = static_cast<int64_t>(labels_.size());
      float pair[2];
      // One score of two classes is for the second and against the first.
      if (scores_ == 1 && classes == 2) {
        pair[0] = -scores[0];
        pair[1] = scores[0];
        scores = pair;
      }
      if (classes > 1 || scores[0] >= 0) write_label(labels_, context.output(0), row, largest_score(scores, classes));
      else write_no_label(labels_, context.output(0), row);
      if (!context.has_output(1)) return;
      transform_scores(transform_, scores, classes);
      std::copy_n(scores, classes, context.out<float>(1) + row * classes);
    });
  }

 private:
  static int64_t count_scores(const Node& node) {
    const int64_t features = provider::dims(node.input(0)).back();
    const auto intercepts = static_cast<int64_t>(node.get_floats("intercepts").size());
    if (intercepts != 0) return intercepts;
    const auto labels = static_cast<int64_t>(ops::read_labels(node, "classlabels_ints", "classlabels_strings").size());
    return features == 0 ? labels : static_cast<int64_t>(node.get_floats("coefficients").size()) / features;
  }

  ops::Labels labels_;
};

}  // namespace

void kernels_ml_linear(provider::KernelTable& table) {
  table.add<LinearClassifier>("ai.onnx.ml", "LinearClassifier", "reference");
  table.add<LinearRegressor>("ai.onnx.ml", "LinearRegressor", "reference");
}

}  // namespace onnxrun::cpu
