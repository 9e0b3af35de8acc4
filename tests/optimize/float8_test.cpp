// Products of float8: which the pass makes and which it leaves, by what a device's kernels take and the caller allows.
#include <algorithm>
#include <string_view>

#include "base/floats.h"
#include "ir/op.h"
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using base::DType;
using base::Tensor;
using ir::ValueId;

constexpr DType kE4M3 = DType::kFloat8E4M3FN, kE5M2 = DType::kFloat8E5M2;

// Of a device that multiplies float8, or of one that does not, with the caller's leave to round products or without.
class Device final : public ir::Capabilities {
 public:
  bool accepts(const ir::Graph&, const ir::Node&) override { return multiplies; }
  bool rounds_products() const override { return rounds; }
  bool multiplies = true, rounds = true;
};

class Float8 : public PassTest {
 protected:
  Float8() { capabilities_ = &device_; }

  ValueId scales(base::Dims dims) {
    Tensor tensor(DType::kFloat32, std::move(dims));
    for (int64_t i = 0; i < tensor.count(); ++i) tensor.mutable_data<float>()[i] = 0.25f * static_cast<float>(1 + i);
    return constant(std::move(tensor));
  }
  // Codes of numbers from 1 on.
  ValueId codes(base::Dims dims, DType type = kE4M3) {
    Tensor tensor(type, std::move(dims));
    for (int64_t i = 0; i < tensor.count(); ++i)
      static_cast<uint8_t*>(tensor.mutable_raw())[i] = base::encode_minifloat(type, static_cast<float>(1 + i));
    return constant(std::move(tensor));
  }
  ValueId narrowed(const std::string& name, ir::Shape shape, DType type = kE4M3) {
    return op("Cast", {input(name, std::move(shape))}, {{"to", static_cast<int64_t>(type)}});
  }
  ValueId activations() { return op("DequantizeLinear", {narrowed("x", {ir::Dim::symbol("b"), 7, 4}), number(0.5f)}); }
  ValueId weights() { return op("DequantizeLinear", {codes({4, 3}), number(0.5f)}); }

  const ir::Node& product() const {
    const ir::Node* found = nullptr;
    for (const ir::NodeId id : graph_.topological_order())
      if (std::string_view(graph_.node(id).op->name) == "GemmFloat8") found = &graph_.node(id);
    return *found;
  }
  const Tensor& stored() const { return graph_.value(product().inputs[1]).fact.constant; }

  Device device_;
};

TEST_F(Float8, ProductsTakeTheirBiasAlong) {
  output(op("Add", {input("c", {3}), op("MatMul", {activations(), weights()})}));
  rewrites("fuse-float8-product", "Cast GemmFloat8");
}

TEST_F(Float8, ConstantWeightsAreStoredAlongTheDepth) {
  output(op("MatMul", {activations(), weights()}));
  rewrites("fuse-float8-product", "Cast GemmFloat8");
  EXPECT_EQ(stored().dims(), (base::Dims{3, 4}));
}

TEST_F(Float8, TransposedWeightsAreReadAsTheyLie) {
  const ValueId w = op("DequantizeLinear", {codes({3, 4}, kE5M2), scales({3})}, {{"axis", int64_t{0}}});
  output(op("MatMul", {activations(), op("Transpose", {w}, {{"perm", std::vector<int64_t>{1, 0}}})}));
  rewrites("fuse-float8-product", "Cast GemmFloat8");
  EXPECT_EQ(stored().dims(), (base::Dims{3, 4}));
}

TEST_F(Float8, GemmKeepsItsFactors) {
  Tensor zero(kE5M2, {});
  *static_cast<uint8_t*>(zero.mutable_raw()) = 0x80;
  const ValueId a = op("DequantizeLinear", {narrowed("x", {4, 9}, kE5M2), number(0.5f), constant(std::move(zero))});
  output(op("Gemm", {a, weights(), input("c", {9, 1})}, {{"alpha", 2.0f}, {"beta", 3.0f}, {"transA", int64_t{1}}}));
  rewrites("fuse-float8-product", "Cast GemmFloat8");
}

TEST_F(Float8, ScalesOfColumnsGoAlong) {
  const ValueId b = op("DequantizeLinear", {codes({4, 3}), scales({3})}, {{"axis", int64_t{-1}}});
  output(op("MatMul", {activations(), b}));
  rewrites("fuse-float8-product", "Cast GemmFloat8");
}

TEST_F(Float8, ResultsOf16BitsNeedNoLeave) {
  device_.rounds = false;
  const auto half = [&] { return constant(Tensor::scalar(base::Float16(0.5f))); };
  const ValueId a = op("DequantizeLinear", {narrowed("x", {9, 4}), half()});
  const ValueId b = op("DequantizeLinear", {codes({4, 3}), half()});
  output(op("Cast", {op("MatMul", {a, b})}, {{"to", static_cast<int64_t>(DType::kFloat32)}}));
  rewrites("fuse-float8-product", "Cast GemmFloat8 Cast", 2e-3);
}

TEST_F(Float8, ProductsStayWithoutAKernel) {
  device_.multiplies = false;
  output(op("MatMul", {activations(), weights()}));
  leaves("fuse-float8-product");
}

TEST_F(Float8, ProductsOfFloat32StayWithoutLeave) {
  device_.rounds = false;
  output(op("MatMul", {activations(), weights()}));
  leaves("fuse-float8-product");
}

TEST_F(Float8, ScalesAlongTheDepthAndOfLinesStay) {
  const ValueId b = op("DequantizeLinear", {codes({4, 3}), scales({4})}, {{"axis", int64_t{0}}});
  output(op("MatMul", {activations(), b}));
  const ValueId a = op("DequantizeLinear", {narrowed("y", {9, 4}), scales({9})}, {{"axis", int64_t{0}}});
  output(op("MatMul", {a, weights()}));
  leaves("fuse-float8-product");
}

TEST_F(Float8, BlocksOtherTypesAndStacksOfWeightsStay) {
  const ValueId blocks =
      op("DequantizeLinear", {codes({4, 3}), scales({2, 3})}, {{"axis", int64_t{0}}, {"block_size", int64_t{2}}});
  output(op("MatMul", {activations(), blocks}));
  const ValueId stack = op("DequantizeLinear", {narrowed("s", {3, 4, 3}), number(0.5f)});
  output(op("MatMul", {op("DequantizeLinear", {narrowed("y", {9, 4}), number(0.5f)}), stack}));
  const ValueId other = op("DequantizeLinear", {codes({4, 3}, DType::kFloat8E4M3FNUZ), number(0.5f)});
  output(op("MatMul", {op("DequantizeLinear", {narrowed("z", {9, 4}), number(0.5f)}), other}));
  leaves("fuse-float8-product");
}

TEST_F(Float8, ABiasOfRowsStays) {
  output(op("Add", {op("MatMul", {activations(), weights()}), input("c", {7, 1})}));
  rewrites("fuse-float8-product", "Cast GemmFloat8 Add");
}

}  // namespace
}  // namespace onnxrun::optimize
