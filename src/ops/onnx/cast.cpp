// Cast and CastLike between all element types (ONNX Cast-28, CastLike-25), and BitCast-26.
#include <algorithm>
#include <cctype>

#include "ir/lowering.h"
#include "ir/op.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;

constexpr const char* kCastTypes =
    "T1: numeric bool string float8s float8e8m0 float6e2m3 float6e3m2 float4e2m1 int4 uint4 int2 uint2 | "
    "T2: numeric bool string float8s float8e8m0 float6e2m3 float6e3m2 float4e2m1 int4 uint4 int2 uint2";

DType target(const ir::InferContext& c) {
  const int64_t to = c.attributes().get_int("to", 0);
  if (!base::is_dtype(to)) c.fail("attribute 'to' of {} is {}, which is no element type", c.node().op->name, to);
  return static_cast<DType>(to);
}

void infer_cast_to(ir::InferContext& c, DType to) {
  const std::string mode = c.attributes().get_string("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    c.fail("attribute 'round_mode' of {} must be 'up', 'down' or 'nearest', not '{}'", c.node().op->name, mode);
  if (base::is_complex(to) || base::is_complex(c.dtype(0)))
    c.fail("{} does not convert {} to {}", c.node().op->name, base::dtype_name(c.dtype(0)), base::dtype_name(to));
  c.set(0, to, c.input(0).shape);
  const DType from = c.dtype(0);
  if (from != DType::kInt64 && from != DType::kInt32 && from != DType::kBool) return;
  if (to == DType::kBool)
    propagate(
        c, +[](const Dim& x) { return truth(x.is_constant(), x.value() != 0); });
  else
    propagate(
        c, +[](const Dim& x) { return x; });
}

void infer_cast(ir::InferContext& c) { infer_cast_to(c, target(c)); }

void infer_cast_like(ir::InferContext& c) {
  if (c.dtype(1) == DType::kNone) c.set(0, DType::kNone, c.input(0).shape);
  else infer_cast_to(c, c.dtype(1));
}

void infer_bit_cast(ir::InferContext& c) {
  const DType from = c.dtype(0), to = target(c);
  if (from == DType::kString || to == DType::kString) c.fail("BitCast does not take strings");
  if (from != DType::kNone && base::dtype_bits(from) != base::dtype_bits(to))
    c.fail("BitCast from {} to {}: the types must have as many bits", base::dtype_name(from), base::dtype_name(to));
  c.set(0, to, c.input(0).shape);
}

// The type was named by text before opset 6.
void lift_cast(ir::Expansion& e, int since) {
  if (since < 6 && e.attributes().has("to")) {
    if (const auto* text = std::get_if<std::string>(e.attributes().find("to"))) {
      std::string name = *text;
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char ch) { return static_cast<char>(std::tolower(ch)); });
      if (name == "float") name = "float32";
      if (name == "double") name = "float64";
      const auto dtype = base::parse_dtype(name);
      if (!dtype || *dtype == DType::kNone) e.fail("attribute 'to' of Cast-1 is '{}', which is no element type", *text);
      e.attributes().set("to", static_cast<int64_t>(*dtype));
    }
  }
  e.keep();
}

bool decompose_cast_like(ir::Expansion& e) {
  const DType to = e.fact(e.input(1)).dtype;
  if (to == DType::kNone) return false;
  ir::Attributes attributes = e.attributes();
  attributes.set("to", static_cast<int64_t>(to));
  e.finish("Cast", {e.input(0)}, std::move(attributes));
  return true;
}

// The names of TensorProto.DataType that Cast-1 takes.
std::string data_type_name(DType dtype) {
  if (dtype == DType::kFloat32) return "FLOAT";
  if (dtype == DType::kFloat64) return "DOUBLE";
  std::string name(base::dtype_name(dtype));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char ch) { return static_cast<char>(std::toupper(ch)); });
  return name;
}

void lower_cast(ir::Lowering& l, int opset) {
  // Only float8 types do not saturate, and those came with the attribute.
  if (opset < 19) l.attributes().erase("saturate");
  if (opset < 6) l.attributes().set("to", data_type_name(static_cast<DType>(l.attributes().get_int("to", 0))));
  l.keep();
}

}  // namespace

void define_onnx_cast(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "Cast",
             .versions = {1, 6, 9, 13, 19, 21, 23, 24, 25, 28},
             .signature = {.inputs = "input:T1",
                           .outputs = "output:T2",
                           .types = kCastTypes,
                           .attributes = "to:int!, saturate:int, round_mode:string"},
             .infer = infer_cast,
             .lift = lift_cast,
             .lower = lower_cast});
  table.add({.domain = "",
             .name = "CastLike",
             .versions = {15, 19, 21, 23, 24, 25},
             .signature = {.inputs = "input:T1, target_type:T2",
                           .outputs = "output:T2",
                           .types = kCastTypes,
                           .attributes = "saturate:int, round_mode:string"},
             .infer = infer_cast_like,
             .decompose = decompose_cast_like});
  table.add({.domain = "",
             .name = "BitCast",
             .versions = {26},
             .signature = {.inputs = "input:T1",
                           .outputs = "output:T2",
                           .types = "T1: numeric bool complex float8s float8e8m0 float4e2m1 int4 uint4 int2 uint2 | "
                                    "T2: numeric bool complex float8s float8e8m0 float4e2m1 int4 uint4 int2 uint2",
                           .attributes = "to:int!"},
             .infer = infer_bit_cast});
}

}  // namespace onnxrun::ops
