// TopK: of each column the best k entries are kept, as order keys with lower indices first among equals.
#include <algorithm>
#include <functional>

#include "cpu/cpu.h"
#include "cpu/loops/choice_rows.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/order_key.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using OrderedTypes = Join<Floats, Ints>;

// Entries whose order takes so long that a cancelled run must not wait for it.
constexpr int64_t kMany = 1 << 16;

struct Entry {
  uint64_t key;
  int64_t index;
};

// Whether an element may come before `last`: true for too many, as with NaN.
template <bool kLargest, class T>
bool any_before(const T* x, int64_t n, T last) {
  uint32_t found = 0;
  for (int64_t i = 0; i < n; ++i) found |= (kLargest ? x[i] <= last : x[i] >= last) ? 0u : 1u;
  return found != 0;
}

// The greatest k of numbers that are added, in `numbers`, which has room for 2 k. All numbers are different.
class Greatest {
 public:
  Greatest(uint64_t* numbers, int64_t k, Pacer& pacer)
      : numbers_(numbers), k_(k), few_(k <= kFew), polls_(k >= kMany), pacer_(pacer) {}

  // What numbers must be beyond to count.
  uint64_t bound() const { return bound_; }

  void add(uint64_t number) {
    if (few_) return insert(number);
    numbers_[count_++] = number;
    if (count_ == 2 * k_) drop();
  }

  // The greatest number first.
  void sort() {
    if (few_) return;
    if (count_ > k_) drop();
    ordered([&](auto before) { std::sort(numbers_, numbers_ + k_, before); });
  }

 private:
  static constexpr int64_t kFew = 16;  // kept in order

  void insert(uint64_t number) {
    int64_t at = count_ < k_ ? count_++ : k_ - 1;
    for (; at > 0 && numbers_[at - 1] < number; --at) numbers_[at] = numbers_[at - 1];
    numbers_[at] = number;
    if (count_ == k_) bound_ = numbers_[k_ - 1];
  }

  void drop() {
    ordered([&](auto before) { std::nth_element(numbers_, numbers_ + k_ - 1, numbers_ + count_, before); });
    bound_ = numbers_[k_ - 1];
    count_ = k_;
  }

  // Many numbers are put in order for long: each look at two of them counts.
  template <class F>
  void ordered(F&& f) {
    if (!polls_) return f(std::greater<>());
    f([this](uint64_t a, uint64_t b) {
      pacer_.did(1);
      return a > b;
    });
  }

  uint64_t* numbers_;
  int64_t k_, count_ = 0;
  bool few_, polls_;
  Pacer& pacer_;
  uint64_t bound_ = 0;
};

bool better(const Entry& a, const Entry& b) { return a.key != b.key ? a.key > b.key : a.index < b.index; }

class TopK {
 public:
  static Acceptance accepts(const Node& node) {
    return dispatch(OrderedTypes{}, dtype(node.input(0)), [](auto) {}) ? Acceptance()
                                                                       : Acceptance::decline("no order on this type");
  }

  explicit TopK(const Node& node) : dtype_(dtype(node.input(0))), largest_(node.get_int("largest", 1) != 0) {
    const auto dims = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", -1), static_cast<int64_t>(dims.size())));
    outer_ = product(dims, 0, axis);
    size_ = dims[axis];
    inner_ = product(dims, axis + 1, dims.size());
    k_ = provider::dims(node.output(node.has_output(0) ? 0 : 1))[axis];
    parts_ = std::min({kParts, outer_ * inner_, std::max<int64_t>(1, kMaxEntries / std::max<int64_t>(1, k_))});
  }

  // A heap for each part of the columns.
  size_t scratch_bytes() const { return static_cast<size_t>(parts_ * k_) * sizeof(Entry); }

