// Abs to Reciprocal, the trigonometric and hyperbolic functions, BitwiseNot, Not, IsNaN and IsInf.
#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

struct Choice {
  static UnaryLaunch find(const Node& node) { return find_unary(node.op(), dtype(node.input(0))); }
  static Formula formula(const Node&) { return {}; }
};

struct Predicate {
  static UnaryLaunch find(const Node& node) { return find_predicate(node.op(), dtype(node.input(0))); }
  static Formula formula(const Node& node) {
    Formula result;
    result.alpha = node.get_int("detect_negative", 1) != 0 ? 1.0f : 0.0f;
    result.beta = node.get_int("detect_positive", 1) != 0 ? 1.0f : 0.0f;
    return result;
  }
};

}  // namespace

void kernels_onnx_unary(provider::KernelTable& table) {
  for (const char* op :
       {"Abs", "Neg", "Sign", "Ceil", "Floor", "Round", "Sqrt", "Exp",  "Log",   "Erf",   "Reciprocal", "Sin",
        "Cos", "Tan", "Asin", "Acos", "Atan",  "Sinh",  "Cosh", "Tanh", "Asinh", "Acosh", "Atanh",      "BitwiseNot"})
    add<Unary<Choice>>(table, "", op, "map");
  for (const char* op : {"Not", "IsNaN", "IsInf"}) add<Unary<Predicate>>(table, "", op, "map");
}

}  // namespace onnxrun::cuda
