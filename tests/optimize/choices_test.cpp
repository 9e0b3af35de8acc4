// The passes that see choices in arithmetic, masks in choices, and what only broadcasts or asks for a shape.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

const Dim kBatch = Dim::symbol("batch"), kLength = Dim::symbol("length");

Attributes to(DType dtype) { return {{"to", static_cast<int64_t>(dtype)}}; }

class Choices : public PassTest {
 protected:
  ValueId kept(ValueId x, ValueId condition) { return op("Mul", {x, op("Cast", {condition}, to(DType::kFloat32))}); }
  ValueId truth(bool value) { return constant(Tensor::scalar(value)); }
  // softmax(choice of 0.5 * q k^T, or `hidden`) v
  ValueId attention(float hidden, bool first) {
    const auto q = input("q", {kBatch, 2, kLength, 4}), k = input("k", {kBatch, 2, 4, kLength}),
               v = input("v", {kBatch, 2, kLength, 4});
    const auto limit = input("limit", {kLength, kLength});
    const auto seen = op("Less", {limit, number(2)});
    const auto scores = op("Mul", {op("MatMul", {q, k}), number(0.5f)});
    const auto chosen =
        first ? op("Where", {seen, scores, number(hidden)}) : op("Where", {seen, number(hidden), scores});
    return op("MatMul", {op("Softmax", {chosen}), v});
  }
};

TEST_F(Choices, ByWhatAConditionAndItsOppositeMultiply) {
  const auto x = input("x", {kBatch, 5}), y = input("y", {kBatch, 1});
  const auto less = op("Less", {x, number(0)});
  output(op("Add", {kept(y, op("Not", {less})), kept(x, less)}));
  output(op("Add", {kept(x, less), op("Mul", {op("Cast", {op("Not", {less})}, to(DType::kFloat32)), number(7)})}));
  rewrites("fuse-select", "Less Where Where", 0);
}

TEST_F(Choices, ByTwoConditionsStay) {
  const auto x = input("x", {kBatch, 5}), y = input("y", {kBatch, 5});
  const auto less = op("Less", {x, number(0)}), more = op("Less", {y, number(0)});
  output(op("Add", {kept(x, less), kept(y, op("Not", {more}))}));
  output(op("Add", {kept(x, less), kept(y, less)}));
  leaves("fuse-select");
}

TEST_F(Choices, HideScoresAsAMask) {
  output(attention(-3e38f, true));
  rewrites("fuse-attention", "Less Where Transpose Attention");
}

TEST_F(Choices, HideScoresByTheirSecond) {
  output(attention(-1e13f, false));
  rewrites("fuse-attention", "Less Where Transpose Attention");
}

TEST_F(Choices, OfNumbersThatScoresReachStay) {
  output(attention(-10000, true));
  leaves("fuse-attention");
}

TEST_F(Choices, ReadWhatAnExpandRepeats) {
  const auto x = input("x", {kBatch, 5}), row = input("row", {5}), y = input("y", {kBatch, 5});
  const auto wide = op("Expand", {row, op("Shape", {y})});
  output(op("Add", {x, wide}));
  output(op("Where", {op("Less", {x, number(0)}), y, wide}));
  output(op("Clip", {wide, ir::kNone, number(1)}));
  rewrites("drop-broadcasts", "Shape Expand Add Less Where Clip", 0);
}

TEST_F(Choices, WithTruthAreWhatTheyWere) {
  const auto x = input("x", {kBatch, 2, 5}), row = input("row", {1, 5});
  const auto truths = op("Expand", {truth(true), op("Shape", {x})});
  output(op("And", {truths, op("Less", {row, number(0)})}));
  rewrites("drop-broadcasts", "Shape Less Expand", 0);
}

TEST_F(Choices, AreCastBeforeTheyAreRepeated) {
  const auto x = input("x", {kBatch, 5});
  output(op("Cast", {op("Expand", {truth(true), op("Shape", {x})})}, to(DType::kFloat32)));
  rewrites("drop-broadcasts", "Shape Cast Expand", 0);
}

TEST_F(Choices, ThatOnlyAnExpandMakesAsLargeStay) {
  const auto x = input("x", {kBatch, 5}), row = input("row", {5}), one = input("one", {1, 5});
  output(op("Add", {one, op("Expand", {row, op("Shape", {x})})}));
  output(op("And", {op("Expand", {truth(false), op("Shape", {x})}), op("Less", {one, number(0)})}));
  leaves("drop-broadcasts");
}

TEST_F(Choices, OfSlopesMayBroadcastButNotWhatTheyAreFor) {
  const auto x = input("x", {kBatch, 5}), row = input("row", {5});
  const auto wide = op("Expand", {row, op("Shape", {x})});
  output(op("PRelu", {x, wide}));
  rewrites("drop-broadcasts", "PRelu", 0);
  output(op("PRelu", {op("Expand", {row, op("Shape", {x})}), x}));
  rewrites("drop-broadcasts", "PRelu Shape Expand PRelu", 0);
}

TEST_F(Choices, OfAShapeReadAnInput) {
  const auto q = input("q", {kBatch, 2, kLength, 4}), k = input("k", {kBatch, 2, 4, kLength});
  const auto scores = op("MatMul", {q, k});
  output(op("Shape", {scores}));
  output(op("Softmax", {scores}));
  rewrites("shape-from-input", "MatMul Softmax Shape Concat Gather", 0);
}

TEST_F(Choices, OfAShapeComputeNothingForIt) {
  const auto x = input("x", {kBatch, 5});
  output(op("Shape", {op("Transpose", {op("Concat", {x, x}, {{"axis", int64_t{0}}})})}));
  const auto y = input("y", {kBatch, kLength});
  output(op("Shape", {op("Transpose", {op("Exp", {y})})}));
  rewrites("shape-from-input", "Concat Transpose Shape Shape Gather", 0);
}

TEST_F(Choices, OfAShapeThatNoInputHasStay) {
  const auto x = input("x", {kBatch, 5}), y = input("y", {5, kLength});
  const auto product = op("MatMul", {x, y});
  output(op("Shape", {product}));
  output(op("Softmax", {product}));
  const auto twice = op("Add", {x, number(1)});
  output(op("Shape", {twice}));
  output(op("Exp", {twice}));
  output(op("Neg", {twice}));
  leaves("shape-from-input");
}

}  // namespace
}  // namespace onnxrun::optimize