  void run(RunContext& context) const {
    if (k_ == 0 || parts_ == 0) return;
    const int64_t columns = outer_ * inner_;
    const int64_t each = (columns + parts_ - 1) / parts_;
    dispatch(OrderedTypes{}, dtype_, [&]<class T>(std::type_identity<T>) {
      parallel_polled(context, parts_, Cost(each) * size_ * 8, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part) {
          Entry* heap = static_cast<Entry*>(context.scratch()) + part * k_;
          Pacer pacer(context);
          for (int64_t column = part * each; column < std::min(columns, (part + 1) * each); ++column) {
            pacer.did(4 * size_);
            select<T>(context, column, heap, pacer);
          }
        }
      });
    });
  }

 private:
  static constexpr int64_t kParts = 16;
  static constexpr int64_t kBlock = 32;            // elements that are passed over together
  static constexpr int64_t kMostPacked = 1 << 24;  // elements of an axis whose indices are packed with their keys
  static constexpr int64_t kMaxEntries = int64_t{1} << 20;  // in all heaps, unless one has more

  template <class T>
  void select(RunContext& context, int64_t column, Entry* heap, Pacer& pacer) const {
    const int64_t first = column / inner_ * size_ * inner_ + column % inner_;
    const T* in = context.in<T>(0) + first;
    const uint64_t flip = largest_ ? 0 : ~uint64_t{0};
    if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double> || std::is_same_v<T, int64_t>) {
      // Of smallest ones NaN would be the last, and here it is the first.
      if (k_ == 1 && inner_ == 1 && (largest_ || std::is_integral_v<T>)) {
        const ExtremeRows<T>& rows = extreme_rows<T>();
        heap[0].index = (largest_ ? rows.largest : rows.smallest)(in, size_, false);
        return write(context, column, heap, in);
      }
    }
    if constexpr (sizeof(T) <= 4) {
      if (size_ <= kMostPacked) return select_packed(context, column, heap, in, pacer);
    }
    auto entry = [&](int64_t i) { return Entry{static_cast<uint64_t>(order_key(in[i * inner_])) ^ flip, i}; };
    for (int64_t i = 0; i < k_; ++i) heap[i] = entry(i);
    if (k_ < size_) {
      std::make_heap(heap, heap + k_, better);  // the worst on top
      for (int64_t begin = k_; begin < size_; begin += kBlock) {
        const int64_t end = std::min(begin + kBlock, size_);
        if constexpr (std::is_arithmetic_v<T>) {
          if (inner_ == 1) {
            const T last = in[heap[0].index];
            if (!(largest_ ? any_before<true>(in + begin, end - begin, last)
                           : any_before<false>(in + begin, end - begin, last)))
              continue;
          }
        }
        for (int64_t i = begin; i < end; ++i) {
          const Entry next = entry(i);
          if (next.key <= heap[0].key) continue;  // equal ones come later in the axis
          pacer.did(64);
          std::pop_heap(heap, heap + k_, better);
          heap[k_ - 1] = next;
          std::push_heap(heap, heap + k_, better);
        }
      }
    }
    if (k_ < kMany) std::sort(heap, heap + k_, better);
    else
      std::sort(heap, heap + k_, [&](const Entry& a, const Entry& b) {
        pacer.did(4);
        return better(a, b);
      });
    write(context, column, heap, in);
  }

  // Key and index are one number of 64 bits.
  template <class T>
  void select_packed(RunContext& context, int64_t column, Entry* heap, const T* in, Pacer& pacer) const {
    static_assert(sizeof(Entry) == 2 * sizeof(uint64_t));
    auto* numbers = reinterpret_cast<uint64_t*>(heap);
    Greatest greatest(numbers, k_, pacer);
    const uint32_t flip = largest_ ? 0 : ~uint32_t{0};
    for (int64_t begin = 0; begin < size_; begin += kBlock) {
      const int64_t count = std::min(kBlock, size_ - begin);
      if constexpr (std::is_arithmetic_v<T>) {
        if (inner_ == 1 && greatest.bound() != 0) {
          const T last = in[static_cast<uint32_t>(~greatest.bound())];
          if (!(largest_ ? any_before<true>(in + begin, count, last) : any_before<false>(in + begin, count, last)))
            continue;
        }
      }
      uint32_t keys[kBlock];
      const auto bound = static_cast<uint32_t>(greatest.bound() >> 32);
      uint32_t found = begin < k_ ? 1 : 0;
      for (int64_t i = 0; i < count; ++i) {
        keys[i] = order_key(in[(begin + i) * inner_]) ^ flip;
        found |= keys[i] > bound ? 1u : 0u;
      }
      if (found == 0) continue;  // equal ones come later in the axis
      pacer.did(4 * kBlock);
      for (int64_t i = 0; i < count; ++i) {
        const uint64_t number = uint64_t{keys[i]} << 32 | static_cast<uint32_t>(~(begin + i));
        if (number > greatest.bound()) greatest.add(number);
      }
    }
    greatest.sort();
    // From the last one on, as entries are wider than numbers.
    for (int64_t i = k_; i-- > 0;) {
      const auto index = static_cast<uint32_t>(~numbers[i]);
      heap[i] = {0, index};
    }
    write(context, column, heap, in);
  }

  template <class T>
  void write(RunContext& context, int64_t column, const Entry* heap, const T* in) const {
    const int64_t to = column / inner_ * k_ * inner_ + column % inner_;
    T* values = context.has_output(0) ? context.out<T>(0) + to : nullptr;
    int64_t* indices = context.has_output(1) ? context.out<int64_t>(1) + to : nullptr;
    for (int64_t i = 0; i < k_; ++i) {
      if (values != nullptr) values[i * inner_] = in[heap[i].index * inner_];
      if (indices != nullptr) indices[i * inner_] = heap[i].index;
    }
  }

  DType dtype_;
  bool largest_;
  int64_t outer_ = 0, size_ = 0, inner_ = 0, k_ = 0, parts_ = 0;
};

}  // namespace

void kernels_onnx_top_k(provider::KernelTable& table) { table.add<TopK>("", "TopK", "heap"); }

}  // namespace onnxrun::cpu
