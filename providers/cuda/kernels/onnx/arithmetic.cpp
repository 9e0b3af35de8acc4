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

// Exponents of the other integer types, converted first to one that holds them.
class CastPower {
 public:
  static Acceptance accepts(const Node& node) {
    const DType exponent = dtype(node.input(1));
    const bool known = base::is_integer(exponent) && find_cast(exponent, converted(node)) != nullptr;
    return known && find_pow(dtype(node.input(0)), converted(node)) != nullptr ? Acceptance() : no_kernel(node);
  }
  explicit CastPower(const Node& node)
      : cast_(find_cast(dtype(node.input(1)), converted(node))),
        launch_(find_pow(dtype(node.input(0)), converted(node))),
        axes_(broadcast_walk<2>(node)),
        exponents_(provider::count(node.input(1))),
        whole_(whole(node)) {}
  size_t scratch_bytes() const {
    return static_cast<size_t>(base::checked_mul(exponents_, static_cast<int64_t>(sizeof(int64_t))));
  }
  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    cast_(queue, context.input(1).data, context.scratch(), exponents_);
    Formula formula;
    if (whole_) formula.report = stream_of(context).expect("Pow: 0 to a negative power");
    launch_(queue, formula, axes_, context.input(0).data, context.scratch(), context.output(0).data);
  }

 private:
  static DType converted(const Node& node) {
    const DType exponent = dtype(node.input(1));
    return exponent == DType::kUint64 || !whole(node) ? DType::kFloat64 : DType::kInt64;
  }
  CastLaunch cast_;
  BinaryLaunch launch_;
  Axes<2> axes_;
  int64_t exponents_;
  bool whole_;
};

}  // namespace

void kernels_onnx_arithmetic(provider::KernelTable& table) {
  for (const char* op :
       {"Add", "Sub", "Mul", "Div", "Mod", "PRelu", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitShift"})
    add<Binary<SameType>>(table, "", op, "map");
  for (const char* op : {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Xor"})
    add<Binary<Comparison>>(table, "", op, "map");
  add<Binary<Power>>(table, "", "Pow", "map");
  add<CastPower>(table, "", "Pow", "cast");
}

}  // namespace onnxrun::cuda
