// Resize: rows of the output are weighted sums of rows of the input, resampled along the last axis.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/resample.h"
#include "cpu/loops/work_operands.h"

namespace onnxrun::cpu {
namespace {

class Resize {
 public:
  static Acceptance accepts(const Node&) {
    Acceptance acceptance;
    acceptance.host_input(1).host_input(2).host_input(3);
    return acceptance;
  }
  explicit Resize(const Node& node)
      : attributes_(ops::read_resize(node, node.input(0).rank)),
        type_(dtype(node.input(0))),
        unit_(unit_of(node.input(0).dtype)) {
    if (attributes_.mode != ops::ResizeMode::kNearest) {
      load_ = converter(type_, DType::kFloat32);
      if (load_ == nullptr || converter(DType::kFloat32, type_) == nullptr)
        throw provider::Declined{"elements that cannot be interpolated"};
    }
    wide_ = type_ == DType::kFloat64 || (base::is_integer(type_) && unit_.bytes > 2);
    // With everything known now, runs share one plan.
    const auto known = [&](size_t i) { return !node.has_input(i) || node.input(i).data != nullptr; };
    const bool needs_roi = attributes_.transform == ops::ResizeTransform::kCropAndResize;
    if (known(2) && known(3) && (!needs_roi || known(1)) && provider::shape_known(node.input(0)))
      plan_ = std::make_unique<ResizePlan>(attributes_, node.input(0), node.input(1), node.input(2), node.input(3));
  }

  size_t table_bytes() const {
    size_t bytes = plan_ ? sizeof *plan_ : 0;
    if (plan_)
      for (const ResampleAxis& axis : plan_->axes) bytes += sizeof axis + axis.table_bytes();
    return bytes;
  }
  void run(RunContext& context) const {
    static constexpr onnxrun_tensor kAbsent{};
    const auto input = [&](size_t i) -> const onnxrun_tensor& {
      return context.has_input(i) ? context.input(i) : kAbsent;
    };
    std::unique_ptr<ResizePlan> made;
    if (plan_ == nullptr) made = std::make_unique<ResizePlan>(attributes_, input(0), input(1), input(2), input(3));
    const ResizePlan& plan = plan_ ? *plan_ : *made;
    const onnxrun_tensor& y = open_output(context, 0, plan.out);
    if (provider::count(y) == 0) return;
    if (attributes_.mode == ops::ResizeMode::kNearest) {
      with_storage(unit_, [&](auto zero) { gather<decltype(zero)>(context, plan, y); });
    } else if (wide_) {
      interpolate<double>(context, plan, y);
    } else {
      interpolate<float>(context, plan, y);
    }
    context.check_cancelled();
  }

 private:
  // Calls f(output row, output coordinates) for all rows, in parallel.
  template <class F>
  static void each_row(RunContext& context, const ResizePlan& plan, int64_t cost, F&& f) {
    const size_t last = plan.axes.size() - 1;
    int64_t rows = 1;
    for (size_t d = 0; d < last; ++d) rows *= plan.axes[d].out;
    context.parallel(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, cost)), [&](int64_t begin, int64_t end) {
      int64_t at[kMaxAxes];
      for (int64_t row = begin; row < end; ++row) {
        if ((row & 15) == 0 && context.cancelled()) return;
        int64_t rest = row;
        for (size_t d = last; d-- > 0;) {
          at[d] = rest % plan.axes[d].out;
          rest /= plan.axes[d].out;
        }
        f(row, static_cast<const int64_t*>(at));
      }
    });
  }

  static bool extrapolates(const ResampleAxis& axis, int64_t o) {
    return !axis.extrapolated.empty() && axis.extrapolated[static_cast<size_t>(o)];
  }

  // Of an output row and one choice of taps: the input row.
  static int64_t input_row(const ResizePlan& plan, const int64_t* at, int64_t choice, double* weight) {
    int64_t row = 0;
    *weight = 1;
    for (size_t d = 0; d + 1 < plan.axes.size(); ++d) {
      const ResampleAxis& axis = plan.axes[d];
      int64_t index = at[d];
      if (!axis.identity) {
        const int64_t tap = at[d] * axis.taps + choice % axis.taps;
        choice /= axis.taps;
        index = axis.indices[static_cast<size_t>(tap)];
        *weight *= axis.weights[static_cast<size_t>(tap)];
      }
      row = row * axis.in + index;
    }
    return row;
  }
  static bool row_extrapolates(const ResizePlan& plan, const int64_t* at) {
    for (size_t d = 0; d + 1 < plan.axes.size(); ++d)
      if (extrapolates(plan.axes[d], at[d])) return true;
    return false;
  }

  template <class T>
  void gather(RunContext& context, const ResizePlan& plan, const onnxrun_tensor& y) const {
    const ResampleAxis& last = plan.axes.back();
    T fill{};
    if (attributes_.transform == ops::ResizeTransform::kCropAndResize)
      if constexpr (std::is_trivially_copyable_v<T>)
        if (const Converter store = converter(DType::kFloat32, type_)) store(&attributes_.extrapolation, &fill, 1);
    const T* x = context.in<T>(0);
    each_row(context, plan, last.out, [&](int64_t row, const int64_t* at) {
      double weight;
      const T* from = x + input_row(plan, at, 0, &weight) * last.in;
      T* to = static_cast<T*>(y.data) + row * last.out;
      if (row_extrapolates(plan, at)) {
        std::fill_n(to, last.out, fill);
      } else if (last.identity) {
        std::copy_n(from, last.out, to);
      } else {
        for (int64_t o = 0; o < last.out; ++o)
          to[o] = extrapolates(last, o) ? fill : from[last.indices[static_cast<size_t>(o)]];
      }
    });
  }

