// Checking decision trees and packing them level by level, shallow trees first.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "cpu/loops/tree_layout.h"

namespace onnxrun::cpu {
namespace {

using base::Code;
using Node = TreeModel::Node;

constexpr int64_t kMaxTrees = int64_t{1} << 28;

bool is_leaf(int64_t child) { return child < 0; }

void check_child(const TreeModel& model, int64_t child, const char* what) {
  const auto leaves = static_cast<int64_t>(model.leaf_ends.size()), nodes = static_cast<int64_t>(model.nodes.size());
  if (is_leaf(child) ? ~child >= leaves : child >= nodes)
    base::fail(Code::kInvalidModel, "{} is {} {} of {}", what, is_leaf(child) ? "leaf" : "node",
               is_leaf(child) ? ~child : child, is_leaf(child) ? leaves : nodes);
}

// The columns of keys that the trees read, sorted.
using Column = std::pair<int64_t, bool>;
std::vector<Column> used_columns(const TreeModel& model) {
  std::vector<Column> columns;
  columns.reserve(model.nodes.size());
  for (const Node& node : model.nodes) columns.emplace_back(node.feature, node.missing_true);
  std::sort(columns.begin(), columns.end());
  columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
  return columns;
}

bool is_dense(const TreeModel& model) {
  uint32_t begin = 0;
  for (uint32_t end : model.leaf_ends) {
    if (static_cast<int64_t>(end - begin) != model.targets) return false;
    for (uint32_t i = begin; i < end; ++i)
      if (model.votes[i].target != static_cast<int64_t>(i - begin)) return false;
    begin = end;
  }
  return true;
}

TreeHead layout(const TreeModel& model) {
  TreeHead head{};
  head.targets = model.targets;
  head.trees = static_cast<int64_t>(model.roots.size());
  head.columns = static_cast<int64_t>(used_columns(model).size());
  for (const Node& node : model.nodes) head.max_feature = std::max(head.max_feature, node.feature);
  head.wide = model.wide;
  head.general = std::any_of(model.nodes.begin(), model.nodes.end(), [](const Node& node) {
    return node.test == TreeTest::kEqual || node.test == TreeTest::kMember;
  });
  head.dense = is_dense(model);
  head.aggregate = model.aggregate;
  const size_t node_bytes = model.wide ? sizeof(TreeNode<int64_t>) : sizeof(TreeNode<int32_t>);
  const size_t nodes = model.roots.size() + 2 * model.nodes.size();
  if (nodes > UINT32_MAX / node_bytes)
    base::fail(Code::kLimitExceeded, "{} tree nodes are more than this runtime can pack", model.nodes.size());
  uint64_t at = sizeof(TreeHead);
  const auto take = [&](uint64_t& position, size_t count, size_t bytes) {
    position = at;
    at += (count * bytes + 7) & ~size_t{7};
  };
  take(head.columns_at, static_cast<size_t>(head.columns), sizeof(TreeColumn));
  take(head.roots_at, model.roots.size(), sizeof(TreeRoot));
  at = (at + 63) & ~uint64_t{63};
  take(head.nodes_at, nodes, node_bytes);
  take(head.leaf_ends_at, head.dense ? 0 : model.leaf_ends.size(), sizeof(uint32_t));
  take(head.votes_at, head.dense ? 0 : model.votes.size(), sizeof(TreeVote));
  take(head.values_at, head.dense ? model.votes.size() : 0, sizeof(double));
  const auto sets = std::count_if(model.nodes.begin(), model.nodes.end(),
                                  [](const Node& node) { return node.test == TreeTest::kMember; });
  take(head.sets_at, static_cast<size_t>(sets), sizeof(TreeSet));
  take(head.members_at, model.members.size(), model.wide ? sizeof(int64_t) : sizeof(int32_t));
  head.end = at;
  return head;
}

template <class Key>
class Packer {
 public:
  Packer(const TreeModel& model, const TreeHead& head, char* block)
      : model_(model),
        head_(head),
        block_(block),
        columns_(used_columns(model)),
        nodes_(reinterpret_cast<TreeNode<Key>*>(block + head.nodes_at)) {}

  int64_t pack() {
    write_columns();
    std::vector<uint32_t> depths(model_.roots.size());
    for (size_t t = 0; t < depths.size(); ++t) depths[t] = depth(model_.roots[t]);
    std::vector<size_t> order(depths.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return depths[a] < depths[b]; });
    auto* roots = reinterpret_cast<TreeRoot*>(block_ + head_.roots_at);
    int64_t total = 0;
    for (size_t t : order) {
      *roots++ = {offset(next_), depths[t]};
      total += depths[t];
      tree(model_.roots[t]);
    }
    write_leaves();
    return total;
  }

 private:
  using Float = std::conditional_t<sizeof(Key) == 4, float, double>;
  using Level = std::vector<std::pair<int64_t, size_t>>;  // child and its place

  static uint32_t offset(size_t node) { return static_cast<uint32_t>(node * sizeof(TreeNode<Key>)); }

  void write_columns() const {
    auto* columns = reinterpret_cast<TreeColumn*>(block_ + head_.columns_at);
    for (const Column& column : columns_) *columns++ = {column.first, column.second};
  }

