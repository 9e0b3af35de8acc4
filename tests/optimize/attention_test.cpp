// The passes around Attention: rotated, grouped, cached and merged heads, and masks by choice.
#include <cmath>

#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

const Dim kBatch = Dim::symbol("batch"), kLength = Dim::symbol("length"), kPast = Dim::symbol("past");

Attributes axis(int64_t value) { return {{"axis", value}}; }
Attributes perm(std::vector<int64_t> axes) { return {{"perm", std::move(axes)}}; }
const Attributes kScale = {{"scale", 0.5f}};

class Rotation : public PassTest {
 protected:
  ValueId cut(ValueId x, int64_t from, int64_t to) {
    return op("Slice", {x, ints({from}), ints({to}), ints({3}), ints({1})});
  }
  ValueId turned(ValueId x) { return op("Concat", {op("Neg", {cut(x, 4, INT64_MAX)}), cut(x, 0, 4)}, axis(-1)); }
  ValueId rotated(ValueId x, ValueId cos, ValueId sin) {
    return op("Add", {op("Mul", {x, cos}), op("Mul", {turned(x), sin})});
  }
  // Twice `angles` along the last axis.
  ValueId doubled(ValueId angles) { return op("Concat", {angles, angles}, axis(-1)); }
};

TEST_F(Rotation, OfHeads) {
  const auto both = doubled(input("angles", {kBatch, kLength, 4}));
  const auto cos = op("Unsqueeze", {op("Mul", {op("Cos", {both}), number(1)}), ints({1})}),
             sin = op("Unsqueeze", {op("Mul", {op("Sin", {both}), number(1)}), ints({1})});
  output(rotated(input("x", {kBatch, 2, kLength, 8}), cos, sin));
  rewrites("fuse-rotary-embedding",
           "Concat Cos Mul Unsqueeze Sin Mul Unsqueeze Slice Squeeze Slice Squeeze RotaryEmbedding");
}

TEST_F(Rotation, OfHeadsByATableForAllOfABatch) {
  Tensor table(base::DType::kFloat32, {5, 8});
  for (int64_t i = 0; i < 40; ++i) table.mutable_data<float>()[i] = static_cast<float>(i / 8 + i % 4) * 0.1f;
  const auto known = constant(std::move(table));
  output(rotated(input("x", {kBatch, 2, 5, 8}), known, known));
  rewrites("fuse-rotary-embedding",
           "Slice Unsqueeze Shape Concat Expand Slice Unsqueeze Shape Concat Expand RotaryEmbedding");
}

TEST_F(Rotation, OfHalvesWithOtherAnglesStays) {
  const auto cos = op("Cos", {input("angles", {kBatch, 1, kLength, 8})}),
             sin = op("Sin", {input("more", {kBatch, 1, kLength, 8})});
  output(rotated(input("x", {kBatch, 2, kLength, 8}), cos, sin));
  leaves("fuse-rotary-embedding");
}

TEST_F(Rotation, TheOtherWayStays) {
  const auto both = op("Unsqueeze", {doubled(input("angles", {kBatch, kLength, 4})), ints({1})});
  const auto x = input("x", {kBatch, 2, kLength, 8});
  const auto turn = op("Concat", {cut(x, 4, 8), op("Neg", {cut(x, 0, 4)})}, axis(-1));
  output(op("Add", {op("Mul", {x, both}), op("Mul", {turn, both})}));
  leaves("fuse-rotary-embedding");
}

TEST_F(Rotation, ByAnglesOfHeadsStays) {
  const auto both = doubled(input("angles", {kBatch, 2, kLength, 4}));
  output(rotated(input("x", {kBatch, 2, kLength, 8}), both, both));
  leaves("fuse-rotary-embedding");
}

class Heads : public PassTest {
 protected:
  ValueId repeated(ValueId x, int64_t heads, int64_t times, const std::vector<int64_t>& to) {
    return op("Reshape", {op("Expand", {op("Unsqueeze", {x, ints({2})}), ints({1, heads, times, 1, 1})}), ints(to)});
  }
  ValueId split(ValueId x, int64_t heads) {
    return op("Transpose", {op("Reshape", {x, ints({0, 0, heads, -1})})}, perm({0, 2, 1, 3}));
  }
  ValueId merged(ValueId y) { return op("Reshape", {op("Transpose", {y}, perm({0, 2, 1, 3})), ints({0, 0, -1})}); }
};

