// The passes that recognise what exporters spell out: pixel shuffles, normalised groups, products by letters, and small rewrites around them.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;
using ir::Attributes;
using ir::Dim;
using ir::ValueId;

using Recognition = PassTest;

const Dim kBatch = Dim::symbol("batch"), kHeight = Dim::symbol("height");

Attributes perm(std::vector<int64_t> axes) { return {{"perm", std::move(axes)}}; }
Attributes axis(int64_t value) { return {{"axis", value}}; }
Attributes equation(const char* text) { return {{"equation", std::string(text)}}; }

class PixelShuffle : public PassTest {
 protected:
  void shuffle(ir::Shape from, std::vector<int64_t> six, std::vector<int64_t> order, std::vector<int64_t> four) {
    const auto x = input("x", std::move(from));
    output(op("Reshape", {op("Transpose",
                             {
                                 op("Reshape", {x, ints(std::move(six))}),
                             },
                             perm(std::move(order))),
                          ints(std::move(four))}));
  }
};

TEST_F(PixelShuffle, ColumnsFirst) {
  shuffle({kBatch, 12, 2, 5}, {-1, 3, 2, 2, 2, 5}, {0, 1, 4, 2, 5, 3}, {-1, 3, 4, 10});
  rewrites("fuse-depth-to-space", "DepthToSpace", 0);
}

TEST_F(PixelShuffle, DepthFirst) {
  shuffle({2, 12, 2, 5}, {2, 2, 2, 3, 2, 5}, {0, 3, 4, 1, 5, 2}, {2, 3, 4, 10});
  rewrites("fuse-depth-to-space", "DepthToSpace", 0);
}

TEST_F(PixelShuffle, Back) {
  shuffle({2, 3, 4, 10}, {2, 3, 2, 2, 5, 2}, {0, 3, 5, 1, 2, 4}, {2, 12, 2, 5});
  rewrites("fuse-depth-to-space", "SpaceToDepth", 0);
}

TEST_F(PixelShuffle, OfBlocksThatAreNotSquareStays) {
  shuffle({2, 12, 2, 5}, {2, 2, 2, 3, 2, 5}, {0, 1, 4, 2, 5, 3}, {2, 2, 4, 15});
  leaves("fuse-depth-to-space");
}

TEST_F(PixelShuffle, OfOtherOrderStays) {
  shuffle({2, 12, 2, 5}, {2, 3, 2, 2, 2, 5}, {0, 1, 4, 3, 5, 2}, {2, 3, 4, 10});
  leaves("fuse-depth-to-space");
}

class GroupNormalization : public PassTest {
 protected:
  ValueId groups(ValueId x, int64_t count, float scale, std::vector<int64_t> back) {
    const auto vector = [&](float value) {
      Tensor tensor(base::DType::kFloat32, {count});
      std::fill_n(tensor.mutable_data<float>(), count, value);
      return constant(std::move(tensor));
    };
    const auto norm = op("InstanceNormalization", {op("Reshape", {x, ints({0, count, -1})}), vector(scale), vector(0)},
                         {{"epsilon", 1e-3f}});
    return op("Reshape", {norm, ints(std::move(back))});
  }
};

TEST_F(GroupNormalization, WithFactorsAndShifts) {
  const auto x = input("x", {2, 6, 4, 5});
  output(op("Add", {op("Mul", {groups(x, 3, 1, {2, 6, 4, 5}), weights({6, 1, 1})}), weights({1, 6, 1, 1})}));
  output(groups(x, 2, 1, {2, 6, 4, 5}));
  rewrites("fuse-group-normalization", "GroupNormalization GroupNormalization", 1e-4);
}

TEST_F(GroupNormalization, OfOtherFormsStays) {
  const auto x = input("x", {2, 6, 4, 5});
  output(groups(x, 3, 2, {2, 6, 4, 5}));  // factors of groups
  output(groups(x, 3, 1, {2, 6, 5, 4}));  // another shape
  leaves("fuse-group-normalization");
}

TEST_F(Recognition, EinsumsThatAreProducts) {
  const auto a = input("a", {kBatch, 2, 4, 5}), b = input("b", {kBatch, 2, 5, 3}), k = input("k", {kBatch, 2, 6, 5});
  output(op("Einsum", {a, b}, equation("bhqd,bhdn->bhqn")));
  output(op("Einsum", {a, k}, equation("bhqd,bhkd->bhqk")));
  output(op("Einsum", {input("x", {3, 5}), input("y", {5, 4})}, equation("ij,jk->ki")));
  output(op("Einsum", {input("s", {3, 2, 5}), input("t", {3, 7, 2})}, equation("bji,bkj->bik")));
  rewrites("replace-einsum", "MatMul Transpose MatMul Transpose Transpose MatMul Transpose Transpose MatMul");
}

TEST_F(Recognition, OtherEinsumsStay) {
  const auto a = input("a", {3, 5}), b = input("b", {5, 4});
  output(op("Einsum", {a, b}, equation("ij,jk->ijk")));
  output(op("Einsum", {a, b}, equation("ij,jk->i")));
  output(op("Einsum", {a, a}, equation("ij,ij->ij")));
  output(op("Einsum", {a}, equation("ij->ji")));
  output(op("Einsum", {input("s", {2, 3, 5}), input("t", {1, 5, 4})}, equation("bij,bjk->bik")));  // b broadcasts
  output(op("Einsum", {input("u", {4, 3, 3}), b}, equation("kii,nk->in")));
  leaves("replace-einsum");
}

