// Chains of elementwise operators in one pass over memory: to the last bit what they are one by one.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::ValueId;

using Elementwise = PassTest;

const Dim kBatch = Dim::symbol("batch");

TEST_F(Elementwise, OperandsOfEveryShape) {
  const auto x = input("x", {kBatch, 6, 40}), y = input("y", {kBatch, 6, 40});
  const auto sum = op("Add", {op("Mul", {x, weights({6, 1})}), weights({40})});
  output(op("Sub", {op("Sigmoid", {op("Div", {sum, number(3)})}), op("Tanh", {y})}));
  rewrites("fuse-elementwise", "Elementwise", 0);
}

TEST_F(Elementwise, EveryOperator) {
  const auto x = input("x", {kBatch, 700});
  for (const char* name : {"Abs",      "Neg",  "Exp",  "Sqrt",  "Log",       "Reciprocal", "Erf",
                           "Tanh",     "Sin",  "Cos",  "Relu",  "Sigmoid",   "HardSwish",  "Softplus",
                           "Softsign", "Mish", "Gelu", "Swish", "LeakyRelu", "Elu",        "HardSigmoid"})
    output(op(name, {op("Mul", {x, x})}));
  for (const char* name : {"Add", "Sub", "Mul", "Div", "Min", "Max"})
    output(op(name, {op("Neg", {x}), weights({700})}));
  output(op("Gelu", {op("Neg", {x})}, {{"approximate", std::string("tanh")}}));
  output(op("LeakyRelu", {op("Neg", {x})}, {{"alpha", 0.3f}}));
  output(op("HardSigmoid", {op("Neg", {x})}, {{"alpha", 0.3f}, {"beta", 0.4f}}));
  output(op("Clip", {op("Neg", {x}), number(-1), number(2)}));
  output(op("Clip", {op("Neg", {x}), number(0.5f)}));
  std::string expected;
  for (int i = 0; i < 32; ++i) expected += expected.empty() ? "Elementwise" : " Elementwise";
  rewrites("fuse-elementwise", expected, 0);
}

TEST_F(Elementwise, ValuesReadTwiceInAChain) {
  const auto x = input("x", {kBatch, 700});
  const auto y = op("Add", {x, number(1)});
  output(op("Mul", {op("Sigmoid", {y}), y}));
  rewrites("fuse-elementwise", "Elementwise", 0);
}

TEST_F(Elementwise, LongChainsInPieces) {
  auto x = input("x", {kBatch, 70});
  for (int i = 0; i < 19; ++i) x = op(i % 2 == 0 ? "Tanh" : "Neg", {x});
  output(x);
  rewrites("fuse-elementwise", "Elementwise Elementwise Elementwise", 0);
}

TEST_F(Elementwise, SinglesAndWhatOthersReadStay) {
  const auto x = input("x", {kBatch, 70});
  const auto y = op("Neg", {x});
  output(op("Exp", {y}));
  output(op("Softmax", {y}));
  leaves("fuse-elementwise");
}

TEST_F(Elementwise, ResultsThatAreBroadcastStayApart) {
  const auto column = op("Exp", {input("x", {kBatch, 1})});
  output(op("Mul", {column, input("y", {kBatch, 70})}));
  leaves("fuse-elementwise");
}

TEST_F(Elementwise, AMaskBeforeASoftmax) {
  const auto x = input("x", {kBatch, 4, 37});
  output(op("Softmax", {op("Add", {x, input("mask", {kBatch, 1, 37})})}));
  output(op("Softmax", {op("Add", {weights({4, 1}), x})}, {{"axis", int64_t{2}}}));
  output(op("Softmax", {op("Add", {x, number(1)})}));
  output(op("Softmax", {op("Add", {input("none", {0, 3}), weights({3})})}));
  rewrites("fuse-softmax-mask", "MaskedSoftmax MaskedSoftmax MaskedSoftmax MaskedSoftmax", 0);
}

TEST_F(Elementwise, OtherSoftmaxesStay) {
  const auto x = input("x", {kBatch, 4, 5});
  output(op("Softmax", {op("Add", {x, weights({4, 5})})}, {{"axis", int64_t{1}}}));
  output(op("Softmax", {op("Add", {input("row2", {1, 5}), input("column", {4, 1})})}));
  const auto sum = op("Add", {x, x});
  output(sum);
  output(op("Softmax", {sum}));
  leaves("fuse-softmax-mask");
}

TEST_F(Elementwise, SmallAndEmptyShapes) {
  output(op("Neg", {op("Exp", {input("a", {})})}));
  output(op("Neg", {op("Exp", {input("b", {0, 3})})}));
  output(op("Neg", {op("Add", {input("c", {5, 3}), input("d", {5, 1})})}));
  rewrites("fuse-elementwise", "Elementwise Elementwise Elementwise", 0);
}

}  // namespace
}  // namespace onnxrun::optimize
