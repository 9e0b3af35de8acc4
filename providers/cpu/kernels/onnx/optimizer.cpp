// Adagrad, Adam and Momentum, element by element in double.
#include <cmath>
#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

// An element: its value, gradient and up to two states, changed in place.
struct Element {
  double x, g, first, second;
};

double number(const Node& node, const char* name, float fallback = 0) {
  return static_cast<double>(node.get_float(name, fallback));
}

struct Adagrad {
  static constexpr size_t kStates = 1;
  double norm, decay, epsilon;
  explicit Adagrad(const Node& node)
      : norm(number(node, "norm_coefficient")),
        decay(number(node, "decay_factor")),
        epsilon(number(node, "epsilon", 1e-6f)) {}
  double rate(double r, int64_t t) const { return r / (1.0 + static_cast<double>(t) * decay); }
  void step(Element& e, double rate, int64_t) const {
    const double g = norm * e.x + e.g;
    e.first += g * g;
    e.x -= rate * g / (std::sqrt(e.first) + epsilon);
  }
};

struct Adam {
  static constexpr size_t kStates = 2;
  double norm, after, alpha, beta, epsilon;
  explicit Adam(const Node& node)
      : norm(number(node, "norm_coefficient")),
        after(number(node, "norm_coefficient_post")),
        alpha(number(node, "alpha", 0.9f)),
        beta(number(node, "beta", 0.999f)),
        epsilon(number(node, "epsilon", 1e-6f)) {}
  double rate(double r, int64_t t) const {
    const auto count = static_cast<double>(t);
    return t > 0 ? r * std::sqrt(1.0 - std::pow(beta, count)) / (1.0 - std::pow(alpha, count)) : r;
  }
  void step(Element& e, double rate, int64_t) const {
    const double g = norm * e.x + e.g;
    e.first = alpha * e.first + (1.0 - alpha) * g;
    e.second = beta * e.second + (1.0 - beta) * g * g;
    e.x = (1.0 - after) * (e.x - rate * e.first / (std::sqrt(e.second) + epsilon));
  }
};

struct Momentum {
  static constexpr size_t kStates = 1;
  double norm, alpha, beta;
  bool nesterov;
  explicit Momentum(const Node& node)
      : norm(number(node, "norm_coefficient")),
        alpha(number(node, "alpha")),
        beta(number(node, "beta")),
        nesterov(node.get_string("mode") == "nesterov") {}
  double rate(double r, int64_t) const { return r; }
  void step(Element& e, double rate, int64_t t) const {
    const double g = norm * e.x + e.g;
    e.first = alpha * e.first + (t > 0 ? beta : 1.0) * g;
    e.x -= rate * (nesterov ? g + alpha * e.first : e.first);
  }
};

template <class Rule>
class Optimizer {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Optimizer(const Node& node)
      : rule_(node),
        tensors_((node.input_count() - 2) / (2 + Rule::kStates)),
        load_rate_(scalar_load(dtype(node.input(0)))),
        load_(scalar_load(dtype(node.input(2)))),
        save_(scalar_save(dtype(node.input(2)))) {}

  void run(RunContext& context) const {
    const int64_t t = int_at(context.input(1), 0);
    const double rate = rule_.rate(load_rate_(context.input(0).data, 0), t);
    for (size_t k = 0; k < tensors_; ++k) {
      const auto in = [&](size_t kind) { return context.input(2 + kind * tensors_ + k).data; };
      const auto out = [&](size_t kind, int64_t i, double value) {
        if (context.has_output(kind * tensors_ + k)) save_(context.output(kind * tensors_ + k).data, i, value);
      };
      parallel_polled(context, provider::count(context.input(2 + k)), 64, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          Element e{load_(in(0), i), load_(in(1), i), load_(in(2), i), Rule::kStates > 1 ? load_(in(3), i) : 0.0};
          rule_.step(e, rate, t);
          out(0, i, e.x);
          out(1, i, e.first);
          if (Rule::kStates > 1) out(2, i, e.second);
        }
      });
    }
  }

 private:
  Rule rule_;
  size_t tensors_;
  Load load_rate_, load_;
  Save save_;
};

}  // namespace

void kernels_onnx_optimizer(provider::KernelTable& table) {
  table.add<Optimizer<Adagrad>>("ai.onnx.preview.training", "Adagrad", "reference");
  table.add<Optimizer<Adam>>("ai.onnx.preview.training", "Adam", "reference");
  table.add<Optimizer<Momentum>>("ai.onnx.preview.training", "Momentum", "reference");
}

}  // namespace onnxrun::cpu
