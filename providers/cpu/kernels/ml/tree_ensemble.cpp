// TreeEnsemble, TreeEnsembleClassifier and TreeEnsembleRegressor: packed trees walked over rows, then the scores of each row.
#include <algorithm>
#include <set>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/cpu.h"
#include "cpu/loops/labels.h"
#include "cpu/loops/scores.h"
#include "cpu/loops/table_bytes.h"
#include "cpu/loops/tree_read.h"

namespace onnxrun::cpu {
namespace {

// The walk of a kernel K, whose K::read gives the trees.
template <class K>
class Trees {
 public:
  static Acceptance accepts(const Node& node) { return Acceptance().pack(packed_tree_bytes(K::read(node)), {}); }
  static void pack(const Node& node, void* bytes) { pack_trees(K::read(node), bytes); }
  size_t scratch_bytes() const { return walk_.scratch_bytes(); }

 protected:
  Trees(const Node& node, const void* packed)
      : walk_(packed, node.input(0).dtype, rows(node), provider::dims(node.input(0)).back()),
        targets_(walk_.targets()) {}

  // Base values must be one a target; several targets may not share one.
  std::vector<double> base_values(const Node& node) const {
    std::vector<double> values = read_numbers(node, "base_values");
    if (values.empty()) {
      base::take_kernel_memory(base::checked_mul(targets_, sizeof(double)));
      values.resize(static_cast<size_t>(targets_));
    }
    if (static_cast<int64_t>(values.size()) != targets_)
      base::fail(base::Code::kInvalidModel, "'base_values' has {} elements for {} targets or classes", values.size(),
                 targets_);
    return values;
  }

  TreeWalk walk_;
  int64_t targets_;

 private:
  static int64_t rows(const Node& node) { return node.input(0).rank == 1 ? 1 : provider::dims(node.input(0))[0]; }
};

class TreeEnsemble : public Trees<TreeEnsemble> {
 public:
  static TreeModel read(const Node& node) { return read_trees_by_position(node); }
  TreeEnsemble(const Node& node, const void* packed)
      : Trees(node, packed), transform_(static_cast<ops::PostTransform>(node.get_int("post_transform", 0))) {}

  void run(RunContext& context) const {
    dispatch(Types<float, double, Float16>{}, dtype(context.output(0)), [&]<class T>(std::type_identity<T>) {
      T* y = context.out<T>(0);
      walk_.run(context, context.input(0).data, [&](int64_t row, double* sums) {
        transform_scores(transform_, sums, targets_);
        for (int64_t t = 0; t < targets_; ++t)
          y[row * targets_ + t] =
              static_cast<T>(static_cast<std::conditional_t<std::is_same_v<T, double>, double, float>>(sums[t]));
      });
    });
  }

 private:
  ops::PostTransform transform_;
};

class TreeEnsembleRegressor : public Trees<TreeEnsembleRegressor> {
 public:
  static TreeModel read(const Node& node) {
    const std::string name = node.get_string("aggregate_function", "SUM");
    constexpr std::pair<std::string_view, TreeAggregate> kNames[] = {{"SUM", TreeAggregate::kSum},
                                                                     {"AVERAGE", TreeAggregate::kAverage},
                                                                     {"MIN", TreeAggregate::kMin},
                                                                     {"MAX", TreeAggregate::kMax}};
    for (const auto& [known, aggregate] : kNames)
      if (name == known) return read_trees_by_id(node, "target", node.get_int("n_targets", 0), aggregate);
    base::fail(base::Code::kInvalidModel, "'aggregate_function' is \"{}\", but must be SUM, AVERAGE, MIN or MAX", name);
  }

  TreeEnsembleRegressor(const Node& node, const void* packed)
      : Trees(node, packed), transform_(ops::read_post_transform(node)), base_(base_values(node)) {}
  size_t table_bytes() const { return bytes_outside(base_); }

