// Choice of how a contraction is computed, and of the matrices that its operands are.
#include "cpu/loops/contraction.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/checked.h"
#include "cpu/loops/panel_product.h"

namespace onnxrun::cpu {
namespace {

using Labels = std::vector<int>;

Labels join(const Labels& a, const Labels& b, const Labels& c) {
  Labels result = a;
  result.insert(result.end(), b.begin(), b.end());
  result.insert(result.end(), c.begin(), c.end());
  return result;
}

int64_t size_of(const LabelAxes& axes, const Labels& labels) {
  int64_t result = 1;
  for (int label : labels) result = base::checked_mul(result, find_axis(axes, label)->size);
  return result;
}

LabelAxes contiguous(const LabelAxes& axes, const Labels& order) {
  LabelAxes result;
  for (int label : order) result.push_back({label, find_axis(axes, label)->size, 0});
  int64_t stride = 1;
  for (size_t d = result.size(); d-- > 0;) {
    result[d].stride = stride;
    stride = base::checked_mul(stride, result[d].size);
  }
  return result;
}

// Whether the array lies in memory as a contiguous one with its axes in this order.
bool lies_as(const LabelAxes& axes, const Labels& order) {
  const LabelAxes wanted = contiguous(axes, order);
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const LabelAxis& axis) { return find_axis(axes, axis.label)->stride == axis.stride; });
}

// A copy of an array that has its axes in this order.
StridedCopy copy_to(const LabelAxes& axes, const Labels& order, int64_t element_bytes) {
  base::Dims dims, from, to;
  for (const LabelAxis& axis : contiguous(axes, order)) {
    dims.push_back(axis.size);
    from.push_back(find_axis(axes, axis.label)->stride);
    to.push_back(axis.stride);
  }
  return {Unit{element_bytes, false}, dims, from, to};
}

// The labels that `list` has and that `test` accepts.
template <class F>
Labels select(const Labels& list, F&& test) {
  Labels result;
  std::copy_if(list.begin(), list.end(), std::back_inserter(result), test);
  return result;
}

Labels labels_of(const LabelAxes& axes) {
  Labels result;
  for (const LabelAxis& axis : axes) result.push_back(axis.label);
  return result;
}

// Worth the panels: every element is used a few times, and no product is tiny.
constexpr int64_t kLeastRows = 4, kLeastColumns = 8, kLeastDepth = 4, kLeastWork = 4096;

}  // namespace

const LabelAxis* find_axis(const LabelAxes& axes, int label) {
  const auto at = std::find_if(axes.begin(), axes.end(), [&](const LabelAxis& axis) { return axis.label == label; });
  return at == axes.end() ? nullptr : &*at;
}

// One way to see the operands as matrices.
struct Contraction::Form {
  bool swapped = false;
  Labels batch, rows, columns, depth;
  bool copies_left = false, copies_right = false, turned = false, copies_result = false;
  int64_t cost = 0;

  Form(const LabelAxes& left, const LabelAxes& right, const Labels& kept, const Labels& depth_order, bool swap)
      : swapped(swap), depth(depth_order) {
    const auto in = [](const LabelAxes& axes) { return [&](int label) { return find_axis(axes, label) != nullptr; }; };
    const auto in_left = in(left), in_right = in(right);
    batch = select(kept, [&](int label) { return in_left(label) && in_right(label); });
    rows = select(kept, [&](int label) { return in_left(label) && !in_right(label); });
    columns = select(kept, [&](int label) { return !in_left(label) && in_right(label); });
    copies_left = !lies_as(left, join(batch, rows, depth));
    const bool straight = lies_as(right, join(batch, depth, columns));
    turned = !straight && lies_as(right, join(batch, columns, depth));
    copies_right = !straight && !turned;
    copies_result = join(batch, rows, columns) != kept;
    const int64_t b = size_of(left, batch), m = size_of(left, rows), n = size_of(right, columns),
                  k = size_of(left, depth), padded = (n + 15) / 16 * 16;
    const auto product = [](int64_t x, int64_t y, int64_t z) { return base::checked_mul(base::checked_mul(x, y), z); };
    cost = base::checked_mul(product(b, m, k), padded) / 16;
    if (copies_left) cost += product(b, m, k);
    if (copies_right) cost += product(b, k, n);
    if (copies_result) cost += product(b, m, n);
  }
};