  // Stores a row of results, rounded and saturated for integers.
  template <class W>
  void store(W* row, void* to, int64_t count) const {
    if (base::is_integer(type_)) {
      const int bits = base::dtype_bits(type_);
      const bool has_sign = base::is_signed_integer(type_);
      const W low = has_sign ? -std::ldexp(W(1), bits - 1) : W(0);
      const W high = std::ldexp(W(1), has_sign ? bits - 1 : bits) - (bits > 52 ? std::ldexp(W(1), bits - 53) : W(1));
      for (int64_t i = 0; i < count; ++i) row[i] = std::clamp(std::nearbyint(row[i]), low, high);
    }
    static_assert(std::is_floating_point_v<W>);
    converter(dtype_of<W>, type_)(row, to, count);
  }

  template <class W>
  void interpolate(RunContext& context, const ResizePlan& plan, const onnxrun_tensor& y) const {
    const ResampleAxis& last = plan.axes.back();
    const Converter load = converter(type_, dtype_of<W>);
    const char* x = context.in<char>(0);
    const double cost = static_cast<double>(last.in) * static_cast<double>(plan.outer_taps) +
                        static_cast<double>(last.out) * static_cast<double>(last.taps);
    each_row(context, plan, static_cast<int64_t>(std::min(cost, 1e9)), [&](int64_t row, const int64_t* at) {
      Pacer pacer(context);
      // Two pieces of a few kilobytes serve rows of any length: columns are taken piece by piece.
      constexpr int64_t kPiece = 512;
      W sums[kPiece], loaded[kPiece], results[kPiece];
      char* to = static_cast<char*>(y.data) + row * last.out * unit_.bytes;
      const bool outside = row_extrapolates(plan, at);
      for (int64_t first = 0; first < last.out;) {
        // As many output columns as have their input columns within one piece.
        int64_t low = column(last, first, 0), high = low, stop = first;
        for (; stop < last.out && stop - first < kPiece; ++stop) {
          int64_t new_low = low, new_high = high;
          for (int64_t t = 0; t < last.taps; ++t) {
            new_low = std::min(new_low, column(last, stop, t));
            new_high = std::max(new_high, column(last, stop, t));
          }
          if (new_high - new_low >= kPiece) break;
          low = new_low;
          high = new_high;
        }
        if (stop == first) {  // one column takes more than a piece
          results[0] = wide_column<W>(plan, at, first, x, load, pacer);
          if (outside || extrapolates(last, first)) results[0] = static_cast<W>(attributes_.extrapolation);
          store(results, to + first * unit_.bytes, 1);
          ++first;
          continue;
        }
        const int64_t span = high - low + 1;
        std::fill_n(sums, span, W(0));
        for (int64_t choice = 0; choice < plan.outer_taps; ++choice) {
          double weight;
          pacer.did(span + 8 * static_cast<int64_t>(plan.axes.size()));
          const int64_t from = input_row(plan, at, choice, &weight);
          if (weight == 0) continue;
          load(x + (from * last.in + low) * unit_.bytes, loaded, span);
          const W w = static_cast<W>(weight);
          for (int64_t i = 0; i < span; ++i) sums[i] += w * loaded[i];
        }
        for (int64_t o = first; o < stop; ++o) {
          W value = 0;
          if (last.identity) value = sums[o - low];
          else
            for (int64_t t = 0; t < last.taps; ++t)
              value +=
                  static_cast<W>(last.weights[static_cast<size_t>(o * last.taps + t)]) * sums[column(last, o, t) - low];
          results[o - first] = outside || extrapolates(last, o) ? static_cast<W>(attributes_.extrapolation) : value;
        }
        store(results, to + first * unit_.bytes, stop - first);
        first = stop;
      }
    });
  }

  static int64_t column(const ResampleAxis& axis, int64_t o, int64_t tap) {
    return axis.identity ? o : axis.indices[static_cast<size_t>(o * axis.taps + tap)];
  }

  template <class W>
  W wide_column(const ResizePlan& plan, const int64_t* at, int64_t o, const char* x, Converter load,
                Pacer& pacer) const {
    const ResampleAxis& last = plan.axes.back();
    W sum = 0;
    for (int64_t choice = 0; choice < plan.outer_taps; ++choice) {
      double weight;
      pacer.did(last.taps * 4 + 8 * static_cast<int64_t>(plan.axes.size()));
      const int64_t from = input_row(plan, at, choice, &weight);
      for (int64_t t = 0; t < last.taps; ++t) {
        W value;
        load(x + (from * last.in + column(last, o, t)) * unit_.bytes, &value, 1);
        sum += static_cast<W>(weight * last.weights[static_cast<size_t>(o * last.taps + t)]) * value;
      }
    }
    return sum;
  }

  static constexpr size_t kMaxAxes = 64;
  ops::ResizeAttributes attributes_;
  DType type_;
  Unit unit_;
  Converter load_ = nullptr;
  bool wide_ = false;
  std::unique_ptr<ResizePlan> plan_;
};

}  // namespace

void kernels_onnx_resize(provider::KernelTable& table) {
  add_fast_resize(table);
  table.add<Resize>("", "Resize", "reference");
}

}  // namespace onnxrun::cpu
