// Walking packed trees: blocks of rows, eight walks at a time so that their loads overlap.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/checked.h"
#include "base/error.h"
#include "cpu/cpu.h"
#include "cpu/loops/tree_layout.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kBlock = 32;     // rows
constexpr int64_t kPart = 128;     // trees that are summed on their own
constexpr int64_t kSlots = 64;     // parts of scratch memory that work in parallel
constexpr int64_t kWalks = 8;      // at a time
constexpr int64_t kGrain = 16384;  // steps worth a hand-over

TreeHead head_of(const char* block) {
  TreeHead head;
  std::memcpy(&head, block, sizeof(head));
  return head;
}

int64_t round_up(int64_t bytes) { return (bytes + 63) & ~int64_t{63}; }

// How scratch memory is divided: `slots` pieces, each with the keys of a block, the sums of a part and the sums of all parts so far.
struct Division {
  int64_t block_rows, blocks, parts, slots, keys_bytes, sums_bytes;
  bool by_part;  // a single block: the parts of the trees work in parallel

  Division(const TreeHead& head, int64_t rows)
      : block_rows(std::clamp<int64_t>(rows, 1, kBlock)),
        blocks((rows + kBlock - 1) / kBlock),
        parts(std::max<int64_t>(1, (head.trees + kPart - 1) / kPart)),
        keys_bytes(round_up(base::checked_mul(block_rows * (head.wide ? 8 : 4), std::max<int64_t>(1, head.columns)))),
        sums_bytes(round_up(base::checked_mul(block_rows * 8, head.targets))),
        by_part(blocks == 1) {
    slots = by_part ? parts : std::min(blocks, kSlots);
  }
  int64_t slot_bytes() const { return base::checked_add(keys_bytes, 2 * sums_bytes); }
};

}  // namespace

template <class Key>
struct TreeWalk::Walker {
  using Node = TreeNode<Key>;
  using Float = std::conditional_t<sizeof(Key) == 4, float, double>;

  explicit Walker(const char* block, const TreeHead& h)
      : head(h),
        columns(at<TreeColumn>(block, h.columns_at)),
        roots(at<TreeRoot>(block, h.roots_at)),
        nodes(block + h.nodes_at),
        leaf_ends(at<uint32_t>(block, h.leaf_ends_at)),
        votes(at<TreeVote>(block, h.votes_at)),
        values(at<double>(block, h.values_at)),
        sets(at<TreeSet>(block, h.sets_at)),
        members(at<Key>(block, h.members_at)) {}

  template <class T>
  static const T* at(const char* block, uint64_t position) {
    return reinterpret_cast<const T*>(block + position);
  }

  template <class T>
  void make_keys(const T* x, int64_t rows, int64_t features, Key* keys) const {
    if (head.columns == 0) std::fill_n(keys, rows, Key{});
    for (int64_t row = 0; row < rows; ++row, x += features, keys += head.columns)
      for (int64_t c = 0; c < head.columns; ++c)
        keys[c] = tree_key<Key>(static_cast<Float>(x[columns[c].feature]),
                                columns[c].missing_true != 0 ? kMissingTrue<Key> : kMissingFalse<Key>);
  }

  // Whether a node of any test sends a key to its false child.
  bool refuses(const Node& node, const Key* keys) const {
    const Key key = keys[node.column & kTreeColumnMask];
    const auto test = static_cast<TreeTest>(node.column >> kTreeTestShift);
    if (test == TreeTest::kLessOrEqual) return key > node.key;
    if (key == kMissingTrue<Key>) return false;
    if (test == TreeTest::kEqual) return key != node.key;
    const TreeSet& set = sets[node.key];
    return !std::binary_search(members + set.begin, members + set.end, key);
  }

  // One step of each walk; 0 when all stand at their leaves.
  template <bool kGeneral>
  uint32_t step(uint32_t (&place)[kWalks], const Key* const (&keys)[kWalks]) const {
    uint32_t moved = 0;
    for (int64_t w = 0; w < kWalks; ++w) {
      const Node& node = *reinterpret_cast<const Node*>(nodes + place[w]);
      const bool refused = kGeneral ? refuses(node, keys[w]) : keys[w][node.column] > node.key;
      const uint32_t next = node.child + static_cast<uint32_t>(refused) * static_cast<uint32_t>(sizeof(Node));
      moved |= next ^ place[w];
      place[w] = next;
    }
    return moved;
  }