  uint32_t depth(int64_t root) const {
    uint32_t result = 0;
    std::vector<int64_t> level{root}, below;
    for (;; ++result) {
      below.clear();
      for (int64_t child : level) {
        if (is_leaf(child)) continue;
        const Node& node = model_.nodes[static_cast<size_t>(child)];
        below.push_back(node.if_true);
        below.push_back(node.if_false);
      }
      if (below.empty()) return result;
      level.swap(below);
    }
  }

  void tree(int64_t root) {
    Level level{{root, next_++}}, below;
    while (!level.empty()) {
      below.clear();
      for (const auto& [child, place] : level) {
        if (is_leaf(child)) {
          nodes_[place] = {std::numeric_limits<Key>::max(), 0, offset(place), static_cast<uint32_t>(~child)};
          continue;
        }
        const Node& node = model_.nodes[static_cast<size_t>(child)];
        const auto column =
            std::lower_bound(columns_.begin(), columns_.end(), Column(node.feature, node.missing_true)) -
            columns_.begin();
        const bool above = node.test == TreeTest::kEqual || node.test == TreeTest::kMember;
        nodes_[place] = {
            key(node), static_cast<uint32_t>(column) | (above ? static_cast<uint32_t>(node.test) << kTreeTestShift : 0),
            offset(next_), 0};
        below.emplace_back(node.if_true, next_);
        below.emplace_back(node.if_false, next_ + 1);
        next_ += 2;
      }
      level.swap(below);
    }
  }

  // A threshold of NaN is one that no number passes.
  Key key(const Node& node) {
    if (node.test == TreeTest::kMember) return set(node);
    constexpr Key kNever = kMissingTrue<Key> + 1;
    if (std::isnan(node.threshold)) return node.test == TreeTest::kEqual ? kNever : kMissingTrue<Key>;
    const Key key = tree_key<Key>(static_cast<Float>(node.threshold), Key{});
    return node.test == TreeTest::kLess ? key - 1 : key;
  }

  Key set(const Node& node) {
    Key* members = reinterpret_cast<Key*>(block_ + head_.members_at);
    const uint32_t begin = members_;
    for (uint32_t i = node.member_begin; i < node.member_end; ++i)
      members[members_++] = tree_key<Key>(static_cast<Float>(model_.members[i]), Key{});
    std::sort(members + begin, members + members_);
    reinterpret_cast<TreeSet*>(block_ + head_.sets_at)[sets_] = {begin, members_};
    return static_cast<Key>(sets_++);
  }

  void write_leaves() const {
    if (head_.dense) {
      auto* values = reinterpret_cast<double*>(block_ + head_.values_at);
      for (const TreeModel::Vote& vote : model_.votes) *values++ = vote.weight;
      return;
    }
    std::copy(model_.leaf_ends.begin(), model_.leaf_ends.end(),
              reinterpret_cast<uint32_t*>(block_ + head_.leaf_ends_at));
    auto* votes = reinterpret_cast<TreeVote*>(block_ + head_.votes_at);
    for (const TreeModel::Vote& vote : model_.votes) *votes++ = {vote.target, vote.weight};
  }

  const TreeModel& model_;
  const TreeHead& head_;
  char* block_;
  std::vector<Column> columns_;
  TreeNode<Key>* nodes_;
  size_t next_ = 0;
  uint32_t members_ = 0, sets_ = 0;
};

}  // namespace

void TreeModel::check() const {
  if (targets < 1 || targets > INT32_MAX)
    base::fail(Code::kInvalidModel, "there must be one target or class or more, got {}", targets);
  if (static_cast<int64_t>(roots.size()) > kMaxTrees)
    base::fail(Code::kLimitExceeded, "{} trees are more than {}", roots.size(), kMaxTrees);
  for (const Vote& vote : votes)
    if (vote.target < 0 || vote.target >= targets)
      base::fail(Code::kInvalidModel, "a leaf votes for target or class {} of {}", vote.target, targets);
  for (const Node& node : nodes) {
    if (node.feature < 0 || node.feature > INT32_MAX)
      base::fail(Code::kInvalidModel, "a node asks for feature {}", node.feature);
    check_child(*this, node.if_true, "the true child of a node");
    check_child(*this, node.if_false, "the false child of a node");
  }
  std::vector<bool> reached(nodes.size());
  std::vector<int64_t> pending;
  for (int64_t root : roots) {
    check_child(*this, root, "the root of a tree");
    pending.push_back(root);
    while (!pending.empty()) {
      const int64_t child = pending.back();
      pending.pop_back();
      if (is_leaf(child)) continue;
      const auto at = static_cast<size_t>(child);
      if (reached[at]) base::fail(Code::kInvalidModel, "node {} is reached twice: the nodes form no trees", child);
      reached[at] = true;
      pending.push_back(nodes[at].if_true);
      pending.push_back(nodes[at].if_false);
    }
  }
}

size_t packed_tree_bytes(const TreeModel& model) { return layout(model).end; }

void pack_trees(const TreeModel& model, void* block) {
  TreeHead head = layout(model);
  char* bytes = static_cast<char*>(block);
  head.total_depth =
      model.wide ? Packer<int64_t>(model, head, bytes).pack() : Packer<int32_t>(model, head, bytes).pack();
  std::memcpy(block, &head, sizeof(head));
}

}  // namespace onnxrun::cpu
