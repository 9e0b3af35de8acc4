// Recurrent networks on packed weights, computed in float32.
#include "cpu/loops/recurrent.h"

#include <algorithm>
#include <optional>

#include "base/checked.h"
#include "cpu/loops/float_weights.h"
#include "cpu/loops/panels.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {

using ops::attributes::Activation;
using ops::attributes::ActivationSpec;

namespace {

std::vector<std::string> default_activations(int64_t gates) {
  if (gates == 1) return {"Tanh"};
  return gates == 3 ? std::vector<std::string>{"Sigmoid", "Tanh"} : std::vector<std::string>{"Sigmoid", "Tanh", "Tanh"};
}

bool computes(DType type) { return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBfloat16; }

// Masks of inputs for WorkOperands.
constexpr uint64_t kLengthsBit = uint64_t{1} << kRecurrentLengths;
constexpr uint64_t kWeightBits =
    uint64_t{1} << kRecurrentW | uint64_t{1} << kRecurrentR | uint64_t{1} << kRecurrentB | uint64_t{1} << kRecurrentP;

int64_t gate_count(std::string_view op) { return op == "LSTM" ? 4 : op == "GRU" ? 3 : 1; }

}  // namespace

RecurrentShape::RecurrentShape(const Node& node)
    : gates(gate_count(node.op())), attributes(ops::attributes::read_recurrent(node, default_activations(gates))) {
  directions = attributes.directions;
  const auto x = provider::dims(node.input(kRecurrentX));
  const bool known = x.size() == 3;  // before binding X may be anything
  seq = known ? x[attributes.batch_first ? 1 : 0] : -1;
  batch = known ? x[attributes.batch_first ? 0 : 1] : -1;
  input = known ? x[2] : -1;
  const auto r = provider::dims(node.input(kRecurrentR));
  hidden = r.size() == 3 ? r[2] : -1;
}

int64_t RecurrentShape::length(const RunContext& context, int64_t b) const {
  if (!context.has_input(kRecurrentLengths)) return seq;
  const int64_t length = context.in<int32_t>(kRecurrentLengths)[b];
  if (length < 0 || length > seq)
    base::fail(base::Code::kRunFailed, "sequence_lens[{}] is {}, but the sequences of 'X' have {} steps", b, length,
               seq);
  return length;
}

PackedRecurrent::Layout::Layout(const RecurrentShape& s) {
  const int64_t columns = s.gates * s.hidden;
  w = 0;
  r = w + panel_floats(s.input, columns);
  r_hidden = r + panel_floats(s.hidden, s.gru() ? 2 * s.hidden : columns);
  bias = r_hidden + (s.gru() ? panel_floats(s.hidden, s.hidden) : 0);
  recurrent_bias = bias + columns;
  peepholes = recurrent_bias + s.hidden;
  total = (peepholes + 3 * s.hidden + 15) / 16 * 16;
}

Acceptance PackedRecurrent::accepts(const Node& node) {
  for (size_t i = 0; i < node.input_count(); ++i)
    if (node.has_input(i) && i != kRecurrentLengths && !computes(dtype(node.input(i))))
      return Acceptance::decline("computes in float32 only");
  Acceptance result;
  for (size_t i : {kRecurrentW, kRecurrentR, kRecurrentB, kRecurrentP})
    if (node.has_input(i) && node.input(i).data == nullptr) return result;
  // Sizes that packing needs come from the constants; X may still be symbolic.
  const auto w = provider::dims(node.input(kRecurrentW)), r = provider::dims(node.input(kRecurrentR));
  const int64_t gates = gate_count(node.op());
  if (w.size() != 3 || r.size() != 3 || w[1] != gates * r[2]) return Acceptance::decline("unexpected weight shapes");
  RecurrentShape shape = RecurrentShape(node);
  shape.input = w[2];
  const Layout layout(shape);
  return result.pack(static_cast<uint64_t>(w[0] * layout.total) * sizeof(float),
                     {kRecurrentW, kRecurrentR, kRecurrentB, kRecurrentP});
}