TEST_F(Heads, RepeatedForGroupsAreReadOnce) {
  const auto q = input("q", {2, 4, 5, 8}), k = input("k", {2, 2, 5, 8}), v = input("v", {2, 2, 5, 8});
  output(op("Attention", {q, repeated(k, 2, 2, {2, 4, 5, 8}), repeated(v, 2, 2, {2, 4, 5, 8})}, kScale));
  rewrites("fuse-grouped-heads", "Attention");
}

TEST_F(Heads, RepeatedSideBySideAreReadOnce) {
  const auto q = input("q", {kBatch, 4, kLength, 8});
  const auto twice = [&](const std::string& name) {
    const auto five = op("Reshape", {input(name, {kBatch, kLength, 16}), ints({0, 0, 2, 1, 8})});
    const auto wide = op("Reshape", {op("Tile", {five, ints({1, 1, 1, 2, 1})}), ints({0, 0, 4, 8})});
    return op("Transpose", {wide}, perm({0, 2, 1, 3}));
  };
  const auto k = twice("k"), v = twice("v");
  output(op("Attention", {q, k, v}, kScale));
  rewrites("fuse-grouped-heads", "Reshape Transpose Reshape Transpose Attention");
}

TEST_F(Heads, RepeatedAlongAnotherAxisStay) {
  const auto q = input("q", {kBatch, 4, 5, 8});
  const auto twice = [&](const std::string& name) {
    const auto five = op("Reshape", {input(name, {kBatch, 5, 16}), ints({0, 0, 1, 2, 8})});
    const auto wide = op("Reshape", {op("Tile", {five, ints({1, 1, 2, 1, 1})}), ints({0, 0, 4, 8})});
    return op("Transpose", {wide}, perm({0, 2, 1, 3}));
  };
  const auto k = twice("k"), v = twice("v");
  output(op("Attention", {q, k, v}, kScale));
  leaves("fuse-grouped-heads");
}

TEST_F(Heads, InAnotherOrderStay) {
  const auto q = input("q", {2, 4, 5, 8}), k = input("k", {2, 2, 5, 8}), v = input("v", {2, 2, 5, 8});
  const auto tiled = [&](ValueId x) { return op("Tile", {x, ints({1, 2, 1, 1})}); };
  output(op("Attention", {q, tiled(k), tiled(v)}, kScale));
  output(op("Attention", {q, repeated(k, 2, 2, {2, 4, 5, 8}), op("Concat", {v, v}, axis(1))}, kScale));
  leaves("fuse-grouped-heads");
}

class Cache : public Heads {
 protected:
  ValueId past_k_ = input("past_k", {kBatch, 2, kPast, 8}), past_v_ = input("past_v", {kBatch, 2, kPast, 8});
  ValueId q_ = input("q", {kBatch, 4, kLength, 8}), k_ = input("k", {kBatch, 2, kLength, 8}),
          v_ = input("v", {kBatch, 2, kLength, 8});
};

TEST_F(Cache, IsExtendedByAttention) {
  const auto keys = op("Concat", {past_k_, k_}, axis(-2)), values = op("Concat", {past_v_, v_}, axis(2));
  output(op("Attention", {q_, keys, values}, kScale));
  output(keys);
  output(values);
  rewrites("fuse-attention-cache", "Attention");
}

TEST_F(Cache, ThatTheMaskNeedsStays) {
  const auto keys = op("Concat", {past_k_, k_}, axis(2)), values = op("Concat", {past_v_, v_}, axis(2));
  const auto mask = op("ReduceMax", {keys, ints({1, 3})}, {{"keepdims", int64_t{0}}});
  output(op("Attention", {q_, keys, values, op("Unsqueeze", {mask, ints({1, 2})})}, kScale));
  output(keys);
  leaves("fuse-attention-cache");
}

TEST_F(Cache, ThatIsCausalStays) {
  Attributes causal = kScale;
  causal.set("is_causal", int64_t{1});
  output(op("Attention", {q_, op("Concat", {past_k_, k_}, axis(2)), op("Concat", {past_v_, v_}, axis(2))}, causal));
  leaves("fuse-attention-cache");
}

