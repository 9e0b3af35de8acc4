// DFT and STFT, computed in double.
#include "ops/attributes/fourier.h"

#include <algorithm>
#include <vector>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/axis.h"
#include "cpu/loops/fourier.h"
#include "cpu/loops/index.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

using Complex = FourierTransform::Complex;

class Dft {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Dft(const Node& node)
      : kind_(ops::attributes::Fourier::read(node)),
        load_(scalar_load(dtype(node.input(0)))),
        save_(scalar_save(dtype(node.input(0)))) {}

  void run(RunContext& context) const {
    const auto in_dims = provider::dims(context.input(0)), out_dims = provider::dims(context.output(0));
    const auto rank = static_cast<int64_t>(in_dims.size());
    const int64_t axis = base::normalize_axis(context.has_input(2) ? int_at(context.input(2), 0) : -2, rank);
    const AxisView in(in_dims.first(in_dims.size() - 1), axis), out(out_dims.first(out_dims.size() - 1), axis);
    const int64_t in_parts = in_dims.back(), out_parts = out_dims.back();
    int64_t length = in.size;
    if (context.has_input(1)) length = int_at(context.input(1), 0);
    else if (kind_.to_real()) length = 2 * (in.size - 1);
    if (out.empty()) return;
    const FourierTransform transform(length);
    std::vector<Complex> values(static_cast<size_t>(length)), work(static_cast<size_t>(transform.work_size()));
    const double factor = kind_.inverse ? 1.0 / static_cast<double>(length) : 1.0;
    for (int64_t row = 0; row < in.outer * in.inner; ++row) {
      if ((row & 63) == 0) context.check_cancelled();
      const int64_t outer = row / in.inner, inner = row % in.inner;
      const auto read = [&](int64_t k) {
        if (k >= in.size) return Complex();
        const int64_t at = ((outer * in.size + k) * in.inner + inner) * in_parts;
        return Complex(load_(context.input(0).data, at), in_parts == 2 ? load_(context.input(0).data, at + 1) : 0.0);
      };
      // A one-sided spectrum's other half is its conjugate.
      for (int64_t k = 0; k < length; ++k)
        values[static_cast<size_t>(k)] = kind_.to_real() && k > length / 2 ? std::conj(read(length - k)) : read(k);
      if (kind_.to_real()) {
        values[0] = values[0].real();
        if (length % 2 == 0) values[static_cast<size_t>(length / 2)] = values[static_cast<size_t>(length / 2)].real();
      }
      transform.run(values.data(), work.data(), kind_.inverse);
      for (int64_t k = 0; k < out.size; ++k) {
        const int64_t at = ((outer * out.size + k) * out.inner + inner) * out_parts;
        save_(context.output(0).data, at, values[static_cast<size_t>(k)].real() * factor);
        if (out_parts == 2) save_(context.output(0).data, at + 1, values[static_cast<size_t>(k)].imag() * factor);
      }
    }
  }

 private:
  ops::attributes::Fourier kind_;
  Load load_;
  Save save_;
};

class Stft {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Stft(const Node& node)
      : load_(scalar_load(dtype(node.input(0)))), save_(scalar_save(dtype(node.input(0)))) {}

  void run(RunContext& context) const {
    const auto signal = provider::dims(context.input(0)), out = provider::dims(context.output(0));
    const int64_t step = int_at(context.input(1), 0), parts = signal[2];
    int64_t length = signal[1];
    if (context.has_input(2)) length = provider::count(context.input(2));
    else if (context.has_input(3)) length = int_at(context.input(3), 0);
    if (provider::count(context.output(0)) == 0) return;
    const FourierTransform transform(length);
    std::vector<Complex> values(static_cast<size_t>(length)), work(static_cast<size_t>(transform.work_size()));
    for (int64_t row = 0; row < out[0] * out[1]; ++row) {
      if ((row & 63) == 0) context.check_cancelled();
      const int64_t batch = row / out[1], first = row % out[1] * step;
      for (int64_t k = 0; k < length; ++k) {
        const int64_t at = (batch * signal[1] + first + k) * parts;
        const double weight = context.has_input(2) ? load_(context.input(2).data, k) : 1.0;
        values[static_cast<size_t>(k)] =
            weight * Complex(load_(context.input(0).data, at), parts == 2 ? load_(context.input(0).data, at + 1) : 0.0);
      }
      transform.run(values.data(), work.data(), false);
      for (int64_t k = 0; k < out[2]; ++k) {
        save_(context.output(0).data, (row * out[2] + k) * 2, values[static_cast<size_t>(k)].real());
        save_(context.output(0).data, (row * out[2] + k) * 2 + 1, values[static_cast<size_t>(k)].imag());
      }
    }
  }

 private:
  Load load_;
  Save save_;
};

}  // namespace

void kernels_onnx_dft(provider::KernelTable& table) {
  table.add<Dft>("", "DFT", "reference");
  table.add<Stft>("", "STFT", "reference");
}

}  // namespace onnxrun::cpu