void PackedRecurrent::pack(const Node& node, void* bytes) {
  RecurrentShape shape(node);
  shape.input = provider::dims(node.input(kRecurrentW))[2];
  std::optional<FloatWeights> wide[kRecurrentP + 1];
  const auto at = [&](size_t i) -> const float* {
    return node.has_input(i) ? wide[i].emplace(node.input(i)).data() : nullptr;
  };
  pack_all(shape, node.get_int("linear_before_reset", 0) != 0,
           {at(kRecurrentW), at(kRecurrentR), at(kRecurrentB), at(kRecurrentP)}, static_cast<float*>(bytes));
}

void PackedRecurrent::pack_all(const RecurrentShape& s, bool linear_before_reset, const Tensors& from, float* to) {
  const Layout layout(s);
  const int64_t columns = s.gates * s.hidden, h = s.hidden;
  for (int64_t d = 0; d < s.directions; ++d, to += layout.total) {
    std::fill_n(to + layout.bias, layout.total - layout.bias, 0.0f);
    pack_panels(from.w + d * columns * s.input, 1, s.input, s.input, columns, to + layout.w);
    const float* r = from.r + d * columns * h;
    pack_panels(r, 1, h, h, s.gru() ? 2 * h : columns, to + layout.r);
    if (s.gru()) pack_panels(r + 2 * h * h, 1, h, h, h, to + layout.r_hidden);
    if (from.b != nullptr) {
      const float* w_bias = from.b + d * 2 * columns;
      const float* r_bias = w_bias + columns;
      const int64_t joined = s.gru() && linear_before_reset ? 2 * h : columns;
      for (int64_t i = 0; i < columns; ++i) to[layout.bias + i] = w_bias[i] + (i < joined ? r_bias[i] : 0.0f);
      if (joined < columns) std::copy_n(r_bias + joined, h, to + layout.recurrent_bias);
    }
    if (from.p != nullptr && s.lstm()) std::copy_n(from.p + d * 3 * h, 3 * h, to + layout.peepholes);
  }
}

PackedRecurrent::PackedRecurrent(const Node& node, const void* packed)
    : shape_(node),
      layout_(shape_),
      linear_before_reset_(node.get_int("linear_before_reset", 0) != 0),
      input_forget_(node.get_int("input_forget", 0) != 0),
      has_peepholes_(shape_.lstm() && node.has_input(kRecurrentP)),
      packed_(static_cast<const float*>(packed)),
      operands_(node, kRecurrentP + 1, 3, DType::kFloat32,
                packed == nullptr ? kLengthsBit : kLengthsBit | kWeightBits) {}

size_t PackedRecurrent::scratch_bytes() const {
  const RecurrentShape& s = shape_;
  const int64_t columns = s.gates * s.hidden;
  int64_t floats = packed_ == nullptr ? s.directions * layout_.total : 0;
  floats = base::checked_add(floats, base::checked_mul(base::checked_mul(s.directions * s.seq, s.batch), columns));
  // Each sequence: a row of gates, a spare row, h and c.
  floats = base::checked_add(floats, base::checked_mul(s.directions * s.batch, columns + 3 * s.hidden));
  return operands_.scratch_bytes() + static_cast<size_t>(base::checked_mul(floats, sizeof(float)));
}

void PackedRecurrent::run(RunContext& context) const {
  const RecurrentShape& s = shape_;
  if (s.batch == 0 || s.hidden == 0) return;
  const auto arrays = operands_.load(context);
  float* scratch = reinterpret_cast<float*>(static_cast<char*>(context.scratch()) + operands_.scratch_bytes());
  const float* packed = packed_;
  if (packed == nullptr) {
    const auto at = [&](size_t i) { return arrays.in<float>(i); };
    pack_all(s, linear_before_reset_, {at(kRecurrentW), at(kRecurrentR), at(kRecurrentB), at(kRecurrentP)}, scratch);
    packed = scratch;
    scratch += s.directions * layout_.total;
  }
  const int64_t columns = s.gates * s.hidden;
  float* gates = scratch;
  scratch += s.directions * s.seq * s.batch * columns;
  project(context, arrays.in<float>(kRecurrentX), packed, gates);
  const int64_t groups = (s.batch + kBatch - 1) / kBatch;
  const int64_t each = columns + 3 * s.hidden;
  parallel_polled(context, s.directions * groups,
                  Cost(s.seq) * std::min(kBatch, s.batch) * columns * (s.hidden / 16 + 8),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t d = item / groups, first = item % groups * kBatch;
                      steps(context, arrays, packed + d * layout_.total, gates + d * s.seq * s.batch * columns, d,
                            first, std::min(kBatch, s.batch - first), scratch + (d * s.batch + first) * each);
                    }
                  });
  context.check_cancelled();
  operands_.store(context, arrays);
}