Contraction::Contraction(const LabelAxes& a, const LabelAxes* b, const std::vector<int>& kept, DType work)
    : element_bytes_(base::dtype_bits(work) / 8) {
  LabelAxes all = a;
  if (b != nullptr)
    for (const LabelAxis& axis : *b)
      if (find_axis(a, axis.label) == nullptr) all.push_back(axis);
  result_ = contiguous(all, kept);
  count_ = size_of(all, kept);
  const Labels summed = select(labels_of(all), [&](int label) { return find_axis(result_, label) == nullptr; });
  if (b == nullptr && summed.empty()) {
    kind_ = Kind::kCopy;
    copy_ = copy_to(a, kept, element_bytes_);
    return;
  }
  const bool shares_sums = b != nullptr && std::all_of(summed.begin(), summed.end(), [&](int label) {
                             return find_axis(a, label) != nullptr && find_axis(*b, label) != nullptr;
                           });
  if (shares_sums && work != DType::kUint64) plan_product(a, *b);
  if (kind_ == Kind::kProduct) return;
  std::vector<SumAxis> axes;
  const auto add = [&](int label) {
    const auto stride = [&](const LabelAxes* of) {
      const LabelAxis* axis = of == nullptr ? nullptr : find_axis(*of, label);
      return axis == nullptr ? 0 : axis->stride;
    };
    axes.push_back({find_axis(all, label)->size, stride(&a), stride(b), stride(&result_)});
  };
  for (int label : kept) add(label);
  for (int label : summed) add(label);
  sum_ = StridedSum(axes);
}

size_t Contraction::reserve(int64_t elements) {
  const size_t at = scratch_bytes_;
  scratch_bytes_ += (static_cast<size_t>(base::checked_mul(elements, element_bytes_)) + 63) & ~size_t{63};
  return at;
}

void Contraction::plan_product(const LabelAxes& a, const LabelAxes& b) {
  const Labels kept = labels_of(result_);
  std::optional<Form> best;
  for (const bool swap : {false, true})
    for (const LabelAxes* order : {&a, &b}) {
      const Labels depth = select(labels_of(*order), [&](int label) {
        return find_axis(a, label) != nullptr && find_axis(b, label) != nullptr && find_axis(result_, label) == nullptr;
      });
      Form form(swap ? b : a, swap ? a : b, kept, depth, swap);
      if (!best || form.cost < best->cost) best = std::move(form);
    }
  const LabelAxes &left = best->swapped ? b : a, &right = best->swapped ? a : b;
  ProductGeometry& g = geometry_;
  g.batch = size_of(left, best->batch);
  g.m = size_of(left, best->rows);
  g.n = size_of(right, best->columns);
  g.k = size_of(left, best->depth);
  if (g.m < kLeastRows || g.n < kLeastColumns || g.k < kLeastDepth || g.m * g.n * g.k < kLeastWork) return;
  kind_ = Kind::kProduct;
  g.a.resize(static_cast<size_t>(g.batch));
  std::iota(g.a.begin(), g.a.end(), int64_t{0});
  g.b = g.a;
  swapped_ = best->swapped;
  copies_left_ = best->copies_left;
  copies_right_ = best->copies_right;
  copies_result_ = best->copies_result;
  right_row_ = best->turned ? 1 : g.n;
  right_column_ = best->turned ? g.k : 1;
  const Labels result_order = join(best->batch, best->rows, best->columns);
  if (copies_left_) {
    copy_left_ = copy_to(left, join(best->batch, best->rows, best->depth), element_bytes_);
    left_at_ = reserve(size_of(left, labels_of(left)));
  }
  if (copies_right_) {
    copy_right_ = copy_to(right, join(best->batch, best->depth, best->columns), element_bytes_);
    right_at_ = reserve(size_of(right, labels_of(right)));
  }
  if (copies_result_) {
    copy_result_ = copy_to(contiguous(result_, result_order), kept, element_bytes_);
    result_at_ = reserve(count_);
  }
  panels_at_ = reserve(loose_scratch_floats(g.batch, g.k, g.n));
}

template <class T>
void Contraction::multiply(RunContext& context, const T* left, const T* right, T* y, char* scratch) const {
  const auto at = [&](size_t offset) { return reinterpret_cast<T*>(scratch + offset); };
  if (copies_left_) {
    copy_left_.run(context, left, at(left_at_));
    left = at(left_at_);
  }
  if (copies_right_) {
    copy_right_.run(context, right, at(right_at_));
    right = at(right_at_);
  }
  T* product = copies_result_ ? at(result_at_) : y;
  const LooseMatrices<T> matrices{right, geometry_.batch, geometry_.k, right_row_, right_column_};
  multiply_loose(context, geometry_, left, matrices, at(panels_at_), false, product);
  if (copies_result_) copy_result_.run(context, product, y);
}

template <class T>
void Contraction::run(RunContext& context, const T* a, const T* b, T* y, char* scratch) const {
  if (kind_ == Kind::kCopy) return copy_.run(context, a, y);
  if constexpr (std::is_floating_point_v<T>) {
    if (kind_ == Kind::kProduct) return multiply(context, swapped_ ? b : a, swapped_ ? a : b, y, scratch);
  }
  sum_.run(context, a, b, y);
}

template void Contraction::run(RunContext&, const float*, const float*, float*, char*) const;
template void Contraction::run(RunContext&, const double*, const double*, double*, char*) const;
template void Contraction::run(RunContext&, const uint64_t*, const uint64_t*, uint64_t*, char*) const;

}  // namespace onnxrun::cpu
