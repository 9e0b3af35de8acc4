// The packed form of decision trees: what tree_pack.cpp writes and tree_walk.cpp reads.
//
// Features and thresholds are integers that order as the numbers do, so that every comparison of a number becomes one `key > threshold`, exact
// whatever the treatment of denormals, and NaN a key that passes all or no thresholds. The two children of a node are neighbours, the
// true one first, and a leaf is its own child: a walk of fixed length needs no branches.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "cpu/loops/tree_ensemble.h"

namespace onnxrun::cpu {

// Keys of NaN: above all thresholds or below them.
template <class Key>
inline constexpr Key kMissingFalse = std::numeric_limits<Key>::max();
template <class Key>
inline constexpr Key kMissingTrue = std::numeric_limits<Key>::min();

// The key of a float (int32_t) or double (int64_t); -0 is 0. NaN gets `missing`.
template <class Key, class Float>
Key tree_key(Float value, Key missing) {
  static_assert(sizeof(Key) == sizeof(Float));
  constexpr Key kMagnitude = std::numeric_limits<Key>::max();
  constexpr Key kInfinity = sizeof(Key) == 4 ? static_cast<Key>(0x7f800000) : static_cast<Key>(0x7ff0000000000000);
  const Key bits = std::bit_cast<Key>(value), magnitude = bits & kMagnitude;
  const Key key = bits < 0 ? -magnitude : magnitude;
  return magnitude > kInfinity ? missing : key;
}

struct TreeColumn {
  int64_t feature;
  int64_t missing_true;  // which key NaN has
};

template <class Key>
struct TreeNode {
  Key key;          // goes to the true child where the feature's key is not above; kMember: the number of a set
  uint32_t column;  // number of a TreeColumn; the test above kTreeTestShift
  uint32_t child;   // bytes from the first node to the true child; a leaf's own place
  uint32_t leaf;
};
inline constexpr uint32_t kTreeTestShift = 30, kTreeColumnMask = (1u << kTreeTestShift) - 1;

struct TreeRoot {
  uint32_t node;  // in bytes
  uint32_t depth;
};

struct TreeSet {
  uint32_t begin, end;  // in the sorted keys of the members
};

struct TreeVote {
  int64_t target;
  double weight;
};

// Positions are bytes from the begin of the block, multiples of 8.
struct TreeHead {
  int64_t targets, trees, columns, max_feature, total_depth;
  uint8_t wide, general, dense;  // dense: every leaf has one vote for each target, and `values` has them
  TreeAggregate aggregate;
  uint64_t columns_at, roots_at, nodes_at, leaf_ends_at, votes_at, values_at, sets_at, members_at, end;
};

}  // namespace onnxrun::cpu