// gates[d][t][b] = X[t][b] * W^T + bias.
void PackedRecurrent::project(RunContext& context, const float* x, const float* packed, float* gates) const {
  constexpr int64_t kRows = 48;
  const RecurrentShape& s = shape_;
  const int64_t columns = s.gates * s.hidden;
  // Rows are steps of one sequence, or, with the batch inside, of all.
  const bool by_sequence = s.attributes.batch_first && s.batch > 1;
  const int64_t rows = by_sequence ? s.seq : s.seq * s.batch;
  const int64_t blocks = (rows + kRows - 1) / kRows, sets = by_sequence ? s.batch : 1;
  parallel_polled(
      context, s.directions * sets * blocks, Cost(std::min(rows, kRows)) * columns * (s.input / 16 + 1),
      [&](int64_t begin, int64_t end) {
        for (int64_t item = begin; item < end; ++item) {
          const int64_t d = item / (sets * blocks), set = item / blocks % sets, first = item % blocks * kRows;
          const int64_t count = std::min(kRows, rows - first), stride = sets * columns;
          float* to = gates + d * s.seq * s.batch * columns + first * stride + set * columns;
          const float* bias = packed + d * layout_.total + layout_.bias;
          for (int64_t i = 0; i < count; ++i) std::copy_n(bias, columns, to + i * stride);
          multiply_panels(x + (set * s.seq + first) * s.input, s.input, packed + d * layout_.total + layout_.w, count,
                          s.input, columns, true, to, stride);
        }
      });
}

void PackedRecurrent::steps(RunContext& context, const WorkOperands::Arrays& arrays, const float* weights,
                            const float* gates, int64_t d, int64_t first, int64_t count, float* scratch) const {
  constexpr int64_t kBetweenPolls = int64_t{1} << 24;
  const RecurrentShape& s = shape_;
  const int64_t columns = s.gates * s.hidden, n = s.hidden;
  float* rows = scratch;
  float* spare = rows + count * columns;
  float* h = spare + count * n;
  float* c = h + count * n;
  float* y = arrays.out<float>(0);
  int64_t length[kBatch], longest = 0;
  for (int64_t k = 0; k < count; ++k) {
    length[k] = s.length(context, first + k);
    longest = std::max(longest, length[k]);
    const auto start = [&](size_t input, float* state) {
      if (arrays.inputs[input] != nullptr) std::copy_n(arrays.in<float>(input) + s.state_at(d, first + k), n, state);
      else std::fill_n(state, n, 0.0f);
    };
    start(kRecurrentH, h + k * n);
    if (s.lstm()) start(kRecurrentC, c + k * n);
    if (y != nullptr)
      for (int64_t t = length[k]; t < s.seq; ++t) std::fill_n(y + s.y_at(t, d, first + k), n, 0.0f);
  }
  const bool backwards = s.attributes.backwards(d);
  int64_t work = 0;
  for (int64_t step = 0; step < longest; ++step) {
    const auto time = [&](int64_t k) { return backwards ? length[k] - 1 - step : step; };
    for (int64_t k = 0; k < count; ++k) {
      const int64_t t = step < length[k] ? time(k) : 0;
      std::copy_n(gates + (t * s.batch + first + k) * columns, columns, rows + k * columns);
    }
    if (s.gru()) gru_products(weights, d, count, rows, h, spare);
    else multiply_panels(h, n, weights + layout_.r, count, n, columns, true, rows, columns);
    for (int64_t k = 0; k < count; ++k) {
      if (step >= length[k]) continue;
      float* row = rows + k * columns;
      if (s.lstm()) lstm_gates(d, weights + layout_.peepholes, row, h + k * n, c + k * n);
      else if (s.gru()) gru_gates(d, row, h + k * n, spare + k * n);
      else rnn_gates(d, row, h + k * n);
      if (y != nullptr) std::copy_n(h + k * n, n, y + s.y_at(time(k), d, first + k));
    }
    work += count * columns * n;
    if (work > kBetweenPolls) {
      if (context.cancelled()) return;
      work = 0;
    }
  }
  for (int64_t k = 0; k < count; ++k) {
    if (arrays.outputs[1] != nullptr) std::copy_n(h + k * n, n, arrays.out<float>(1) + s.state_at(d, first + k));
    if (s.lstm() && arrays.outputs[2] != nullptr)
      std::copy_n(c + k * n, n, arrays.out<float>(2) + s.state_at(d, first + k));
  }
}

