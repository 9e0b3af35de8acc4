// GatherElements, ScatterElements and Scatter: elements read or written at an index along one axis.
#include "cpu/cpu.h"

#include <algorithm>
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/row_walk.h"
#include "cpu/loops/scatter_target.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

// How the elements of the index tensor address the data.
struct Addressing {
  explicit Addressing(const Node& node) {
    const auto data = provider::dims(node.input(0));
    const auto indices = provider::dims(node.input(1));
    axis = base::normalize_axis(node.get_int("axis", 0), static_cast<int64_t>(data.size()));
    base::Dims strides = base::contiguous_strides(data);
    const auto at = static_cast<size_t>(axis);
    size = data[at];
    stride = strides[at];
    strides[at] = 0;
    step = at + 1 == data.size() ? 0 : 1;
    rows = RowSpace(indices, strides);
  }

  // Calls f(index element, data element) for the rows [begin, end).
  template <class F>
  void each(const char* op, const onnxrun_tensor& indices, int64_t begin, int64_t end, F&& f) const {
    rows.each(begin, end, [&](int64_t row, int64_t offset) {
      const int64_t first = row * rows.length();
      for (int64_t j = 0; j < rows.length(); ++j)
        f(first + j, offset + j * step + position(op, int_at(indices, first + j), axis, size) * stride);
    });
  }

  RowSpace rows;
  int64_t axis = 0, size = 0, stride = 0, step = 0;
};

class GatherElements {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit GatherElements(const Node& node) : unit_(unit_of(node.input(0).dtype)), addressing_(node) {}

  void run(RunContext& context) const {
    const RowSpace& rows = addressing_.rows;
    parallel_polled(context, rows.rows(), Cost(rows.length()) * unit_.bytes, [&](int64_t begin, int64_t end) {
      with_storage(unit_, [&]<class T>(T) {
        const T* data = context.in<T>(0);
        T* out = context.out<T>(0);
        addressing_.each("GatherElements", context.input(1), begin, end,
                         [&](int64_t i, int64_t from) { out[i] = data[from]; });
      });
    });
  }

 private:
  Unit unit_;
  Addressing addressing_;
};

class ScatterElements {
 public:
  static Acceptance accepts(const Node& node) { return ScatterTarget::accepts(node); }

  explicit ScatterElements(const Node& node) : target_(node), addressing_(node) {}

  void run(RunContext& context) const {
    const Unit unit = target_.unit();
    const Combine combine = target_.combine();
    void* out = target_.copy(context);
    const RowSpace& rows = addressing_.rows;
    const void* updates = context.input(2).data;
    constexpr int64_t kPoll = 1 << 18;
    const int64_t stretch = std::max<int64_t>(1, kPoll / std::max<int64_t>(1, rows.length()));
    for (int64_t row = 0; row < rows.rows(); row += stretch) {  // in order: updates of one element follow each other
      const int64_t end = std::min(rows.rows(), row + stretch);
      if (combine != nullptr) {
        addressing_.each("ScatterElements", context.input(1), row, end,
                         [&](int64_t i, int64_t to) { combine(at(out, unit, to), at(updates, unit, i), 1); });
      } else {
        with_storage(unit, [&]<class T>(T) {
          addressing_.each("ScatterElements", context.input(1), row, end, [&](int64_t i, int64_t to) {
            static_cast<T*>(out)[to] = static_cast<const T*>(updates)[i];
          });
        });
      }
      context.check_cancelled();
    }
  }

 private:
  ScatterTarget target_;
  Addressing addressing_;
};

}  // namespace

void kernels_onnx_gather_elements(provider::KernelTable& table) {
  table.add<GatherElements>("", "GatherElements", "reference");
  table.add<Unpacked<GatherElements>>("", "GatherElements", "unpacked");
  table.add<ScatterElements>("", "ScatterElements", "reference");
  table.add<Unpacked<ScatterElements>>("", "ScatterElements", "unpacked");
}

}  // namespace onnxrun::cpu