  // Walks from `place` of each to its leaf, at most `depth` steps away.
  template <bool kGeneral>
  void walk(uint32_t (&place)[kWalks], const Key* const (&keys)[kWalks], int64_t depth) const {
    for (; depth >= 4; depth -= 4) {
      step<kGeneral>(place, keys);
      step<kGeneral>(place, keys);
      step<kGeneral>(place, keys);
      if (step<kGeneral>(place, keys) == 0) return;
    }
    for (; depth > 0; --depth) step<kGeneral>(place, keys);
  }

  void combine(double& sum, double value) const {
    switch (head.aggregate) {
      case TreeAggregate::kMin: sum = std::isnan(sum) || value < sum ? value : sum; return;
      case TreeAggregate::kMax: sum = std::isnan(sum) || value > sum ? value : sum; return;
      default: sum += value;
    }
  }

  void vote(uint32_t place, double* sums) const {
    const uint32_t leaf = reinterpret_cast<const Node*>(nodes + place)->leaf;
    if (head.dense) {
      const double* weights = values + static_cast<int64_t>(leaf) * head.targets;
      for (int64_t t = 0; t < head.targets; ++t) combine(sums[t], weights[t]);
      return;
    }
    for (uint32_t i = leaf == 0 ? 0 : leaf_ends[leaf - 1]; i < leaf_ends[leaf]; ++i)
      combine(sums[votes[i].target], votes[i].weight);
  }

  // Where no leaf has voted: sums are 0, the smallest and largest value NaN.
  double nothing() const {
    return head.aggregate == TreeAggregate::kMin || head.aggregate == TreeAggregate::kMax ? std::nan("") : 0;
  }

  // The aggregates over one part's trees, for `rows` rows of keys.
  template <bool kGeneral>
  void add_part(int64_t part, const Key* keys, int64_t rows, double* sums) const {
    const int64_t stride = std::max<int64_t>(1, head.columns), first = part * kPart,
                  last = std::min(first + kPart, head.trees);
    std::fill_n(sums, rows * head.targets, nothing());
    int64_t row = 0;
    uint32_t place[kWalks];
    const Key* from[kWalks];
    for (; row + kWalks <= rows; row += kWalks) {
      for (int64_t w = 0; w < kWalks; ++w) from[w] = keys + (row + w) * stride;
      for (int64_t tree = first; tree < last; ++tree) {
        for (uint32_t& p : place) p = roots[tree].node;
        walk<kGeneral>(place, from, roots[tree].depth);
        for (int64_t w = 0; w < kWalks; ++w) vote(place[w], sums + (row + w) * head.targets);
      }
    }
    // The rows left: several trees at a time, deepest last.
    for (; row < rows; ++row) {
      for (const Key*& f : from) f = keys + row * stride;
      for (int64_t tree = first; tree < last; tree += kWalks) {
        const int64_t count = std::min(kWalks, last - tree);
        for (int64_t w = 0; w < kWalks; ++w) place[w] = roots[tree + std::min(w, count - 1)].node;
        walk<kGeneral>(place, from, roots[tree + count - 1].depth);
        for (int64_t w = 0; w < count; ++w) vote(place[w], sums + row * head.targets);
      }
    }
  }

  void add(int64_t part, const Key* keys, int64_t rows, double* sums) const {
    if (head.general) add_part<true>(part, keys, rows, sums);
    else add_part<false>(part, keys, rows, sums);
  }

  void merge(double* total, const double* part, int64_t count) const {
    for (int64_t i = 0; i < count; ++i)
      if (!std::isnan(part[i]) || nothing() == 0) combine(total[i], part[i]);
  }

  void finish(double* sums, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) {
      if (head.aggregate == TreeAggregate::kAverage && head.trees > 0) sums[i] /= static_cast<double>(head.trees);
      else if (nothing() != 0 && std::isnan(sums[i])) sums[i] = 0;
    }
  }

  const TreeHead& head;
  const TreeColumn* columns;
  const TreeRoot* roots;
  const char* nodes;
  const uint32_t* leaf_ends;
  const TreeVote* votes;
  const double* values;
  const TreeSet* sets;
  const Key* members;
};

