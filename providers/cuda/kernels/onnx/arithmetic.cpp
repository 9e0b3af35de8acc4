// Add to Div, Mod, Pow, PRelu, the bitwise operators and the comparisons, with broadcasting.
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

bool whole(const Node& node) { return base::is_integer(dtype(node.input(0))); }

struct SameType {
  static BinaryLaunch find(const Node& node) {
    const std::string op = std::string(node.op()) + (node.op() == "BitShift" ? node.get_string("direction") : "");
    return find_binary(op, dtype(node.input(0)));
  }
  static Formula formula(const Node& node) {
    Formula result;
    result.alpha = static_cast<float>(node.get_int("fmod", 0));
    return result;
  }
  static const char* failure(const Node& node) {
    if (!whole(node)) return nullptr;
    if (node.op() == "Div") return "Div: an element of the integer input 'B' is 0";
    return node.op() == "Mod" ? "Mod: an element of the integer input 'B' is 0" : nullptr;
  }
};

struct Comparison {
  static BinaryLaunch find(const Node& node) { return find_comparison(node.op(), dtype(node.input(0))); }
  static Formula formula(const Node&) { return {}; }
  static const char* failure(const Node&) { return nullptr; }
};

struct Power {
  static BinaryLaunch find(const Node& node) { return find_pow(dtype(node.input(0)), dtype(node.input(1))); }
  static Formula formula(const Node&) { return {}; }
  static const char* failure(const Node& node) { return whole(node) ? "Pow: 0 to a negative power" : nullptr; }
};

}  // namespace

void kernels_onnx_arithmetic(provider::KernelTable& table) {
  for (const char* op :
       {"Add", "Sub", "Mul", "Div", "Mod", "PRelu", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"})
    add<Binary<SameType>>(table, "", op, "map");
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"})
    add<Binary<Comparison>>(table, "", op, "map");
  add<Binary<Power>>(table, "", "Pow", "map");
}

}  // namespace onnxrun::cuda