// Activation i of direction d on a row of hidden size, after clipping.
void PackedRecurrent::activate(int64_t d, int64_t i, float* x) const {
  const int64_t n = shape_.hidden;
  if (shape_.attributes.clip) {
    const float bound = *shape_.attributes.clip;
    for (int64_t j = 0; j < n; ++j) x[j] = x[j] < -bound ? -bound : x[j] > bound ? bound : x[j];
  }
  const ActivationSpec& spec = shape_.activation(d, i);
  if (spec.kind == Activation::kSigmoid) return row_functions().sigmoid(x, x, n);
  if (spec.kind == Activation::kTanh) return row_functions().tanh(x, x, n);
  for (int64_t j = 0; j < n; ++j) x[j] = static_cast<float>(ops::attributes::activate(spec, static_cast<double>(x[j])));
}

void PackedRecurrent::rnn_gates(int64_t d, float* row, float* h) const {
  activate(d, 0, row);
  std::copy_n(row, shape_.hidden, h);
}

void PackedRecurrent::gru_products(const float* weights, int64_t d, int64_t count, float* rows, float* h,
                                   float* spare) const {
  const int64_t n = shape_.hidden;
  multiply_panels(h, n, weights + layout_.r, count, n, 2 * n, true, rows, 3 * n);
  for (int64_t k = 0; k < count; ++k) {
    activate(d, 0, rows + k * 3 * n);
    activate(d, 0, rows + k * 3 * n + n);
  }
  if (linear_before_reset_) {
    for (int64_t k = 0; k < count; ++k) std::copy_n(weights + layout_.recurrent_bias, n, spare + k * n);
    return multiply_panels(h, n, weights + layout_.r_hidden, count, n, n, true, spare, n);
  }
  for (int64_t k = 0; k < count; ++k)
    for (int64_t j = 0; j < n; ++j) spare[k * n + j] = rows[k * 3 * n + n + j] * h[k * n + j];
  multiply_panels(spare, n, weights + layout_.r_hidden, count, n, n, true, rows + 2 * n, 3 * n);
}

void PackedRecurrent::gru_gates(int64_t d, float* row, float* h, const float* spare) const {
  const int64_t n = shape_.hidden;
  const float *z = row, *r = row + n;
  float* fresh = row + 2 * n;
  if (linear_before_reset_)
    for (int64_t j = 0; j < n; ++j) fresh[j] += r[j] * spare[j];
  activate(d, 1, fresh);
  for (int64_t j = 0; j < n; ++j) h[j] = (1.0f - z[j]) * fresh[j] + z[j] * h[j];
}

void PackedRecurrent::lstm_gates(int64_t d, const float* peepholes, float* row, float* h, float* c) const {
  const int64_t n = shape_.hidden;
  float *i = row, *o = row + n, *f = row + 2 * n, *g = row + 3 * n;
  if (has_peepholes_)
    for (int64_t j = 0; j < n; ++j) {
      i[j] += peepholes[j] * c[j];
      f[j] += peepholes[2 * n + j] * c[j];
    }
  activate(d, 0, i);
  if (input_forget_)
    for (int64_t j = 0; j < n; ++j) f[j] = 1.0f - i[j];
  else activate(d, 0, f);
  activate(d, 1, g);
  for (int64_t j = 0; j < n; ++j) c[j] = f[j] * c[j] + i[j] * g[j];
  if (has_peepholes_)
    for (int64_t j = 0; j < n; ++j) o[j] += peepholes[n + j] * c[j];
  activate(d, 0, o);
  std::copy_n(c, n, g);
  activate(d, 2, g);
  for (int64_t j = 0; j < n; ++j) h[j] = o[j] * g[j];
}

}  // namespace onnxrun::cpu
