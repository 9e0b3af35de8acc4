// Walking the groups of kept and reduced axes of a reduction.
#include "cpu/loops/reduce.h"

#include <algorithm>
#include <limits>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kMaxAccumulatorBytes = 16;
constexpr int64_t kMaxElementBytes = 8;

template <class T>
T empty_extreme(bool largest) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) return largest ? -Limits::infinity() : Limits::infinity();
  else return largest ? Limits::lowest() : Limits::max();
}

// Roots and logarithms of integers saturate in the element type as they do in the wider one they are computed in; sums wrap.
void saturate(int64_t* results, int64_t count, DType type) {
  dispatch(Ints{}, type, [&]<class T>(std::type_identity<T>) {
    if constexpr (sizeof(T) < sizeof(int64_t))
      for (int64_t i = 0; i < count; ++i)
        results[i] = std::clamp<int64_t>(results[i], std::numeric_limits<T>::lowest(), std::numeric_limits<T>::max());
  });
}

}  // namespace

std::vector<bool> reduced_axes(const std::vector<int64_t>* axes, int64_t rank, bool noop) {
  if (axes == nullptr || axes->empty()) return std::vector<bool>(static_cast<size_t>(rank), !noop);
  std::vector<bool> reduced(static_cast<size_t>(rank), false);
  for (int64_t axis : base::normalize_axes(*axes, rank, "axes")) reduced[static_cast<size_t>(axis)] = true;
  return reduced;
}

ReduceLoop::ReduceLoop(Reduction reduction, DType type, base::DimsView dims, const std::vector<bool>& reduced)
    : reduction_(reduction), type_(type), kernel_(reduce_kernel(reduction, type)) {
  if (kernel_ == nullptr) throw provider::Declined{fmt::format("no reduction of {}", base::dtype_name(type))};
  element_bytes_ = base::dtype_bits(type) / 8;
  if (type != kernel_->work) {
    load_ = converter(type, kernel_->work);
    save_ = converter(kernel_->work, type);
  }
  struct Axis {
    Group group;
    bool reduced;
  };
  std::vector<Axis> axes;  // merged, innermost first
  outputs_ = 1;
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    (reduced[i] ? reduced_ : outputs_) *= dims[i];
    if (dims[i] == 1) continue;
    if (!axes.empty() && axes.back().reduced == reduced[i]) axes.back().group.size *= dims[i];
    else axes.push_back({{dims[i], stride}, reduced[i]});
    stride *= dims[i];
  }
  if (outputs_ == 0 || reduced_ == 0) return;
  size_t next = 0;
  inner_reduced_ = axes.empty() || axes.front().reduced;
  if (!axes.empty()) inner_ = axes[next++].group;
  if (!inner_reduced_ && next < axes.size()) rows_ = axes[next++].group;
  for (; next < axes.size(); ++next) (axes[next].reduced ? reducing_ : kept_).push_back(axes[next].group);
  std::reverse(kept_.begin(), kept_.end());
  std::reverse(reducing_.begin(), reducing_.end());
}

int64_t ReduceLoop::kept_offset(int64_t index) const {
  int64_t offset = 0;
  for (size_t g = kept_.size(); g-- > 1;) {
    offset += index % kept_[g].size * kept_[g].stride;
    index /= kept_[g].size;
  }
  return kept_.empty() ? offset : offset + index * kept_[0].stride;
}

// Calls f(offset) for each combination of indices of the outer reduced groups.
template <class F>
void ReduceLoop::each_reduced(Pacer& pacer, F&& f) const {
  const int64_t steps = inner_reduced_ ? inner_.size : rows_.size * std::min(kColumns, inner_.size);
  int64_t total = 1;
  for (const Group& group : reducing_) total *= group.size;
  for (int64_t i = 0; i < total; ++i) {
    int64_t offset = 0, rest = i;
    for (size_t g = reducing_.size(); g-- > 0;) {
      offset += rest % reducing_[g].size * reducing_[g].stride;
      rest /= reducing_[g].size;
    }
    f(offset);
    pacer.did(steps);
  }
}

void ReduceLoop::store(const void* accumulators, int64_t count, char* out) const {
  if (save_ == nullptr) return kernel_->finish(accumulators, count, reduced_, out);
  alignas(64) char results[kColumns * kMaxElementBytes];
  kernel_->finish(accumulators, count, reduced_, results);
  const bool real =
      reduction_ == Reduction::kL2 || reduction_ == Reduction::kLogSum || reduction_ == Reduction::kLogSumExp;
  if (real && kernel_->work == DType::kInt64) saturate(reinterpret_cast<int64_t*>(results), count, type_);
  save_(results, out, count);
}

