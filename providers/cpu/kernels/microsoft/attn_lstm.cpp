// com.microsoft.AttnLSTM, one sequence at a time in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"
#include "ops/attributes/recurrent.h"

namespace onnxrun::cpu {
namespace {

enum Input : size_t {
  kX,
  kW,
  kR,
  kB,
  kLengths,
  kH,
  kC,
  kHoles,
  kQueryWeights,
  kMemoryWeights,
  kVector,
  kMemory,
  kMemoryLengths,
  kAttentionWeights
};

class AttnLstm {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit AttnLstm(const Node& node)
      : recurrent_(ops::attributes::read_recurrent(node, {"Sigmoid", "Tanh", "Tanh"})),
        input_forget_(node.get_int("input_forget", 0) != 0),
        seq_(provider::dims(node.input(kX))[0]),
        batch_(provider::dims(node.input(kX))[1]),
        input_(provider::dims(node.input(kX))[2]),
        hidden_(provider::dims(node.input(kR))[2]),
        width_(provider::dims(node.input(kW))[2]),
        keys_(provider::dims(node.input(kQueryWeights))[2]),
        steps_(provider::dims(node.input(kMemory))[1]),
        depth_(provider::dims(node.input(kMemory))[2]),
        load_(scalar_load(dtype(node.input(kX)))),
        save_(scalar_save(dtype(node.input(kX)))) {}

  size_t scratch_bytes() const {
    return static_cast<size_t>(
        base::checked_mul(base::checked_mul(recurrent_.directions * batch_, each()), sizeof(double)));
  }

  void run(RunContext& context) const {
    double* scratch = static_cast<double*>(context.scratch());
    parallel_polled(context, recurrent_.directions * batch_,
                    seq_ * (hidden_ * (Cost(width_) + hidden_) + Cost(steps_) * keys_) * 16,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t item = begin; item < end; ++item)
                        sequence(context, item / batch_, item % batch_, scratch + item * each());
                    });
    context.check_cancelled();
  }

 private:
  // State, gates, attention, query, context, scores and the memory's keys of one sequence.
  int64_t each() const {
    return base::checked_add(base::checked_add(base::checked_mul(7, hidden_), width_ + keys_ + depth_),
                             base::checked_mul(steps_, keys_ + 1));
  }

  double at(const RunContext& context, size_t input, int64_t i) const {
    return context.has_input(input) ? load_(context.input(input).data, i) : 0.0;
  }

  int64_t length(const RunContext& context, size_t input, int64_t b, int64_t most, int64_t least) const {
    if (!context.has_input(input)) return most;
    const int64_t length = context.in<int32_t>(input)[b];
    if (length < least || length > most)
      base::fail(base::Code::kRunFailed, "AttnLSTM: length {} of batch entry {} is not {} to {}", length, b, least,
                 most);
    return length;
  }

  void sequence(RunContext& context, int64_t d, int64_t b, double* scratch) const {
    const int64_t n = hidden_, steps = length(context, kLengths, b, seq_, 0),
                  memory = length(context, kMemoryLengths, b, steps_, 1);
    double *h = scratch, *c = h + n, *gates = c + n, *attention = gates + 5 * n, *query = attention + width_,
           *mixed = query + keys_, *scores = mixed + depth_, *keys = scores + steps_;
    for (int64_t j = 0; j < n; ++j) {
      h[j] = at(context, kH, (d * batch_ + b) * n + j);
      c[j] = at(context, kC, (d * batch_ + b) * n + j);
    }
    std::fill_n(attention, width_ - input_, 0.0);
    Pacer pacer(context);
    for (int64_t m = 0; m < memory; ++m)
      for (int64_t k = 0; k < keys_; ++k) {
        pacer.did(8 * depth_ + 1);
        double sum = 0;
        for (int64_t e = 0; e < depth_; ++e)
          sum += load_(context.input(kMemory).data, (b * steps_ + m) * depth_ + e) *
                 at(context, kMemoryWeights, (d * depth_ + e) * keys_ + k);
        keys[m * keys_ + k] = sum;
      }
    for (int64_t step = 0; step < seq_; ++step) {
      if (context.cancelled()) return;
      const int64_t t = step < steps && recurrent_.backwards(d) ? steps - 1 - step : step,
                    y = ((t * recurrent_.directions + d) * batch_ + b) * n;
      if (step < steps) {
        cell(context, d, (t * batch_ + b) * input_, attention, h, c, gates);
        attend(context, d, b, memory, keys, h, query, scores, mixed, attention);
      }
      for (int64_t j = 0; context.has_output(0) && j < n; ++j)
        save_(context.output(0).data, y + j, step < steps ? h[j] : 0.0);
    }
    for (int64_t j = 0; j < n; ++j) {
      if (context.has_output(1)) save_(context.output(1).data, (d * batch_ + b) * n + j, h[j]);
      if (context.has_output(2)) save_(context.output(2).data, (d * batch_ + b) * n + j, c[j]);
    }
  }

