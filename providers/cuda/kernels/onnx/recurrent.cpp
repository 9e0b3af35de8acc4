// RNN, GRU and LSTM: cuDNN's where it can, else one product for the inputs of all steps, then a product and a kernel a step, float16 and
// bfloat16 in float32.
#include "cuda/device/recurrent.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "cuda/device/copy.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/kernels/library_recurrent.h"
#include "ops/attributes/recurrent.h"

namespace onnxrun::cuda {
namespace {

class Recurrent {
 public:
  static Acceptance accepts(const Node& node) {
    if (!Product::serves(dtype(node.input(kX)))) return no_kernel(node);
    if (node.has_input(kLengths) && dtype(node.input(kLengths)) != DType::kInt32)
      return Acceptance::decline("lengths not of int32");
    return {};
  }

  explicit Recurrent(const Node& node)
      : type_(dtype(node.input(kX))),
        work_(type_ == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32),
        unit_(work_ == DType::kFloat64 ? 8 : 4),
        lstm_(node.op() == "LSTM"),
        attributes_(ops::attributes::read_recurrent(node, default_activations(node))) {
    const auto x = provider::dims(node.input(kX)), w = provider::dims(node.input(kW)),
               r = provider::dims(node.input(kR));
    step_.gates = lstm_ ? 4 : node.op() == "GRU" ? 3 : 1;
    step_.cell = lstm_ ? RecurrentCell::kLstm : step_.gates == 3 ? RecurrentCell::kGru : RecurrentCell::kRnn;
    step_.batch_first = attributes_.batch_first;
    step_.seq = x[attributes_.batch_first ? 1 : 0];
    step_.batch = x[attributes_.batch_first ? 0 : 1];
    input_ = w[2];
    step_.hidden = r[2];
    step_.linear_before_reset = node.get_int("linear_before_reset", 0) != 0;
    step_.input_forget = node.get_int("input_forget", 0) != 0;
    step_.clips = attributes_.clip.has_value();
    step_.clip = attributes_.clip.value_or(0);
    place_y();
    const int64_t width = step_.gates * step_.hidden;
    add_product(all_x_, node, step_.seq * step_.batch, input_, width);
    add_product(all_h_, node, step_.batch, step_.hidden, width);
    if (resets()) {
      add_product(gates_h_, node, step_.batch, step_.hidden, 2 * step_.hidden);
      add_product(new_h_, node, step_.batch, step_.hidden, step_.hidden);
    }
    plan_scratch(node);
  }

  size_t scratch_bytes() const { return scratch_; }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    Buffers buffers = widened(context);
    RecurrentStep step = step_;
    if (context.has_input(kLengths)) {
      step.lengths = context.in<int32_t>(kLengths);
      step.report = stream.expect("a recurrent operator: an element of 'sequence_lens' is not a number of steps");
    }
    for (int64_t d = 0; d < attributes_.directions; ++d) run_direction(context, stream, buffers, step, d);
    if (type_ == work_) return;
    for (size_t i = 0; i < 3; ++i)
      if (context.has_output(i))
        find_cast(work_, type_)(queue_of(stream), buffers.out[i], context.output(i).data, out_counts_[i]);
  }

 private:
  struct Buffers {
    const char* in[kRecurrentInputs] = {};
    char* out[3] = {};
  };

  bool resets() const { return step_.cell == RecurrentCell::kGru && !step_.linear_before_reset; }
  int64_t state_at(int64_t d) const {
    return attributes_.batch_first ? d * step_.hidden : d * step_.batch * step_.hidden;
  }
  int64_t state_batch() const { return attributes_.batch_first ? attributes_.directions * step_.hidden : step_.hidden; }

  void place_y() {
    const int64_t n = step_.hidden, dirs = attributes_.directions;
    if (attributes_.batch_first) {
      step_.y_batch = step_.seq * dirs * n, step_.y_time = dirs * n, y_direction_ = n;
    } else {
      step_.y_batch = n, step_.y_time = dirs * step_.batch * n, y_direction_ = step_.batch * n;
    }
  }