  void run(RunContext& context) const {
    float* y = context.out<float>(0);
    walk_.run(context, context.input(0).data, [&](int64_t row, const double* sums) {
      float* scores = y + row * targets_;
      for (int64_t t = 0; t < targets_; ++t) scores[t] = static_cast<float>(sums[t] + base_[static_cast<size_t>(t)]);
      transform_scores(transform_, scores, targets_);
    });
  }

 private:
  ops::PostTransform transform_;
  std::vector<double> base_;
};

// Two classes of which only one gets votes are one score: of the second class, and by ONNX Runtime's convention a probability where no
// weight is negative and nothing is done to the score.
class TreeEnsembleClassifier : public Trees<TreeEnsembleClassifier> {
 public:
  static TreeModel read(const Node& node) {
    return read_trees_by_id(
        node, "class", static_cast<int64_t>(ops::read_labels(node, "classlabels_int64s", "classlabels_strings").size()),
        TreeAggregate::kSum);
  }

  TreeEnsembleClassifier(const Node& node, const void* packed)
      : Trees(node, packed),
        transform_(ops::read_post_transform(node)),
        labels_(ops::read_labels(node, "classlabels_int64s", "classlabels_strings")) {
    const std::vector<int64_t> ids = node.get_ints("class_ids");
    single_ =
        targets_ == 2 && !ids.empty() && std::all_of(ids.begin(), ids.end(), [&](int64_t id) { return id == ids[0]; });
    voted_ = single_ ? ids[0] : 0;
    const std::vector<double> weights = read_numbers(node, "class_weights");
    const bool positive = std::all_of(weights.begin(), weights.end(), [](double weight) { return !(weight < 0); });
    probability_ = transform_ == ops::PostTransform::kProbit || (transform_ == ops::PostTransform::kNone && positive);
    base_ = read_numbers(node, "base_values");
    if (single_ && base_.size() == 1) base_.insert(voted_ == 0 ? base_.end() : base_.begin(), 0.0);
    else base_ = base_values(node);
    base::take_kernel_memory(static_cast<int64_t>(bytes_outside(labels_)));
  }
  size_t table_bytes() const { return bytes_outside_of(labels_, base_); }

  void run(RunContext& context) const {
    float* z = context.has_output(1) ? context.out<float>(1) : nullptr;
    walk_.run(context, context.input(0).data, [&](int64_t row, double* sums) {
      for (int64_t t = 0; t < targets_; ++t) sums[t] += base_[static_cast<size_t>(t)];
      const int64_t label = single_ ? split(sums) : targets_ > 1 ? largest_score(sums, targets_) : sums[0] > 0 ? 0 : -1;
      if (label < 0) write_no_label(labels_, context.output(0), row);
      else write_label(labels_, context.output(0), row, label);
      if (z == nullptr) return;
      float* scores = z + row * targets_;
      std::copy_n(sums, targets_, scores);
      transform_scores(transform_, scores, targets_);
    });
  }

 private:
  // Makes two scores of the one that has votes; returns the class.
  int64_t split(double* sums) const {
    const double score = sums[voted_];
    if (voted_ == 0) {
      sums[0] = probability_ ? 1 - score : -score;
      sums[1] = score;
    }
    return score > (probability_ ? 0.5 : 0.0) ? 1 : 0;
  }

  ops::PostTransform transform_;
  ops::Labels labels_;
  std::vector<double> base_;
  bool single_ = false, probability_ = false;
  int64_t voted_ = 0;
};

}  // namespace

void kernels_ml_tree_ensemble(provider::KernelTable& table) {
  table.add<TreeEnsemble>("ai.onnx.ml", "TreeEnsemble", "packed");
  table.add<TreeEnsembleClassifier>("ai.onnx.ml", "TreeEnsembleClassifier", "packed");
  table.add<TreeEnsembleRegressor>("ai.onnx.ml", "TreeEnsembleRegressor", "packed");
}

}  // namespace onnxrun::cpu
