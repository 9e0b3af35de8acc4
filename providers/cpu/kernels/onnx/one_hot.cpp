// OneHot: off everywhere, then on at each index that lies in the new axis.
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using IndexTypes = Join<Floats, Ints>;

constexpr int64_t kNowhere = INT64_MIN;

template <class T>
int64_t as_index(T value) {
  if constexpr (std::is_integral_v<T>) {
    if constexpr (sizeof(T) == 8 && std::is_unsigned_v<T>)
      return value > static_cast<T>(INT64_MAX) ? kNowhere : static_cast<int64_t>(value);
    else return static_cast<int64_t>(value);
  } else {
    const double number = static_cast<double>(value);
    return std::abs(number) < 9e18 ? static_cast<int64_t>(number) : kNowhere;
  }
}

class OneHot {
 public:
  static Acceptance accepts(const Node& node) {
    const bool indices = dispatch(IndexTypes{}, dtype(node.input(0)), [](auto) {});
    const bool depth = dispatch(IndexTypes{}, dtype(node.input(1)), [](auto) {});
    if (!indices || !depth) return Acceptance::decline("indices or depth of an unusual type");
    return is_packed(node.input(2).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit OneHot(const Node& node) : unit_(unit_of(node.input(2).dtype)) {
    const auto indices = provider::dims(node.input(0));
    const int64_t axis = node.get_int("axis", -1);
    axis_ = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(indices.size()) + 1 : axis);
    dims_.assign(indices.begin(), indices.end());
    outer_ = product(indices, 0, axis_);
    inner_ = product(indices, axis_, indices.size());
  }

  void run(RunContext& context) const {
    int64_t depth = 0;
    dispatch(IndexTypes{}, dtype(context.input(1)),
             [&]<class T>(std::type_identity<T>) { depth = as_index(*context.in<T>(1)); });
    if (depth < 0) base::fail(base::Code::kRunFailed, "OneHot: 'depth' must be 0 or more");
    base::Dims dims = dims_;
    dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis_), depth);
    void* out = open_output(context, 0, dims).data;
    const void* off = context.input(2).data;
    const void* on = at(context.input(2).data, unit_, 1);
    dispatch(IndexTypes{}, dtype(context.input(0)), [&]<class T>(std::type_identity<T>) {
      const T* indices = context.in<T>(0);
      parallel_polled(context, outer_, Cost(depth) * inner_ * unit_.bytes, [&](int64_t begin, int64_t end) {
        fill_run(unit_, off, at(out, unit_, begin * depth * inner_), (end - begin) * depth * inner_);
        for (int64_t i = begin * inner_; i < end * inner_; ++i) {
          int64_t index = as_index(indices[i]);
          if (index < -depth || index >= depth) continue;
          if (index < 0) index += depth;
          copy_run(unit_, on, at(out, unit_, (i / inner_ * depth + index) * inner_ + i % inner_), 1);
        }
      });
    });
  }

 private:
  Unit unit_;
  size_t axis_ = 0;
  base::Dims dims_;
  int64_t outer_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_one_hot(provider::KernelTable& table) { table.add<OneHot>("", "OneHot", "reference"); }

}  // namespace onnxrun::cpu
