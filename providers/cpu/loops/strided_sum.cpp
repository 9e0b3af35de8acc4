// Choice of the inner axis of a sum of products, and the walk over the others.
#include "cpu/loops/strided_sum.h"

#include <algorithm>
#include <type_traits>

#include "base/checked.h"
#include "cpu/loops/product_rows.h"

namespace onnxrun::cpu {
namespace {

// Appends an axis, or joins it with the one before where both are one run in all arrays.
void append(std::vector<SumAxis>& axes, const SumAxis& axis) {
  if (axis.size == 1) return;
  if (!axes.empty()) {
    SumAxis& last = axes.back();
    if (last.a == axis.a * axis.size && last.b == axis.b * axis.size && last.y == axis.y * axis.size) {
      last = {last.size * axis.size, axis.a, axis.b, axis.y};
      return;
    }
  }
  axes.push_back(axis);
}

// How much is gained with an axis as the inner one.
int64_t merit(const SumAxis& axis) {
  const auto short_step = [](int64_t step) { return step == 0 || step == 1; };
  if (!short_step(axis.y)) return 0;
  const int64_t size = std::min<int64_t>(axis.size, 1 << 20);
  return short_step(axis.a) && short_step(axis.b) ? size * 8 : size;
}

int64_t count(const std::vector<SumAxis>& axes) {
  int64_t result = 1;
  for (const SumAxis& axis : axes) result = base::checked_mul(result, axis.size);
  return result;
}

// Offsets of an index that counts through axes.
class Walk {
 public:
  Walk(const std::vector<SumAxis>& axes, int64_t at) : axes_(axes), index_(axes.size()) {
    for (size_t d = axes.size(); d-- > 0;) {
      index_[d] = at % axes[d].size;
      at /= axes[d].size;
      move(axes[d], index_[d]);
    }
  }
  void next() {
    for (size_t d = axes_.size(); d-- > 0;) {
      move(axes_[d], 1);
      if (++index_[d] < axes_[d].size) return;
      move(axes_[d], -axes_[d].size);
      index_[d] = 0;
    }
  }
  int64_t a = 0, b = 0, y = 0;

 private:
  void move(const SumAxis& axis, int64_t steps) {
    a += steps * axis.a;
    b += steps * axis.b;
    y += steps * axis.y;
  }
  const std::vector<SumAxis>& axes_;
  std::vector<int64_t> index_;
};

constexpr int64_t kSteps = 64;       // products that are added up in T before they go to Wide
constexpr int64_t kDotSteps = 4096;  // the same, in the many lanes of a dot product

template <class T>
using Wide = std::conditional_t<std::is_floating_point_v<T>, double, T>;

}  // namespace

StridedSum::StridedSum(const std::vector<SumAxis>& axes) {
  for (const SumAxis& axis : axes) append(axis.y != 0 ? outer_ : summed_, axis);
  std::vector<SumAxis>* from = nullptr;
  size_t best = 0;
  for (auto* list : {&outer_, &summed_})
    for (size_t i = 0; i < list->size(); ++i)
      if (merit((*list)[i]) > (from == nullptr ? 0 : merit((*from)[best]))) from = list, best = i;
  if (from == nullptr) return;
  inner_ = (*from)[best];
  from->erase(from->begin() + static_cast<std::ptrdiff_t>(best));
}

template <class T>
void StridedSum::run(RunContext& context, const T* a, const T* b, T* y) const {
  static constexpr T kOne = 1;
  if (b == nullptr) b = &kOne;
  const ProductRows<T>& rows = product_rows<T>();
  const int64_t steps = count(summed_);
  const bool sums_inner = inner_.y == 0;
  const int64_t run = sums_inner ? 1 : std::min(kRun, inner_.size),
                runs = sums_inner ? 1 : (inner_.size + run - 1) / run;
  // All steps over one element that sums the inner axis, or over `n` elements next to each other. After them the walk is where it began.
  const auto dots = [&](Walk& step, const T* left, const T* right, T* to) {
    Wide<T> total = 0;
    for (int64_t s = 0; s < steps; ++s, step.next()) {
      if ((s & 1023) == 1023 && context.cancelled()) return;
      for (int64_t i = 0; i < inner_.size; i += kDotSteps)
        total += static_cast<Wide<T>>(rows.dot(left + step.a + i * inner_.a, inner_.a, right + step.b + i * inner_.b,
                                               inner_.b, std::min(kDotSteps, inner_.size - i)));
    }
    *to = static_cast<T>(total);
  };
  const auto products = [&](Walk& step, const T* left, const T* right, T* to, int64_t n) {
    Wide<T> totals[kRun];
    for (int64_t s = 0; s < steps; ++s, step.next()) {
      if ((s & 1023) == 1023 && context.cancelled()) return;
      rows.multiply(left + step.a, inner_.a, right + step.b, inner_.b, n, s % kSteps != 0, to);
      if (steps <= kSteps || ((s + 1) % kSteps != 0 && s + 1 != steps)) continue;
      for (int64_t i = 0; i < n; ++i) {
        totals[i] = (s < kSteps ? Wide<T>(0) : totals[i]) + static_cast<Wide<T>>(to[i]);
        if (s + 1 == steps) to[i] = static_cast<T>(totals[i]);
      }
    }
  };
  const int64_t item_work = std::max<int64_t>(1, (sums_inner ? inner_.size : run) * steps);
  context.parallel(count(outer_) * runs, std::max<int64_t>(1, 16384 / item_work), [&](int64_t begin, int64_t end) {
    Walk at(outer_, begin / runs), step(summed_, 0);
    int64_t piece = begin % runs;
    for (int64_t item = begin; item < end; ++item) {
      if ((item & 63) == 0 && context.cancelled()) return;
      if (sums_inner) {
        dots(step, a + at.a, b + at.b, y + at.y);
      } else {
        const int64_t first = piece * run;
        products(step, a + at.a + first * inner_.a, b + at.b + first * inner_.b, y + at.y + first,
                 std::min(run, inner_.size - first));
      }
      if (++piece < runs) continue;
      piece = 0;
      at.next();
    }
  });
  context.check_cancelled();
}

template void StridedSum::run(RunContext&, const float*, const float*, float*) const;
template void StridedSum::run(RunContext&, const double*, const double*, double*) const;
template void StridedSum::run(RunContext&, const uint64_t*, const uint64_t*, uint64_t*) const;

}  // namespace onnxrun::cpu