TEST_F(Recognition, EinsumsThatProjectHeads) {
  const auto x = input("x", {kBatch, 3, 6});
  const auto heads = op("Einsum", {x, weights({6, 2, 4})}, equation("abc,cde->abde"));
  output(op("Einsum", {heads, weights({2, 4, 5})}, equation("abde,def->abf")));
  rewrites("replace-einsum-projection", "Reshape MatMul Reshape Reshape Reshape MatMul");
}

TEST_F(Recognition, OtherProjectionsStay) {
  const auto x = input("x", {kBatch, 3, 6});
  output(op("Einsum", {x, weights({6, 2, 4})}, equation("abc,cde->adbe")));
  output(op("Einsum", {x, weights({2, 6, 4})}, equation("abc,dce->abde")));
  output(op("Einsum", {x, weights({6, 4})}, equation("abc,cd->abd")));
  output(op("Einsum", {input("y", {kBatch, 3, 1}), weights({6, 2, 4})}, equation("abc,cde->abde")));  // c broadcasts
  leaves("replace-einsum-projection");
}

TEST_F(Recognition, LogarithmsOfShares) {
  const auto x = input("x", {kBatch, 5});
  output(op("Log", {op("Softmax", {x}, axis(0))}));
  rewrites("fuse-log-softmax", "LogSoftmax", 1e-4);
}

TEST_F(Recognition, SharesThatAreReadElsewhereStay) {
  const auto y = op("Softmax", {input("x", {kBatch, 5})});
  output(y);
  output(op("Log", {y}));
  leaves("fuse-log-softmax");
}

TEST_F(Recognition, TheLargestShareIsTheLargestElement) {
  const auto x = input("x", {kBatch, 5});
  output(op("ArgMax", {op("Softmax", {x})}, axis(1)));
  output(op("ArgMax", {op("LogSoftmax", {x})}, axis(1)));
  rewrites("drop-monotone", "ArgMax ArgMax", 0);
}

TEST_F(Recognition, TheLargestOfOtherFunctionsStays) {
  const auto x = input("x", {kBatch, 5});
  output(op("ArgMax", {op("Softmax", {x}, axis(0))}, axis(1)));
  output(op("ArgMax", {op("Tanh", {x})}));  // 1 for all that is large
  output(op("ArgMin", {op("Softmax", {x})}, axis(1)));
  const auto y = op("Exp", {x});
  output(y);
  output(op("ArgMax", {y}));
  leaves("drop-monotone");
}

TEST_F(Recognition, ReducedAxesAreKept) {
  const auto x = input("x", {kBatch, 4, 5});
  output(op("Unsqueeze", {op("ReduceSum", {x, ints({-1, 0})}, {{"keepdims", int64_t{0}}}), ints({0, 2})}));
  output(op("Unsqueeze", {op("ArgMax", {x}, {{"axis", int64_t{1}}, {"keepdims", int64_t{0}}}), ints({-2})}));
  rewrites("merge-reduce-unsqueeze", "ReduceSum ArgMax", 0);
}

TEST_F(Recognition, OtherAxesThatArePutBackStay) {
  const auto x = input("x", {kBatch, 4, 5});
  output(op("Unsqueeze", {op("ReduceMax", {x, ints({1})}, {{"keepdims", int64_t{0}}}), ints({2})}));
  output(op("Unsqueeze", {op("ReduceMax", {x, ints({1})}), ints({1})}));
  leaves("merge-reduce-unsqueeze");
}

TEST_F(Recognition, AChoiceByNotIsTheOther) {
  const auto x = input("x", {kBatch, 5}), y = input("y", {kBatch, 5});
  output(op("Where", {op("Not", {op("Less", {x, y})}), x, y}));
  rewrites("turn-where", "Less Where", 0);
}

TEST_F(Recognition, AChoiceByAnythingElseStays) {
  const auto x = input("x", {kBatch, 5}), y = input("y", {kBatch, 5});
  output(op("Where", {op("Less", {x, y}), x, y}));
  leaves("turn-where");
}

class DynamicQuantization : public PassTest {
 protected:
  ValueId product(const std::vector<ValueId>& quantized) {
    Tensor weights(base::DType::kInt8, {5, 4});
    for (int8_t i = 0; i < 20; ++i) weights.mutable_data<int8_t>()[i] = static_cast<int8_t>(7 * i - 60);
    const auto sums = op("MatMulInteger", {quantized[0], constant(std::move(weights)), quantized[2]});
    return op("Mul", {op("Cast", {sums}, {{"to", int64_t{1}}}), op("Mul", {quantized[1], number(0.25f)})});
  }
};

TEST_F(DynamicQuantization, IsPartOfTheProduct) {
  output(product(op_many("DynamicQuantizeLinear", {input("x", {kBatch, 5})}, 3)));
  rewrites("fuse-integer-product", "DynamicQuantizeLinear MatMulIntegerToFloat", 0);
  rewrites("fuse-dynamic-quantization", "DynamicQuantizeMatMul");
}

TEST_F(DynamicQuantization, OfSeveralProductsStays) {
  const auto quantized = op_many("DynamicQuantizeLinear", {input("x", {kBatch, 5})}, 3);
  output(product(quantized));
  output(product(quantized));
  rewrites("fuse-integer-product", "DynamicQuantizeLinear MatMulIntegerToFloat MatMulIntegerToFloat", 0);
  leaves("fuse-dynamic-quantization");
}

}  // namespace
}  // namespace onnxrun::optimize
