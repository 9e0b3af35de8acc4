// DFT and STFT: groups of rows side by side, in the element's own type (float16 and bfloat16 in float32).
#include "ops/attributes/fourier.h"

#include <algorithm>
#include <span>
#include <type_traits>
#include <vector>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/axis.h"
#include "cpu/loops/fourier.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

template <class E>
using Work = std::conditional_t<std::is_same_v<E, double>, double, float>;

// Rows of transforms, `most_rows` at most, which threads share out in groups.
struct Groups {
  int64_t most_rows = 0, at_once = 1, slots = 1, longest = 1;
  size_t work_bytes = 0;

  Groups() = default;
  // Rows may have any of the lengths.
  Groups(DType type, int64_t rows, std::span<const int64_t> lengths, int threads)
      : most_rows(rows), longest(*std::max_element(lengths.begin(), lengths.end())) {
    constexpr int64_t kElements = 8192;  // of a group: it stays in the second-level cache
    at_once = std::clamp<int64_t>(std::min(kElements / longest, rows), 1, 16);
    slots = std::clamp<int64_t>((rows + at_once - 1) / at_once, 1, std::max(threads, 1));
    for (const int64_t length : lengths)
      work_bytes = std::max(work_bytes, type == DType::kFloat64 ? FourierTransform<double>::work_bytes(length, at_once)
                                                                : FourierTransform<float>::work_bytes(length, at_once));
  }
  // Both parts of a group, then what the transform works with; a multiple of 8.
  template <class T>
  size_t slot_bytes() const {
    return parts_bytes<T>() + (work_bytes + 7) / 8 * 8;
  }
  template <class T>
  size_t parts_bytes() const {
    return (static_cast<size_t>(2 * longest * at_once) * sizeof(T) + 7) / 8 * 8;
  }

  // Calls load(first, count, re, im), transforms `count` rows of T, [length, count], then calls save of the same form, for all `rows`.
  template <class T, class LoadRows, class SaveRows>
  void transform(RunContext& context, int64_t rows, const FourierTransform<T>& fourier, bool inverse, LoadRows load,
                 SaveRows save) const {
    const int64_t groups = (rows + at_once - 1) / at_once;
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      for (int64_t slot = begin; slot < end; ++slot) {
        char* memory = static_cast<char*>(context.scratch()) + static_cast<size_t>(slot) * slot_bytes<T>();
        T *re = reinterpret_cast<T*>(memory), *im = re + fourier.length() * at_once;
        for (int64_t group = slot * groups / slots; group < (slot + 1) * groups / slots; ++group) {
          const int64_t first = group * at_once, count = std::min(at_once, rows - first);
          load(first, count, re, im);
          fourier.run(re, im, count, inverse, memory + parts_bytes<T>(), &pacer);
          pacer.did(fourier.length() * count);
          save(first, count, static_cast<T*>(re), static_cast<T*>(im));
        }
      }
    });
    context.check_cancelled();
  }
};

// The transform of real values: the second half is the conjugate of the first, and what is its own conjugate is real.
template <class T>
void make_symmetric(T* re, T* im, int64_t length, int64_t rows) {
  for (int64_t k = 0; 2 * k <= length; ++k) {
    const int64_t other = (length - k) % length;
    for (int64_t r = 0; r < rows; ++r) {
      if (other == k) im[k * rows + r] = 0;
      re[other * rows + r] = re[k * rows + r];
      if (other != k) im[other * rows + r] = -im[k * rows + r];
    }
  }
}

// Adds the lengths that a transform may have whose result is `size` long: the spectrum of one side may be that of an even length or of an odd one.
void add_lengths(int64_t size, bool one_side, std::vector<int64_t>& lengths) {
  if (!one_side) return lengths.push_back(size);
  lengths.push_back(std::max<int64_t>(1, 2 * size - 2));
  lengths.push_back(std::max<int64_t>(1, 2 * size - 1));
}

// Base of `Kernel`, which has a template transform<E>(RunContext&) const for elements E.
template <class Kernel>
class FourierKernel {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  size_t scratch_bytes() const {
    return static_cast<size_t>(groups_.slots) *
           (type_ == DType::kFloat64 ? groups_.slot_bytes<double>() : groups_.slot_bytes<float>());
  }
  void run(RunContext& context) const {
    dispatch(Floats(), type_, [&](auto type) {
      static_cast<const Kernel&>(*this).template transform<typename decltype(type)::type>(context);
    });
  }

 protected:
  explicit FourierKernel(DType type) : type_(type) {}

  template <class T>
  const LatestTransform<T>& latest() const {
    if constexpr (std::is_same_v<T, double>) return double_;
    else return float_;
  }

  DType type_;
  Groups groups_;

 private:
  LatestTransform<float> float_;
  LatestTransform<double> double_;
};

