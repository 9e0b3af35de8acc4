// Equal, Greater, Less, GreaterOrEqual and LessOrEqual.
#include "ir/op.h"
#include "ops/activation_bodies.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

Dim equal(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  const ir::DimRange range = ir::range_of_difference(a, b);
  return truth(!range.holds(0) || range.low == range.high, range.holds(0));
}
Dim greater(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  const ir::DimRange range = ir::range_of_difference(a, b);
  return truth(range.low > 0 || range.high <= 0, range.low > 0);
}
Dim less(const Dim& a, const Dim& b) { return greater(b, a); }
Dim greater_or_equal(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  const ir::DimRange range = ir::range_of_difference(a, b);
  return truth(range.low >= 0 || range.high < 0, range.low >= 0);
}
Dim less_or_equal(const Dim& a, const Dim& b) { return greater_or_equal(b, a); }

template <Dim (*kFunction)(const Dim&, const Dim&)>
void infer_compare(ir::InferContext& c) {
  infer_broadcast_bool(c);
  propagate(c, kFunction);
}

struct Entry {
  const char* name;
  std::vector<int> versions;
  const char* types;
  void (*infer)(ir::InferContext&);
  bool (*decompose)(ir::Expansion&) = nullptr;
};

}  // namespace

void define_onnx_compare(ir::OpTable& table) {
  const Entry entries[] = {
      {"Equal", {1, 7, 11, 13, 19}, "T: numeric bool string", infer_compare<equal>},
      {"Greater", {1, 7, 9, 13}, "T: numeric", infer_compare<greater>},
      {"Less", {1, 7, 9, 13}, "T: numeric", infer_compare<less>},
      {"GreaterOrEqual", {12, 16}, "T: numeric", infer_compare<greater_or_equal>, decompose_greater_or_equal},
      {"LessOrEqual", {12, 16}, "T: numeric", infer_compare<less_or_equal>, decompose_less_or_equal},
  };
  for (const Entry& entry : entries)
    table.add({.domain = "",
               .name = entry.name,
               .versions = entry.versions,
               .signature = {.inputs = "A:T, B:T", .outputs = "C:bool", .types = entry.types},
               .infer = entry.infer,
               .lift = lift_limited_broadcast,
               .lower = lower_limited_broadcast,
               .decompose = entry.decompose});
}

}  // namespace onnxrun::ops