TreeWalk::TreeWalk(const void* block, int32_t dtype, int64_t rows, int64_t features)
    : block_(static_cast<const char*>(block)), dtype_(dtype), rows_(rows), features_(features) {
  const TreeHead head = head_of(block_);
  if (head.columns > 0 && head.max_feature >= features)
    base::fail(base::Code::kInvalidModel, "a tree asks for feature {}, but 'X' has {} columns", head.max_feature,
               features);
}

int64_t TreeWalk::targets() const { return head_of(block_).targets; }

size_t TreeWalk::scratch_bytes() const {
  const Division division(head_of(block_), rows_);
  return static_cast<size_t>(base::checked_mul(division.slots, division.slot_bytes()));
}

void TreeWalk::run(RunContext& context, const void* x, void* scratch, Finish finish, void* argument) const {
  if (head_of(block_).wide) run_as<int64_t>(context, x, static_cast<char*>(scratch), finish, argument);
  else run_as<int32_t>(context, x, static_cast<char*>(scratch), finish, argument);
}

template <class Key>
void TreeWalk::run_as(RunContext& context, const void* x, char* scratch, Finish finish, void* argument) const {
  if (rows_ == 0) return;
  const TreeHead head = head_of(block_);
  const Division division(head, rows_);
  const Walker<Key> walker(block_, head);
  const int64_t slot_bytes = division.slot_bytes(), targets = head.targets;
  const auto slot_keys = [&](int64_t slot) { return reinterpret_cast<Key*>(scratch + slot * slot_bytes); };
  const auto slot_part = [&](int64_t slot) {
    return reinterpret_cast<double*>(scratch + slot * slot_bytes + division.keys_bytes);
  };
  const auto slot_sums = [&](int64_t slot) {
    return reinterpret_cast<double*>(scratch + slot * slot_bytes + division.keys_bytes + division.sums_bytes);
  };
  const auto make_keys = [&](int64_t row, int64_t rows, Key* keys) {
    dispatch(Types<float, double, int64_t, int32_t, Float16>{}, static_cast<DType>(dtype_),
             [&]<class T>(std::type_identity<T>) {
               walker.make_keys(static_cast<const T*>(x) + row * features_, rows, features_, keys);
             });
  };
  const auto hand_over = [&](int64_t row, int64_t rows, double* sums) {
    walker.finish(sums, rows * targets);
    for (int64_t i = 0; i < rows; ++i) finish(argument, row + i, sums + i * targets);
  };
  const int64_t steps = division.block_rows * (head.total_depth + head.columns + 1);

  if (division.by_part) {
    const int64_t grain = std::max<int64_t>(1, kGrain / std::max<int64_t>(1, steps / division.parts));
    context.parallel(division.parts, grain, [&](int64_t begin, int64_t end) {
      make_keys(0, rows_, slot_keys(begin));
      for (int64_t part = begin; part < end && !context.cancelled(); ++part)
        walker.add(part, slot_keys(begin), rows_, slot_part(part));
    });
    context.check_cancelled();
    for (int64_t part = 1; part < division.parts; ++part) walker.merge(slot_part(0), slot_part(part), rows_ * targets);
    return hand_over(0, rows_, slot_part(0));
  }
  context.parallel(division.slots, std::max<int64_t>(1, kGrain * division.slots / (division.blocks * steps)),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t slot = begin; slot < end; ++slot)
                       for (int64_t block = division.blocks * slot / division.slots;
                            block < division.blocks * (slot + 1) / division.slots; ++block) {
                         if (context.cancelled()) return;
                         const int64_t row = block * kBlock, rows = std::min(kBlock, rows_ - row);
                         make_keys(row, rows, slot_keys(slot));
                         walker.add(0, slot_keys(slot), rows, slot_sums(slot));
                         for (int64_t part = 1; part < division.parts; ++part) {
                           if (context.cancelled()) return;
                           walker.add(part, slot_keys(slot), rows, slot_part(slot));
                           walker.merge(slot_sums(slot), slot_part(slot), rows * targets);
                         }
                         hand_over(row, rows, slot_sums(slot));
                       }
                   });
  context.check_cancelled();
}

}  // namespace onnxrun::cpu