class Dft : public FourierKernel<Dft> {
 public:
  explicit Dft(const Node& node) : FourierKernel(dtype(node.input(0))), kind_(ops::attributes::Fourier::read(node)) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    const int64_t count = provider::count(node.output(0));
    if (count == 0) return;
    // The axis may be an input, which is any of them.
    std::vector<int64_t> lengths;
    int64_t rows = 0;
    for (size_t d = 0; d + 1 < out.size(); ++d) {
      add_lengths(out[d], kind_.onesided && !kind_.inverse, lengths);
      rows = std::max(rows, count / out.back() / out[d]);
    }
    groups_ = Groups(type_, rows, lengths, node.threads());
  }

  template <class E>
  void transform(RunContext& context) const {
    using T = Work<E>;
    const auto in_dims = provider::dims(context.input(0)), out_dims = provider::dims(context.output(0));
    const auto rank = static_cast<int64_t>(in_dims.size());
    const int64_t axis = base::normalize_axis(context.has_input(2) ? int_at(context.input(2), 0) : -2, rank);
    const AxisView in(in_dims.first(in_dims.size() - 1), axis), out(out_dims.first(out_dims.size() - 1), axis);
    if (out.empty()) return;
    const int64_t in_parts = in_dims.back(), out_parts = out_dims.back();
    int64_t length = in.size;
    if (context.has_input(1)) length = int_at(context.input(1), 0);
    else if (kind_.to_real()) length = 2 * (in.size - 1);
    Pacer pacer(context);
    const auto fourier = latest<T>().of(length, &pacer);
    const T factor = kind_.inverse ? static_cast<T>(1.0 / static_cast<double>(length)) : T(1);
    const E* x = context.in<E>(0);
    E* y = context.out<E>(0);
    const auto load = [&](int64_t first, int64_t count, T* re, T* im) {
      for (int64_t r = 0; r < count; ++r) {
        const int64_t outer = (first + r) / in.inner, inner = (first + r) % in.inner;
        for (int64_t k = 0; k < length; ++k) {
          // A one-sided spectrum's other half is its conjugate.
          const bool mirrored = kind_.to_real() && k > length / 2;
          const int64_t from = mirrored ? length - k : k, at = ((outer * in.size + from) * in.inner + inner) * in_parts;
          const bool real = in_parts == 1 || (kind_.to_real() && 2 * from % length == 0);
          re[k * count + r] = from < in.size ? static_cast<T>(x[at]) : T(0);
          const T imaginary = from < in.size && !real ? static_cast<T>(x[at + 1]) : T(0);
          im[k * count + r] = mirrored ? -imaginary : imaginary;
        }
      }
    };
    const auto save = [&](int64_t first, int64_t count, T* re, T* im) {
      if (in_parts == 1) make_symmetric(re, im, length, count);
      for (int64_t r = 0; r < count; ++r) {
        const int64_t outer = (first + r) / out.inner, inner = (first + r) % out.inner;
        for (int64_t k = 0; k < out.size; ++k) {
          const int64_t at = ((outer * out.size + k) * out.inner + inner) * out_parts;
          y[at] = static_cast<E>(re[k * count + r] * factor);
          if (out_parts == 2) y[at + 1] = static_cast<E>(im[k * count + r] * factor);
        }
      }
    };
    groups_.transform(context, out.outer * out.inner, *fourier, kind_.inverse, load, save);
  }

 private:
  ops::attributes::Fourier kind_;
};

class Stft : public FourierKernel<Stft> {
 public:
  explicit Stft(const Node& node) : FourierKernel(dtype(node.input(0))) {
    const auto out = provider::dims(node.output(0));
    if (provider::count(node.output(0)) == 0) return;
    std::vector<int64_t> lengths;
    add_lengths(out[2], node.get_int("onesided", 1) != 0, lengths);
    groups_ = Groups(type_, out[0] * out[1], lengths, node.threads());
  }

  template <class E>
  void transform(RunContext& context) const {
    using T = Work<E>;
    const auto signal = provider::dims(context.input(0)), out = provider::dims(context.output(0));
    if (provider::count(context.output(0)) == 0) return;
    const int64_t step = int_at(context.input(1), 0), parts = signal[2];
    int64_t length = signal[1];
    if (context.has_input(2)) length = provider::count(context.input(2));
    else if (context.has_input(3)) length = int_at(context.input(3), 0);
    Pacer pacer(context);
    const auto fourier = latest<T>().of(length, &pacer);
    const E *x = context.in<E>(0), *window = context.has_input(2) ? context.in<E>(2) : nullptr;
    E* y = context.out<E>(0);
    const auto load = [&](int64_t first, int64_t count, T* re, T* im) {
      for (int64_t r = 0; r < count; ++r) {
        const E* from = x + ((first + r) / out[1] * signal[1] + (first + r) % out[1] * step) * parts;
        for (int64_t k = 0; k < length; ++k) {
          const T weight = window == nullptr ? T(1) : static_cast<T>(window[k]);
          re[k * count + r] = weight * static_cast<T>(from[k * parts]);
          im[k * count + r] = parts == 2 ? weight * static_cast<T>(from[k * parts + 1]) : T(0);
        }
      }
    };
    const auto save = [&](int64_t first, int64_t count, T* re, T* im) {
      if (parts == 1) make_symmetric(re, im, length, count);
      for (int64_t r = 0; r < count; ++r)
        for (int64_t k = 0; k < out[2]; ++k) {
          E* to = y + ((first + r) * out[2] + k) * 2;
          to[0] = static_cast<E>(re[k * count + r]);
          to[1] = static_cast<E>(im[k * count + r]);
        }
    };
    groups_.transform(context, groups_.most_rows, *fourier, false, load, save);
  }
};

}  // namespace

void kernels_onnx_dft(provider::KernelTable& table) {
  table.add<Dft>("", "DFT", "reference");
  table.add<Stft>("", "STFT", "reference");
}

}  // namespace onnxrun::cpu
