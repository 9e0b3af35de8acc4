// Casts from the type before a Cast that loses nothing.
#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::DType;

// Bits of an integer type without those of its sign, or of a float's significand; 0 for other types.
int digits(DType dtype) {
  switch (dtype) {
    case DType::kBool: return 1;
    case DType::kInt8: return 7;
    case DType::kUint8: return 8;
    case DType::kInt16: return 15;
    case DType::kUint16: return 16;
    case DType::kInt32: return 31;
    case DType::kUint32: return 32;
    case DType::kInt64: return 63;
    case DType::kUint64: return 64;
    case DType::kBfloat16: return 8;
    case DType::kFloat16: return 11;
    case DType::kFloat32: return 24;
    case DType::kFloat64: return 53;
    default: return 0;
  }
}

bool is_plain_float(DType dtype) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16 || dtype == DType::kFloat32 || dtype == DType::kFloat64;
}

// Whether every value of `from` is one of `to`.
bool keeps(DType from, DType to) {
  if (digits(from) == 0 || digits(from) > digits(to)) return false;
  // Two 16-bit floats have different ranges.
  if (is_plain_float(from))
    return from == to || to == DType::kFloat64 || (to == DType::kFloat32 && from != DType::kFloat64);
  return is_plain_float(to) ? true
                            : to != DType::kBool && (!base::is_signed_integer(from) || base::is_signed_integer(to));
}

}  // namespace

MatchResult match_merge_casts(const PassContext& context, ir::NodeId id) {
  const ir::Graph& graph = context.graph;
  const ir::Node& outer = graph.node(id);
  if (!is(outer, "Cast")) return MatchResult::none("no Cast");
  const ir::Node* inner = made_by(graph, outer.inputs[0], "Cast");
  if (inner == nullptr) return MatchResult::none("not of a Cast");
  const auto type = [&](ir::ValueId value) { return graph.value(value).fact.dtype; };
  const DType first = type(inner->inputs[0]), middle = type(inner->outputs[0]), last = type(outer.outputs[0]);
  if (!keeps(first, middle)) return MatchResult::none("the first one may lose something");
  // What goes out of range on its way to a narrower type depends on where it comes from.
  if (!keeps(first, last) && !(is_plain_float(last) && !is_plain_float(first)))
    return MatchResult::none("the second one may lose something");
  ir::Patch patch(graph, "merge Casts");
  patch.replace(outer.outputs[0], patch.emit(outer.op, {inner->inputs[0]}, outer.attributes, outer.name));
  patch.remove(id);
  if (read_once(graph, inner->outputs[0])) patch.remove(inner->id);
  return patch;
}

}  // namespace onnxrun::optimize
