// Equal, Greater, Less, GreaterOrEqual and LessOrEqual.
#include "ir/op.h"
#include "ops/activation_bodies.h"
#include "ops/elementwise.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;

// a - b where that is a number.
std::optional<int64_t> distance(const Dim& a, const Dim& b) {
  const Dim difference = a - b;
  if (!difference.is_constant()) return std::nullopt;
  return difference.value();
}

Dim equal(const Dim& a, const Dim& b) {
  const auto d = distance(a, b);
  // A size is never a negative number, such as the -1 that stands for "infer me" in a reshape.
  const auto size_against_negative = [](const Dim& size, const Dim& number) {
    return number.is_constant() && number.value() < 0 && size.is_symbolic() &&
           size.to_string().find('-') == std::string::npos;
  };
  if (!d && (size_against_negative(a, b) || size_against_negative(b, a))) return Dim(0);
  return truth(d.has_value(), d == 0);
}
Dim greater(const Dim& a, const Dim& b) {
  const auto d = distance(a, b);
  return truth(d.has_value(), d > 0);
}
Dim less(const Dim& a, const Dim& b) { return greater(b, a); }
Dim greater_or_equal(const Dim& a, const Dim& b) {
  const auto d = distance(a, b);
  return truth(d.has_value(), d >= 0);
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