  void add_product(std::optional<Product>& product, const Node& node, int64_t m, int64_t k, int64_t n) const {
    if (m * k * n == 0) return;
    ProductShape shape;
    shape.m = m, shape.k = k, shape.n = n, shape.b_transposed = true;
    product.emplace(work_, node.precision(), shape);
  }

  size_t reserve(int64_t elements) {
    const size_t at = scratch_;
    scratch_ += (static_cast<size_t>(elements) * unit_ + 255) / 256 * 256;
    return at;
  }

  void plan_scratch(const Node& node) {
    scratch_ = Product::kWorkspace;
    const int64_t width = step_.gates * step_.hidden, states = step_.batch * step_.hidden;
    from_x_ = reserve(step_.seq * step_.batch * width);
    from_h_ = reserve(step_.batch * width);
    if (resets()) reset_ = reserve(states), from_reset_ = reserve(states), gates_ = reserve(2 * states);
    for (size_t& state : states_) state = reserve(states);
    for (size_t i = 0; i < 3; ++i)
      if (node.has_output(i)) out_counts_[i] = provider::count(node.output(i));
    if (type_ == work_) return;
    for (size_t i = 0; i < kRecurrentInputs; ++i)
      if (i != kLengths && node.has_input(i)) {
        in_counts_[i] = provider::count(node.input(i));
        in_[i] = reserve(in_counts_[i]);
      }
    for (size_t i = 0; i < 3; ++i)
      if (node.has_output(i)) out_[i] = reserve(out_counts_[i]);
  }

  // Inputs and outputs in the type of the work.
  Buffers widened(RunContext& context) const {
    Buffers buffers;
    auto* scratch = static_cast<char*>(context.scratch());
    for (size_t i = 0; i < kRecurrentInputs; ++i) {
      if (i == kLengths || !context.has_input(i)) continue;
      buffers.in[i] = context.in<char>(i);
      if (type_ == work_) continue;
      find_cast(type_, work_)(queue_of(context), context.input(i).data, scratch + in_[i], in_counts_[i]);
      buffers.in[i] = scratch + in_[i];
    }
    for (size_t i = 0; i < 3; ++i)
      if (context.has_output(i)) buffers.out[i] = type_ == work_ ? context.out<char>(i) : scratch + out_[i];
    return buffers;
  }

  // A direction's states, which lie state_batch() apart, to or from neighbouring rows.
  void copy_states(const Queue& queue, const char* from, int64_t from_step, char* to, int64_t to_step) const {
    const base::Dims dims = {step_.batch, step_.hidden};
    launch_copy(queue, *walk<2>(dims, {base::Dims{from_step, 1}, base::Dims{to_step, 1}}), static_cast<int>(unit_),
                from, to);
  }