TEST_F(Heads, SideBySideAreNotTransposed) {
  const auto q = input("q", {kBatch, kLength, 32}), k = input("k", {kBatch, kPast, 16}),
             v = input("v", {kBatch, kPast, 16});
  output(merged(op("Attention", {split(q, 4), split(k, 2), split(v, 2)}, kScale)));
  rewrites("merge-heads", "Attention");
}

TEST_F(Heads, SideBySideAreReshapedAsTheyAre) {
  const auto x = input("x", {kBatch, kLength, 32});
  const auto y =
      op("Transpose", {op("Attention", {split(x, 4), split(x, 4), split(x, 4)}, kScale)}, perm({0, 2, 1, 3}));
  output(op("Reshape", {y, ints({-1, 32})}));
  rewrites("merge-heads", "Attention Reshape");
}

TEST_F(Heads, SideBySideAreRotatedAsTheyAre) {
  const auto x = input("x", {kBatch, kLength, 32}), cos = input("cos", {kBatch, kLength, 4}),
             sin = input("sin", {kBatch, kLength, 4});
  const auto q = op("RotaryEmbedding", {split(x, 4), cos, sin}), k = op("RotaryEmbedding", {split(x, 4), cos, sin});
  const auto v = split(x, 4);
  output(merged(op("Attention", {q, k, v}, kScale)));
  output(k);
  output(v);
  rewrites("merge-heads", "RotaryEmbedding RotaryEmbedding Attention");
}

TEST_F(Heads, ThatAreNotMergedAgainStay) {
  const auto x = input("x", {kBatch, kLength, 32});
  output(op("Attention", {split(x, 4), split(x, 4), split(x, 4)}, kScale));
  const auto swapped = op("Transpose", {op("Reshape", {x, ints({0, 0, 4, -1})})}, perm({0, 2, 3, 1}));
  output(merged(op("Attention", {swapped, swapped, swapped}, kScale)));
  const auto y =
      op("Transpose", {op("Attention", {split(x, 4), split(x, 4), split(x, 4)}, kScale)}, perm({0, 2, 1, 3}));
  output(op("Reshape", {y, ints({0, -1, 0})}));  // copies the number of heads
  leaves("merge-heads");
}

TEST_F(Heads, AMaskByChoiceNeedsNoNumbers) {
  const auto q = input("q", {2, 4, 5, 8}), k = input("k", {2, 4, 5, 8});
  const auto seen = op("Less", {input("a", {2, 1, 5, 5}), number(1)});
  output(op("Attention", {q, k, k, op("Where", {seen, number(0), number(-INFINITY)})}, kScale));
  rewrites("fuse-attention-mask", "Less Attention");
}

TEST_F(Heads, AMaskOfLargeNumbersStays) {
  const auto q = input("q", {2, 4, 5, 8});
  const auto seen = op("Less", {input("a", {2, 1, 5, 5}), number(1)});
  output(op("Attention", {q, q, q, op("Where", {seen, number(0), number(-1e30f)})}, kScale));
  output(op("Attention", {q, q, q, op("Where", {seen, number(-INFINITY), number(0)})}, kScale));
  leaves("fuse-attention-mask");
}

TEST_F(Heads, MatricesBetweenReshapesAreTransposedWhereTheyAre) {
  const auto x = input("x", {2, 3, 4, 5});
  const auto turned = op("Transpose", {op("Reshape", {x, ints({6, 4, 5})})}, perm({0, 2, 1}));
  output(op("Reshape", {turned, ints({2, 3, 5, 4})}));
  rewrites("merge-batched-transpose", "Transpose", 0);
}

TEST_F(Heads, OtherMatricesBetweenReshapesStay) {
  const auto x = input("x", {2, 3, 4, 5});
  const auto turned = op("Transpose", {op("Reshape", {x, ints({6, 4, 5})})}, perm({0, 2, 1}));
  output(op("Reshape", {turned, ints({3, 2, 5, 4})}));
  output(op("Reshape", {op("Transpose", {op("Reshape", {x, ints({6, 5, 4})})}, perm({0, 2, 1})), ints({2, 3, 4, 5})}));
  leaves("merge-batched-transpose");
}

}  // namespace
}  // namespace onnxrun::optimize
