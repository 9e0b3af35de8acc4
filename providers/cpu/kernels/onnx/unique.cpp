// Unique: slices sorted by their order keys, then counted; equal slices keep the order they have in the input. Complex numbers order by their
// real parts, then by their imaginary ones.
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/order_key.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using OrderedTypes = Join<Floats, Ints>;

// The type of what an element is compared by.
DType part_of(DType type) {
  return type == DType::kComplex64 ? DType::kFloat32 : type == DType::kComplex128 ? DType::kFloat64 : type;
}

class Unique {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = part_of(dtype(node.input(0)));
    const bool known = type == DType::kString || type == DType::kBool || dispatch(OrderedTypes{}, type, [](auto) {});
    return known ? Acceptance() : Acceptance::decline("no order on this type");
  }

  explicit Unique(const Node& node)
      : dtype_(part_of(dtype(node.input(0)))),
        parts_(dtype(node.input(0)) == dtype_ ? 1 : 2),
        elements_(provider::count(node.input(0))),
        unit_(unit_of(node.input(0).dtype)),
        sorted_(node.get_int("sorted", 1) != 0) {
    const auto dims = provider::dims(node.input(0));
    if (node.has("axis")) {
      dims_.assign(dims.begin(), dims.end());
      axis_ = static_cast<size_t>(base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(dims.size())));
    } else {
      dims_ = {provider::count(node.input(0))};
    }
    size_ = dims_[axis_];
    if (elements_ == 0) return;
    outer_ = product(dims_, 0, axis_);
    inner_ = product(dims_, axis_ + 1, dims_.size());
  }

  // Keys of the elements, and three lists of slices.
  size_t scratch_bytes() const {
    const int64_t keys = unit_.string ? 0 : elements_ * parts_;
    return static_cast<size_t>(
        base::checked_mul(base::checked_add(keys, base::checked_mul(size_, 3)), sizeof(int64_t)));
  }

  void run(RunContext& context) const {
    Lists lists;
    lists.order = static_cast<int64_t*>(context.scratch());
    lists.group = lists.order + size_;
    lists.rank = lists.group + size_;
    if (unit_.string) {
      const auto* data = context.in<std::string>(0);
      find(context, data, lists);
    } else {
      auto* keys = reinterpret_cast<uint64_t*>(lists.rank + size_);
      const int64_t count = elements_ * parts_;
      if (dtype_ == DType::kBool) std::copy_n(context.in<uint8_t>(0), count, keys);
      dispatch(OrderedTypes{}, dtype_, [&]<class T>(std::type_identity<T>) {
        for (int64_t i = 0; i < count; ++i) keys[i] = order_key(context.in<T>(0)[i]);
      });
      context.check_cancelled();
      find(context, static_cast<const uint64_t*>(keys), lists);
    }
  }

 private:
  // order: slices in ascending order, equal ones by position. group: of each slice, the number of its value in that order.
  // rank: the place of each such value in the output.
  struct Lists {
    int64_t *order, *group, *rank;
  };

  template <class T>
  void find(RunContext& context, const T* data, const Lists& lists) const {
    const int64_t run = inner_ * parts_;
    Pacer pacer(context);
    const auto compare = [&](int64_t a, int64_t b) {
      pacer.did(4);
      for (int64_t o = 0; run > 0 && o < outer_; ++o) {
        pacer.did(4);
        const T* first = data + (o * size_ + a) * run;
        const T* second = data + (o * size_ + b) * run;
        for (int64_t i = 0; i < run; ++i) {
          if constexpr (std::is_same_v<T, std::string>)
            pacer.did(static_cast<int64_t>(std::min(first[i].size(), second[i].size()) / 16));
          else if ((i & 1023) == 1023) pacer.did(1024);
          if (first[i] < second[i]) return -1;
          if (second[i] < first[i]) return 1;
        }
      }
      return 0;
    };
    for (int64_t i = 0; i < size_; ++i) lists.order[i] = i;
    std::sort(lists.order, lists.order + size_, [&](int64_t a, int64_t b) {
      const int by_value = compare(a, b);
      return by_value != 0 ? by_value < 0 : a < b;
    });
    context.check_cancelled();
    int64_t groups = 0;
    for (int64_t i = 0; i < size_; ++i) {
      if (i > 0 && compare(lists.order[i - 1], lists.order[i]) != 0) ++groups;
      lists.group[lists.order[i]] = groups;
    }
    if (size_ > 0) ++groups;
    write(context, lists, groups, pacer);
  }

  void write(RunContext& context, const Lists& lists, int64_t groups, Pacer& pacer) const {
    int64_t next = 0;
    std::fill_n(lists.rank, groups, int64_t{-1});
    for (int64_t i = 0; i < size_; ++i) {  // by first occurrence, unless sorted
      int64_t& rank = lists.rank[lists.group[i]];
      if (rank < 0) rank = sorted_ ? lists.group[i] : next++;
    }
    base::Dims dims = dims_;
    dims[axis_] = groups;
    const int64_t vector[] = {groups};
    const int64_t all[] = {size_};
    void* values = context.has_output(0) ? open_output(context, 0, dims).data : nullptr;
    int64_t* first = list_output(context, 1, vector);
    int64_t* inverse = list_output(context, 2, all);
    int64_t* counts = list_output(context, 3, vector);
    if (counts != nullptr) std::fill_n(counts, groups, int64_t{0});
    for (int64_t i = size_; i-- > 0;) {  // the first occurrence is written last
      const int64_t rank = lists.rank[lists.group[i]];
      if (first != nullptr) first[rank] = i;
      if (inverse != nullptr) inverse[i] = rank;
      if (counts != nullptr) ++counts[rank];
      lists.order[rank] = i;
    }
    if (values == nullptr || inner_ == 0 || groups == 0) return;
    for (int64_t o = 0; o < outer_; ++o)
      for (int64_t g = 0; g < groups; ++g) {
        pacer.did(inner_ + 4);
        copy_run(unit_, at(context.input(0).data, unit_, (o * size_ + lists.order[g]) * inner_),
                 at(values, unit_, (o * groups + g) * inner_), inner_);
      }
  }

  static int64_t* list_output(RunContext& context, size_t i, std::span<const int64_t> dims) {
    return context.has_output(i) ? static_cast<int64_t*>(open_output(context, i, dims).data) : nullptr;
  }

  DType dtype_;
  int64_t parts_;     // of an element
  int64_t elements_;  // of the input
  Unit unit_;
  bool sorted_;
  size_t axis_ = 0;
  base::Dims dims_;
  int64_t outer_ = 0, size_ = 0, inner_ = 0;
};

}  // namespace

void kernels_onnx_unique(provider::KernelTable& table) { table.add<Unique>("", "Unique", "sort"); }

}  // namespace onnxrun::cpu