  double activate(int64_t d, int64_t i, double x) const {
    if (recurrent_.clip)
      x = std::clamp(x, -static_cast<double>(*recurrent_.clip), static_cast<double>(*recurrent_.clip));
    return ops::attributes::activate(recurrent_.activations[static_cast<size_t>(d * 3 + i)], x);
  }

  // The cell on the input beside the last attention; gates are input, output, forget, cell. The state's own activation is not clipped.
  void cell(const RunContext& context, int64_t d, int64_t x, const double* attention, double* h, double* c,
            double* gates) const {
    const int64_t n = hidden_;
    for (int64_t j = 0; j < 4 * n; ++j) {
      double sum = at(context, kB, d * 8 * n + j) + at(context, kB, d * 8 * n + 4 * n + j);
      const int64_t row = (d * 4 * n + j) * width_;
      for (int64_t k = 0; k < input_; ++k)
        sum += load_(context.input(kW).data, row + k) * load_(context.input(kX).data, x + k);
      for (int64_t k = input_; k < width_; ++k) sum += load_(context.input(kW).data, row + k) * attention[k - input_];
      for (int64_t k = 0; k < n; ++k) sum += load_(context.input(kR).data, (d * 4 * n + j) * n + k) * h[k];
      gates[j] = sum;
    }
    const auto hole = [&](int64_t which, int64_t j) { return at(context, kHoles, (d * 3 + which) * n + j) * c[j]; };
    for (int64_t j = 0; j < n; ++j) {
      const double i = activate(d, 0, gates[j] + hole(0, j)),
                   f = input_forget_ ? 1 - i : activate(d, 0, gates[2 * n + j] + hole(2, j));
      c[j] = f * c[j] + i * activate(d, 1, gates[3 * n + j]);
      h[j] = activate(d, 0, gates[n + j] + hole(1, j)) *
             ops::attributes::activate(recurrent_.activations[static_cast<size_t>(d * 3 + 2)], c[j]);
    }
  }

  // The next attention: the memory weighted by softmax(v · tanh(keys + query)), through the attention layer with the state where there is one.
  void attend(const RunContext& context, int64_t d, int64_t b, int64_t memory, const double* keys, const double* h,
              double* query, double* scores, double* mixed, double* attention) const {
    for (int64_t k = 0; k < keys_; ++k) {
      query[k] = 0;
      for (int64_t j = 0; j < hidden_; ++j)
        query[k] += h[j] * at(context, kQueryWeights, (d * hidden_ + j) * keys_ + k);
    }
    double largest = -std::numeric_limits<double>::infinity(), total = 0;
    for (int64_t m = 0; m < memory; ++m) {
      scores[m] = 0;
      for (int64_t k = 0; k < keys_; ++k)
        scores[m] += at(context, kVector, d * keys_ + k) * std::tanh(keys[m * keys_ + k] + query[k]);
      largest = std::max(largest, scores[m]);
    }
    for (int64_t m = 0; m < memory; ++m) total += scores[m] = std::exp(scores[m] - largest);
    for (int64_t e = 0; e < depth_; ++e) {
      mixed[e] = 0;
      for (int64_t m = 0; m < memory; ++m)
        mixed[e] += scores[m] / total * load_(context.input(kMemory).data, (b * steps_ + m) * depth_ + e);
    }
    const int64_t size = width_ - input_, rows = hidden_ + depth_;
    if (!context.has_input(kAttentionWeights)) {
      std::copy_n(mixed, depth_, attention);
      return;
    }
    for (int64_t a = 0; a < size; ++a) {
      attention[a] = 0;
      for (int64_t k = 0; k < rows; ++k)
        attention[a] +=
            (k < hidden_ ? h[k] : mixed[k - hidden_]) * at(context, kAttentionWeights, (d * rows + k) * size + a);
    }
  }

  ops::attributes::Recurrent recurrent_;
  bool input_forget_;
  int64_t seq_, batch_, input_, hidden_, width_, keys_, steps_, depth_;
  Load load_;
  Save save_;
};

}  // namespace

void kernels_microsoft_attn_lstm(provider::KernelTable& table) {
  table.add<AttnLstm>("com.microsoft", "AttnLSTM", "direct");
}

}  // namespace onnxrun::cpu