  void run_direction(RunContext& context, Stream& stream, const Buffers& buffers, RecurrentStep step, int64_t d) const {
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    const auto unit = static_cast<int64_t>(unit_);
    const int64_t n = step.hidden, width = step.gates * n;
    const char* w = buffers.in[kW] + d * width * input_ * unit;
    const char* r = buffers.in[kR] + d * width * n * unit;
    step.backwards = attributes_.backwards(d);
    const size_t functions = attributes_.activations.size() / static_cast<size_t>(attributes_.directions);
    for (size_t f = 0; f < functions; ++f) {
      const auto& spec = attributes_.activations[static_cast<size_t>(d) * functions + f];
      step.functions[f] = {static_cast<int>(spec.kind), spec.alpha, spec.beta};
    }
    if (buffers.in[kB] != nullptr) step.bias = buffers.in[kB] + d * 2 * width * unit;
    if (buffers.in[kP] != nullptr) step.peephole = buffers.in[kP] + d * 3 * n * unit;
    if (buffers.out[0] != nullptr) step.y = buffers.out[0] + d * y_direction_ * unit;
    step.from_x = scratch + from_x_;
    step.from_h = scratch + from_h_;
    char *h = scratch + states_[0], *next = scratch + states_[1], *c = scratch + states_[2];
    const size_t state_bytes = static_cast<size_t>(step.batch * n) * unit_;
    start_states(stream, buffers.in[kH], d, h, state_bytes);
    if (lstm_) start_states(stream, buffers.in[kC], d, c, state_bytes);
    step.c = c;
    if (all_x_) all_x_->run(stream, buffers.in[kX], w, nullptr, scratch + from_x_, scratch);
    else fill_zero(stream, scratch + from_x_, static_cast<size_t>(step.seq * step.batch * width) * unit_);
    for (step.step = 0; step.step < step.seq && all_h_; ++step.step) {
      context.check_cancelled();
      step.h = h;
      step.next = next;
      if (resets()) reset_first(stream, queue, step, r, scratch);
      else all_h_->run(stream, h, r, nullptr, scratch + from_h_, scratch);
      launch_recurrent(queue, work_, step);
      std::swap(h, next);
    }
    if (buffers.out[1] != nullptr) copy_states(queue, h, n, buffers.out[1] + state_at(d) * unit, state_batch());
    if (buffers.out[2] != nullptr && lstm_)
      copy_states(queue, c, n, buffers.out[2] + state_at(d) * unit, state_batch());
  }

  void start_states(Stream& stream, const char* given, int64_t d, char* to, size_t bytes) const {
    if (given == nullptr) return fill_zero(stream, to, bytes);
    copy_states(queue_of(stream), given + state_at(d) * static_cast<int64_t>(unit_), state_batch(), to, step_.hidden);
  }

  // A GRU that resets the state before its product: the first two gates, then the third of reset * h.
  void reset_first(Stream& stream, const Queue& queue, RecurrentStep step, const char* r, char* scratch) const {
    const int64_t n = step.hidden;
    const auto unit = static_cast<int64_t>(unit_);
    // The products are narrower than the rows of from_h: each goes to its columns.
    const auto columns = [&](const char* from, int64_t count, int64_t first) {
      const base::Dims dims = {step.batch, count};
      launch_copy(queue, *walk<2>(dims, {base::Dims{count, 1}, base::Dims{3 * n, 1}}), static_cast<int>(unit_), from,
                  scratch + from_h_ + first * unit);
    };
    char* gates = scratch + gates_;
    gates_h_->run(stream, step.h, r, nullptr, gates, scratch);
    columns(gates, 2 * n, 0);
    step.cell = RecurrentCell::kGruReset;
    step.next = scratch + reset_;
    launch_recurrent(queue, work_, step);
    new_h_->run(stream, scratch + reset_, r + 2 * n * n * unit, nullptr, scratch + from_reset_, scratch);
    columns(scratch + from_reset_, n, 2 * n);
  }

  DType type_, work_;
  size_t unit_;
  bool lstm_;
  ops::attributes::Recurrent attributes_;
  RecurrentStep step_;
  int64_t input_ = 0, y_direction_ = 0;
  std::optional<Product> all_x_, all_h_, gates_h_, new_h_;
  size_t scratch_ = 0, from_x_ = 0, from_h_ = 0, reset_ = 0, from_reset_ = 0;
  size_t states_[3] = {};  // h, the next h and c
  size_t gates_ = 0;       // of a GRU that resets first
  int64_t in_counts_[kRecurrentInputs] = {}, out_counts_[3] = {};
  size_t in_[kRecurrentInputs] = {}, out_[3] = {};
};

}  // namespace

void kernels_onnx_recurrent(provider::KernelTable& table) {
  for (const char* op : {"RNN", "GRU", "LSTM"}) {
    add<LibraryRecurrent>(table, "", op, "cudnn");
    add<Recurrent>(table, "", op, "cublaslt");
  }
}

}  // namespace onnxrun::cuda
