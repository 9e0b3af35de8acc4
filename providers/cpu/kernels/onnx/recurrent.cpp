// RNN, GRU and LSTM: on packed weights for float32, step by step in double for every type.
#include "cpu/loops/recurrent.h"

#include <algorithm>

#include "base/checked.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

// The operators' equations, one sequence and hidden unit at a time.
class Reference {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Reference(const Node& node)
      : s_(node),
        linear_before_reset_(node.get_int("linear_before_reset", 0) != 0),
        input_forget_(node.get_int("input_forget", 0) != 0),
        load_(scalar_load(dtype(node.input(0)))),
        save_(scalar_save(dtype(node.input(0)))) {}

  size_t scratch_bytes() const {
    return static_cast<size_t>(
        base::checked_mul(base::checked_mul(s_.directions * s_.batch, 8 * s_.hidden), sizeof(double)));
  }

  void run(RunContext& context) const {
    double* scratch = static_cast<double*>(context.scratch());
    parallel_polled(context, s_.directions * s_.batch,
                    Cost(s_.seq) * s_.gates * s_.hidden * (Cost(s_.input) + s_.hidden) * 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item)
                        sequence(context, item / s_.batch, item % s_.batch, scratch + item * 8 * s_.hidden);
                    });
    context.check_cancelled();
  }

 private:
  double at(RunContext& context, size_t input, int64_t index) const {
    return context.has_input(input) ? load_(context.input(input).data, index) : 0.0;
  }

  void sequence(RunContext& context, int64_t d, int64_t b, double* scratch) const {
    const int64_t n = s_.hidden, length = s_.length(context, b);
    double *h = scratch, *c = h + n, *fresh = c + n, *reset = fresh + n, *gates = reset + n;
    for (int64_t j = 0; j < n; ++j) {
      h[j] = at(context, kRecurrentH, s_.state_at(d, b) + j);
      c[j] = s_.lstm() ? at(context, kRecurrentC, s_.state_at(d, b) + j) : 0.0;
    }
    const auto put = [&](size_t output, int64_t offset, const double* values) {
      if (!context.has_output(output)) return;
      for (int64_t j = 0; j < n; ++j)
        save_(context.output(output).data, offset + j, values != nullptr ? values[j] : 0.0);
    };
    for (int64_t step = 0; step < s_.seq; ++step) {
      if (step >= length) {
        put(0, s_.y_at(step, d, b), nullptr);
        continue;
      }
      const int64_t t = s_.attributes.backwards(d) ? length - 1 - step : step;
      if (context.cancelled()) return;
      if (s_.lstm()) lstm(context, d, s_.x_at(t, b), h, c, gates);
      else if (s_.gru()) gru(context, d, s_.x_at(t, b), h, fresh, reset, gates);
      else rnn(context, d, s_.x_at(t, b), h, gates);
      put(0, s_.y_at(t, d, b), h);
    }
    put(1, s_.state_at(d, b), h);
    if (s_.lstm()) put(2, s_.state_at(d, b), c);
  }

  // Row `row` of the input's product and bias, and of the recurrent ones.
  double input_part(RunContext& context, int64_t d, int64_t row, int64_t x) const {
    const int64_t rows = s_.gates * s_.hidden;
    double sum = at(context, kRecurrentB, d * 2 * rows + row);
    for (int64_t k = 0; k < s_.input; ++k)
      sum += load_(context.input(kRecurrentX).data, x + k) *
             load_(context.input(kRecurrentW).data, (d * rows + row) * s_.input + k);
    return sum;
  }
  double recurrent_part(RunContext& context, int64_t d, int64_t row, const double* h) const {
    const int64_t rows = s_.gates * s_.hidden;
    double sum = at(context, kRecurrentB, d * 2 * rows + rows + row);
    for (int64_t k = 0; k < s_.hidden; ++k)
      sum += h[k] * load_(context.input(kRecurrentR).data, (d * rows + row) * s_.hidden + k);
    return sum;
  }

  double activate(int64_t d, int64_t i, double x) const {
    if (s_.attributes.clip) {
      const double bound = static_cast<double>(*s_.attributes.clip);
      x = x < -bound ? -bound : x > bound ? bound : x;
    }
    return ops::attributes::activate(s_.activation(d, i), x);
  }

  void rnn(RunContext& context, int64_t d, int64_t x, double* h, double* gates) const {
    for (int64_t j = 0; j < s_.hidden; ++j)
      gates[j] = activate(d, 0, input_part(context, d, j, x) + recurrent_part(context, d, j, h));
    std::copy_n(gates, s_.hidden, h);
  }

  void gru(RunContext& context, int64_t d, int64_t x, double* h, double* fresh, double* reset, double* gates) const {
    const int64_t n = s_.hidden;
    for (int64_t j = 0; j < 2 * n; ++j)
      gates[j] = activate(d, 0, input_part(context, d, j, x) + recurrent_part(context, d, j, h));
    const double *z = gates, *r = gates + n;
    for (int64_t j = 0; j < n; ++j) reset[j] = r[j] * h[j];
    for (int64_t j = 0; j < n; ++j) {
      const double recurrent = linear_before_reset_ ? r[j] * recurrent_part(context, d, 2 * n + j, h)
                                                    : recurrent_part(context, d, 2 * n + j, reset);
      fresh[j] = activate(d, 1, input_part(context, d, 2 * n + j, x) + recurrent);
    }
    for (int64_t j = 0; j < n; ++j) h[j] = (1 - z[j]) * fresh[j] + z[j] * h[j];
  }

  void lstm(RunContext& context, int64_t d, int64_t x, double* h, double* c, double* gates) const {
    const int64_t n = s_.hidden;
    const auto peephole = [&](int64_t which, int64_t j) {
      return at(context, kRecurrentP, (d * 3 + which) * n + j) * c[j];
    };
    for (int64_t j = 0; j < 4 * n; ++j) gates[j] = input_part(context, d, j, x) + recurrent_part(context, d, j, h);
    for (int64_t j = 0; j < n; ++j) {
      const double i = activate(d, 0, gates[j] + peephole(0, j));
      const double f = input_forget_ ? 1 - i : activate(d, 0, gates[2 * n + j] + peephole(2, j));
      c[j] = f * c[j] + i * activate(d, 1, gates[3 * n + j]);
      const double o = activate(d, 0, gates[n + j] + peephole(1, j));
      h[j] = o * activate(d, 2, c[j]);
    }
  }

  RecurrentShape s_;
  bool linear_before_reset_, input_forget_;
  Load load_;
  Save save_;
};

}  // namespace

void kernels_onnx_recurrent(provider::KernelTable& table) {
  table.add<PackedRecurrent>("", "RNN", "packed");
  table.add<Reference>("", "RNN", "reference");
  table.add<PackedRecurrent>("", "GRU", "packed");
  table.add<Reference>("", "GRU", "reference");
  table.add<PackedRecurrent>("", "LSTM", "packed");
  table.add<Reference>("", "LSTM", "reference");
}

}  // namespace onnxrun::cpu