// Outputs [begin, end), each from contiguous runs.
void ReduceLoop::runs(const char* in, char* out, int64_t begin, int64_t end, Pacer& pacer) const {
  alignas(64) char accumulators[kColumns * kMaxAccumulatorBytes];
  alignas(64) char buffer[kRun * kMaxElementBytes];
  for (int64_t first = begin; first < end; first += kColumns) {
    const int64_t count = std::min(kColumns, end - first);
    kernel_->start(accumulators, count);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t base = kept_offset(first + i);
      void* accumulator = accumulators + i * kernel_->accumulator_bytes;
      each_reduced(pacer, [&](int64_t offset) {
        const char* run = in + (base + offset) * element_bytes_;
        for (int64_t at = 0; at < inner_.size; at += kRun) {
          const int64_t n = std::min(kRun, inner_.size - at);
          const void* x = run + at * element_bytes_;
          if (load_ != nullptr) {
            load_(x, buffer, n);
            x = buffer;
          }
          kernel_->feed_run(accumulator, x, n);
        }
      });
    }
    store(accumulators, count, out + first * element_bytes_);
  }
}

// Tiles [begin, end) of up to kColumns adjacent outputs, fed by rows.
void ReduceLoop::columns(const char* in, char* out, int64_t begin, int64_t end, Pacer& pacer) const {
  constexpr int64_t kRows = 8;
  alignas(64) char accumulators[kColumns * kMaxAccumulatorBytes];
  alignas(64) char buffer[kRows * kColumns * kMaxElementBytes];
  const int64_t work_bytes = base::dtype_bits(kernel_->work) / 8;
  const int64_t tiles = (inner_.size + kColumns - 1) / kColumns;
  for (int64_t item = begin; item < end; ++item) {
    const int64_t outer = item / tiles;
    const int64_t column = item % tiles * kColumns;
    const int64_t count = std::min(kColumns, inner_.size - column);
    const int64_t base = kept_offset(outer) + column;
    kernel_->start(accumulators, count);
    each_reduced(pacer, [&](int64_t offset) {
      const char* x = in + (base + offset) * element_bytes_;
      if (load_ == nullptr) return kernel_->feed_rows(accumulators, x, rows_.stride, rows_.size, count);
      for (int64_t row = 0; row < rows_.size; row += kRows) {
        const int64_t n = std::min(kRows, rows_.size - row);
        for (int64_t r = 0; r < n; ++r)
          load_(x + (row + r) * rows_.stride * element_bytes_, buffer + r * kColumns * work_bytes, count);
        kernel_->feed_rows(accumulators, buffer, kColumns, n, count);
      }
    });
    store(accumulators, count, out + (outer * inner_.size + column) * element_bytes_);
  }
}

void ReduceLoop::fill_empty(void* out) const {
  const bool largest = reduction_ == Reduction::kMax;
  if (largest || reduction_ == Reduction::kMin) {
    if (type_ == DType::kBool) return static_cast<void>(std::fill_n(static_cast<bool*>(out), outputs_, !largest));
    const bool filled = dispatch(WideNumbers(), type_, [&]<class T>(std::type_identity<T>) {
      std::fill_n(static_cast<T*>(out), outputs_, empty_extreme<T>(largest));
    });
    if (filled) return;
  }
  alignas(64) char accumulators[kColumns * kMaxAccumulatorBytes];
  for (int64_t first = 0; first < outputs_; first += kColumns) {
    const int64_t count = std::min(kColumns, outputs_ - first);
    kernel_->start(accumulators, count);
    store(accumulators, count, static_cast<char*>(out) + first * element_bytes_);
  }
}

void ReduceLoop::run(RunContext& context, const void* in, void* out) const {
  if (outputs_ == 0) return;
  if (reduced_ == 0) return fill_empty(out);
  const char* from = static_cast<const char*>(in);
  char* to = static_cast<char*>(out);
  if (inner_reduced_) {
    parallel_polled(context, outputs_, Cost(reduced_) * element_bytes_, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      runs(from, to, begin, end, pacer);
    });
  } else {
    const int64_t tiles = (inner_.size + kColumns - 1) / kColumns;
    parallel_polled(context, outputs_ / inner_.size * tiles,
                    Cost(reduced_) * std::min(kColumns, inner_.size) * element_bytes_, [&](int64_t begin, int64_t end) {
                      Pacer pacer(context);
                      columns(from, to, begin, end, pacer);
                    });
  }
}

}  // namespace onnxrun::cpu
