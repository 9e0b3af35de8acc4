// DFT and STFT: rows along an axis, or frames of a signal, transformed side by side.
#include "ops/attributes/fourier.h"

#include <algorithm>

#include "cuda/device/fourier.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

Acceptance accept_floats(const Node& node) {
  return is_plain_float(dtype(node.input(0))) ? Acceptance() : no_kernel(node);
}

// What the way by a chirp loses it loses in double.
bool computed_in_double(DType type, int64_t length) {
  return type == DType::kFloat64 || padded_length(length) != length;
}

// The most scratch memory for `rows` rows whose length is `length`, or one less where that is open.
int64_t most_bytes(int64_t rows, int64_t length, bool open, DType type) {
  if (length > int64_t{1} << 40)
    base::fail(base::Code::kLimitExceeded, "the CUDA provider transforms rows of at most 2^40 elements, not {}",
               length);
  int64_t most = 0;
  for (int64_t n = std::max<int64_t>(1, open ? length - 1 : length); n <= length; ++n) {
    const int64_t padded = padded_length(n);
    base::checked_mul(base::checked_add(base::checked_mul(2, rows), 4), base::checked_mul(padded, 2 * sizeof(double)));
    most = std::max(most, fourier_bytes(rows, padded, computed_in_double(type, n)));
  }
  return most;
}

// The longest row of which one half is kept as `size` elements.
int64_t length_of_half(int64_t size) { return base::checked_sub(base::checked_mul(2, size), 1); }

class Dft {
 public:
  static Acceptance accepts(const Node& node) { return accept_floats(node).host_input(1).host_input(2); }

  explicit Dft(const Node& node) : kind_(ops::attributes::Fourier::read(node)) {
    const auto out = provider::dims(node.output(0));
    const int64_t count = provider::count(node.output(0));
    how_.type = dtype(node.input(0));
    how_.inverse = kind_.inverse;
    how_.halved = kind_.to_real();
    if (count == 0) return;
    // Where only the run knows the axis, there is room for the one that needs most.
    const bool open = kind_.onesided && !kind_.inverse;
    const bool known = !node.has_input(2) || node.input(2).data != nullptr;
    const int64_t axis = !known ? 0
                                : base::normalize_axis(node.has_input(2) ? ints_of(node.input(2))[0] : -2,
                                                       static_cast<int64_t>(out.size()));
    for (size_t d = 0; d + 1 < out.size(); ++d) {
      if (known && d != static_cast<size_t>(axis)) continue;
      scratch_ = std::max(
          scratch_, most_bytes(count / out.back() / out[d], open ? length_of_half(out[d]) : out[d], open, how_.type));
    }
  }
  size_t scratch_bytes() const { return static_cast<size_t>(scratch_); }

  void run(RunContext& context) const {
    const auto in = provider::dims(context.input(0)), out = provider::dims(context.output(0));
    if (provider::count(context.output(0)) == 0) return;
    const auto axis = static_cast<size_t>(base::normalize_axis(context.has_input(2) ? ints_of(context.input(2))[0] : -2,
                                                               static_cast<int64_t>(in.size())));
    const int64_t inner = product(in, axis + 1, in.size() - 1);
    FourierRows how = how_;
    how.rows = product(in, 0, axis) * inner;
    how.length = context.has_input(1) ? ints_of(context.input(1))[0] : how.halved ? 2 * (in[axis] - 1) : in[axis];
    how.padded = padded_length(how.length);
    how.wide = computed_in_double(how.type, how.length);
    how.given = in[axis], how.kept = out[axis];
    how.from = {inner, how.given * inner, 1, inner, in.back()};
    how.to = {inner, how.kept * inner, 1, inner, out.back()};
    launch_fourier(queue_of(context), how, context.input(0).data, context.output(0).data, context.scratch());
  }

 private:
  ops::attributes::Fourier kind_;
  FourierRows how_;
  int64_t scratch_ = 0;
};

class Stft {
 public:
  static Acceptance accepts(const Node& node) { return accept_floats(node).host_input(1).host_input(3); }

  explicit Stft(const Node& node) {
    const auto out = provider::dims(node.output(0));
    how_.type = dtype(node.input(0));
    if (provider::count(node.output(0)) == 0) return;
    const bool open = node.get_int("onesided", 1) != 0;
    scratch_ = most_bytes(out[0] * out[1], open ? length_of_half(out[2]) : out[2], open, how_.type);
  }
  size_t scratch_bytes() const { return static_cast<size_t>(scratch_); }

  void run(RunContext& context) const {
    const auto signal = provider::dims(context.input(0)), out = provider::dims(context.output(0));
    if (provider::count(context.output(0)) == 0) return;
    FourierRows how = how_;
    how.length = context.has_input(2)   ? provider::count(context.input(2))
                 : context.has_input(3) ? ints_of(context.input(3))[0]
                                        : signal[1];
    how.padded = padded_length(how.length);
    how.wide = computed_in_double(how.type, how.length);
    how.rows = out[0] * out[1];
    how.given = how.length, how.kept = out[2];
    if (context.has_input(2)) how.window = context.input(2).data;
    how.from = {out[1], signal[1], ints_of(context.input(1))[0], 1, signal[2]};
    how.to = {1, out[2], 0, 1, 2};
    launch_fourier(queue_of(context), how, context.input(0).data, context.output(0).data, context.scratch());
  }

 private:
  FourierRows how_;
  int64_t scratch_ = 0;
};

}  // namespace

void kernels_onnx_dft(provider::KernelTable& table) {
  add<Dft>(table, "", "DFT", "fast");
  add<Stft>(table, "", "STFT", "fast");
}

}  // namespace onnxrun::cuda
