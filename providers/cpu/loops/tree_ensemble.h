// Decision trees: as read and checked from a node, packed for walking, and walked over rows of features.
#pragma once

#include <cstdint>
#include <vector>

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

enum class TreeTest : uint8_t { kLessOrEqual, kLess, kEqual, kMember };
enum class TreeAggregate : uint8_t { kSum, kAverage, kMin, kMax };

// Trees in the words of the file. A child is a node's index, or ~leaf for a leaf.
struct TreeModel {
  struct Node {
    TreeTest test = TreeTest::kLessOrEqual;
    bool missing_true = false;  // where NaN goes
    int64_t feature = 0;
    double threshold = 0;  // kMember: the first of its members and their number
    uint32_t member_begin = 0, member_end = 0;
    int64_t if_true = 0, if_false = 0;
  };
  struct Vote {
    int64_t target = 0;
    double weight = 0;
  };

  std::vector<Node> nodes;
  std::vector<int64_t> roots;  // as children are given
  std::vector<uint32_t>
      leaf_ends;  // where each leaf's votes end in `votes`; they begin where those of the leaf before end
  std::vector<Vote> votes;
  std::vector<double> members;
  int64_t targets = 0;
  TreeAggregate aggregate = TreeAggregate::kSum;
  bool wide = false;  // features are compared as float64, not float32

  // Turns a node into one that tests for the opposite, with the same meaning.
  static void negate(Node& node) {
    std::swap(node.if_true, node.if_false);
    node.missing_true = !node.missing_true;
  }
  // Throws kInvalidModel where a child, a root, a target or a feature is out of range, or a node is reached twice (as in a cycle).
  void check() const;
};

// The packed form: a block of bytes without pointers, a few times the size of the model. `check` must have passed.
size_t packed_tree_bytes(const TreeModel& model);
void pack_trees(const TreeModel& model, void* block);

// Adds up packed trees over rows. Sums are in float64 and do not depend on how the work is split.
class TreeWalk {
 public:
  // For [rows, features] elements of `dtype`: float16, float32, float64, int32 or int64. Throws kInvalidModel when a tree
  // asks for a feature beyond.
  TreeWalk(const void* block, int32_t dtype, int64_t rows, int64_t features);

  size_t scratch_bytes() const;
  int64_t targets() const;

  // Calls finish(context, row, sums) for each row, in parallel, with its aggregate for each target, which it may change.
  using Finish = void (*)(void* context, int64_t row, double* sums);
  void run(provider::RunContext& context, const void* x, void* scratch, Finish finish, void* argument) const;

  template <class F>
  void run(provider::RunContext& context, const void* x, F&& finish) const {
    run(
        context, x, context.scratch(),
        [](void* f, int64_t row, double* sums) { (*static_cast<std::remove_reference_t<F>*>(f))(row, sums); }, &finish);
  }

 private:
  template <class Key>
  struct Walker;
  template <class Key>
  void run_as(provider::RunContext& context, const void* x, char* scratch, Finish finish, void* argument) const;

  const char* block_;
  int32_t dtype_;
  int64_t rows_, features_;
};

}  // namespace onnxrun::cpu
