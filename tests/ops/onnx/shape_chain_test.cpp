// Chains of shape arithmetic resolve by inference alone, with symbolic dims carried through.
#include <gtest/gtest.h>

#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::Fact;
using ir::Shape;

const Dim kBatch = Dim::symbol("batch");
const Dim kSequence = Dim::symbol("sequence");

Fact known(std::vector<int64_t> values) { return Fact::of(int64s(std::move(values))); }
Fact known_scalar(int64_t value) { return Fact::of(base::Tensor::scalar<int64_t>(value)); }
Fact infer_one(const std::string& op, std::vector<Fact> inputs, ir::Attributes attributes = {}) {
  return infer_op(op, std::move(inputs), std::move(attributes))[0];
}

TEST(ShapeChain, HeadsOfAttention) {
  const Fact hidden = Fact::tensor(DType::kFloat32, {kBatch, kSequence, Dim(768)});
  const Fact shape = infer_one("Shape", {hidden});
  const Fact batch = infer_one("Gather", {shape, known_scalar(0)});
  const Fact length = infer_one("Slice", {shape, known({1}), known({2})});
  const Fact first = infer_one("Unsqueeze", {batch, known({0})});
  const Fact target = infer_one("Concat", {first, length, known({12}), known({-1})}, {{"axis", int64_t{0}}});
  EXPECT_EQ(infer_one("Reshape", {hidden, target}).to_string(), "float32[batch,sequence,12,64]");
  const Fact heads =
      infer_one("Transpose", {infer_one("Reshape", {hidden, target})}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  EXPECT_EQ(heads.to_string(), "float32[batch,12,64,sequence]");
}

TEST(ShapeChain, OpenDimOfReshapeCancelsEqualDims) {
  const Fact data = Fact::tensor(DType::kFloat32, {kBatch, Dim(12), kSequence, Dim(64)});
  EXPECT_EQ(infer_one("Reshape", {data, known({0, -1})}).to_string(), "float32[batch,768*sequence]");
  EXPECT_EQ(infer_one("Reshape", {data, known({-1, 64})}).to_string(), "float32[12*batch*sequence,64]");
}

TEST(ShapeChain, SlicesOfSymbolicDims) {
  const Fact data = Fact::tensor(DType::kFloat32, {kSequence, Dim(8)});
  EXPECT_EQ(infer_one("Slice", {data, known({0}), known({INT64_MAX})}).to_string(), "float32[sequence,8]");
  EXPECT_EQ(infer_one("Slice", {data, known({1}), known({INT64_MAX})}).to_string(), "float32[max(0, sequence - 1),8]");
  EXPECT_EQ(infer_one("Slice", {data, known({-1}), known({INT64_MIN}), known({0}), known({-1})}).to_string(),
            "float32[sequence,8]");
  EXPECT_EQ(infer_one("Slice", {data, known({2}), known({-1}), known({1}), known({2})}).to_string(),
            "float32[sequence,3]");
}

TEST(ShapeChain, RowsOfATableFitTheSequence) {
  const Fact table = Fact::tensor(DType::kInt64, {Dim(1), Dim(512)});
  const Fact length = infer_one("Shape", {Fact::tensor(DType::kInt64, {kSequence})});
  const Fact rows = infer_one("Slice", {table, known({0}), length, known({1})});
  EXPECT_EQ(rows.to_string(), "int64[1,min(512, sequence)]");
  const Fact ids = Fact::tensor(DType::kInt64, {kBatch, kSequence});
  EXPECT_EQ(infer_one("Add", {ids, rows}).to_string(), "int64[batch,sequence]");
  EXPECT_EQ(infer_one("Add", {rows, ids}).to_string(), "int64[batch,sequence]");
  EXPECT_EQ(infer_one("Add", {Fact::tensor(DType::kInt64, {kBatch}), rows}).to_string(), "int64[1,?]");
}

TEST(ShapeChain, RangeOfASymbol) {
  const Fact length = infer_one("Size", {Fact::tensor(DType::kFloat32, {kSequence})});
  EXPECT_EQ(infer_one("Range", {known_scalar(0), length, known_scalar(1)}).to_string(), "int64[sequence]");
}

TEST(ShapeChain, SplitOfAShape) {
  const Fact shape = infer_one("Shape", {Fact::tensor(DType::kFloat32, {kBatch, kSequence})});
  const auto parts = infer_op("Split", {shape}, {{"num_outputs", int64_t{2}}}, 2);
  EXPECT_EQ(parts[1].elements->front(), kSequence);
}

TEST(ShapeChain, WhatCannotFitIsRefused) {
  const Fact data = Fact::tensor(DType::kFloat32, {Dim(2), Dim(3)});
  EXPECT_THROW(infer_one("Reshape", {data, known({4, -1})}), base::Error);
  EXPECT_THROW(infer_one("Reshape", {data, known({-1, -1})}), base::Error);
  EXPECT_THROW(infer_one("Reshape", {data, known({2, 2})}), base::Error);
  EXPECT_THROW(infer_one("Squeeze", {data, known({0})}), base::Error);
  EXPECT_THROW(infer_one("Transpose", {data}, {{"perm", std::vector<int64_t>{0, 0}}}), base::Error);
  EXPECT_THROW(infer_one("Gather", {data, known({0})}, {{"axis", int64_t{2}}}), base::Error);
  EXPECT_THROW(infer_one("Expand", {data, known({3, 3})}), base::Error);
  EXPECT_THROW(infer_one("Pad", {data, known({-3, 0, 0, 0})}), base::Error);
  EXPECT_THROW(infer_one("DepthToSpace", {Fact::tensor(DType::kFloat32, ir::make_shape({1, 4, 2, 2}))},
                         {{"blocksize", int64_t{1} << 32}}),
               base::Error);
  EXPECT_THROW(infer_one("ConstantOfShape", {known({-1})}), base::Error);
  EXPECT_THROW(infer_one("ConstantOfShape", {known(std::vector<int64_t>(100, 1))}), base::Error);
}

}  // namespace
}  // namespace onnxrun::ops
