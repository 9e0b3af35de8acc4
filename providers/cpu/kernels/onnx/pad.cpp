// Pad: rows of the output put together from a run of the input and elements around it.
#include "ops/attributes/pad.h"

#include <algorithm>
#include <span>
#include <string>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

using ops::attributes::PadMode;

constexpr int64_t kOutside = -1;  // in constant mode: not an element of the input

// The element of an axis that stands at `i` before or after the `size` kept ones.
int64_t source(PadMode mode, int64_t i, int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case PadMode::kConstant: return kOutside;
    case PadMode::kEdge: return i < 0 ? 0 : size - 1;
    case PadMode::kWrap: return ((i % size) + size) % size;
    case PadMode::kReflect: {
      if (size == 1) return 0;
      const int64_t period = 2 * (size - 1);
      const int64_t at = ((i % period) + period) % period;
      return at < size ? at : period - at;
    }
  }
  return kOutside;
}

class Pad {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit Pad(const Node& node)
      : unit_(unit_of(node.input(0).dtype)),
        mode_(ops::attributes::pad_mode(node)),
        in_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        out_(provider::dims(node.output(0)).begin(), provider::dims(node.output(0)).end()),
        strides_(base::contiguous_strides(in_)) {}

  // The pads, and for each axis where each of its output elements comes from.
  size_t scratch_bytes() const {
    int64_t total = 2 * static_cast<int64_t>(in_.size());
    for (int64_t dim : out_) total += dim;
    return static_cast<size_t>(total) * sizeof(int64_t);
  }

  void run(RunContext& context) const {
    if (base::element_count(out_) == 0) return;
    auto* scratch = static_cast<int64_t*>(context.scratch());
    const std::span<int64_t> before(scratch, in_.size()), after(scratch + in_.size(), in_.size());
    read_pads(context, before, after);
    const std::string empty;
    const Bytes16 zero;
    const void* value = context.has_input(2) ? context.input(2).data
                        : unit_.string       ? static_cast<const void*>(&empty)
                                             : &zero;
    size_t row_axis = in_.size();  // the last padded axis; those behind it move as one element
    while (row_axis > 0 && before[row_axis - 1] == 0 && after[row_axis - 1] == 0) --row_axis;
    if (row_axis == 0)
      return copy_all(context, unit_, context.input(0).data, context.output(0).data, base::element_count(out_));
    Row row = make_row(row_axis - 1, before, after);
    row.map = scratch + 2 * in_.size();
    fill_map(row, before, after);
    parallel_polled(context, row.rows, Cost(row.width) * row.inner * unit_.bytes, [&](int64_t begin, int64_t end) {
      if (row.axis == 0) return write_row(row, 0, 0, context.input(0).data, value, context.output(0).data);
      // Rows that differ along the axis before theirs alone follow each other.
      const int64_t neighbours = out_[row.axis - 1];
      const int64_t* map = row.map_of(row.axis - 1, out_);
      for (int64_t i = begin; i < end;) {
        const int64_t first = i % neighbours, group = source_of(row, i / neighbours);
        for (int64_t k = first; k < neighbours && i < end; ++k, ++i) {
          const bool outside = group == kOutside || map[k] == kOutside;
          write_row(row, i, outside ? kOutside : group + map[k] * strides_[row.axis - 1], context.input(0).data, value,
                    context.output(0).data);
        }
      }
    });
  }

 private:
  // Rows along `axis`: `lead` elements, a run of the input from `first` on, and the rest. An element is `inner` units.
  struct Row {
    size_t axis = 0;
    int64_t rows = 1, width = 0, inner = 1;
    int64_t lead = 0, run = 0, first = 0;
    int64_t* map = nullptr;  // of all axes up to `axis`, one after the other

    const int64_t* map_of(size_t which, base::DimsView out) const {
      const int64_t* result = map;
      for (size_t d = 0; d < which; ++d) result += out[d];
      return result;
    }
  };

  void read_pads(RunContext& context, std::span<int64_t> before, std::span<int64_t> after) const {
    std::fill(before.begin(), before.end(), 0);
    std::fill(after.begin(), after.end(), 0);
    const onnxrun_tensor& pads = context.input(1);
    const int64_t count = provider::count(pads) / 2;
    if (const int64_t axes =
            context.has_input(3) ? provider::count(context.input(3)) : static_cast<int64_t>(in_.size());
        count != axes)
      base::fail(base::Code::kRunFailed, "Pad: 'pads' has {} elements for {} axes", provider::count(pads), axes);
    for (int64_t i = 0; i < count; ++i) {
      const auto axis = static_cast<size_t>(
          context.has_input(3) ? base::normalize_axis(int_at(context.input(3), i), static_cast<int64_t>(in_.size()))
                               : i);
      before[axis] = int_at(pads, i);
      after[axis] = int_at(pads, i + count);
    }
  }

  Row make_row(size_t axis, base::DimsView before, base::DimsView after) const {
    Row row;
    row.axis = axis;
    row.rows = product(out_, 0, axis);
    row.width = out_[axis];
    row.inner = product(out_, axis + 1, out_.size());
    row.first = std::max<int64_t>(0, -before[axis]);
    row.run = in_[axis] + std::min<int64_t>(0, before[axis]) + std::min<int64_t>(0, after[axis]);
    row.lead = std::max<int64_t>(0, before[axis]);
    return row;
  }

  void fill_map(const Row& row, base::DimsView before, base::DimsView after) const {
    int64_t* map = row.map;
    for (size_t axis = 0; axis <= row.axis; ++axis) {
      const int64_t cut = std::max<int64_t>(0, -before[axis]);
      const int64_t kept = in_[axis] + std::min<int64_t>(0, before[axis]) + std::min<int64_t>(0, after[axis]);
      const int64_t lead = std::max<int64_t>(0, before[axis]);
      for (int64_t i = 0; i < out_[axis]; ++i) {
        const int64_t from = source(mode_, i - lead, kept);
        *map++ = from == kOutside ? kOutside : from + cut;
      }
    }
  }

  // Where in the input the elements of axes up to the one two before the rows' own are, which `group` counts; kOutside of none.
  int64_t source_of(const Row& row, int64_t group) const {
    int64_t offset = 0;
    const int64_t* end = row.map_of(row.axis - 1, out_);
    for (size_t axis = row.axis - 1; axis-- > 0;) {
      const int64_t i = group % out_[axis];
      group /= out_[axis];
      end -= out_[axis];
      if (end[i] == kOutside) return kOutside;
      offset += end[i] * strides_[axis];
    }
    return offset;
  }

  // Row `index` of the output, from `offset` in the input on.
  void write_row(const Row& row, int64_t index, int64_t offset, const void* data, const void* value, void* out) const {
    const int64_t* last = row.map_of(row.axis, out_);
    char* to = at(out, unit_, index * row.width * row.inner);
    if (offset == kOutside) return fill_run(unit_, value, to, row.width * row.inner);
    const char* from = at(data, unit_, offset);
    const auto single = [&](int64_t begin, int64_t stop) {
      if (mode_ == PadMode::kConstant)
        return fill_run(unit_, value, at(to, unit_, begin * row.inner), (stop - begin) * row.inner);
      if (row.inner == 1)
        return with_storage(unit_, [&]<class T>(T) {
          for (int64_t i = begin; i < stop; ++i)
            reinterpret_cast<T*>(to)[i] = reinterpret_cast<const T*>(from)[last[i]];
        });
      for (int64_t i = begin; i < stop; ++i)
        copy_run(unit_, at(from, unit_, last[i] * row.inner), at(to, unit_, i * row.inner), row.inner);
    };
    single(0, row.lead);
    copy_run(unit_, at(from, unit_, row.first * row.inner), at(to, unit_, row.lead * row.inner), row.run * row.inner);
    single(row.lead + row.run, row.width);
  }

  Unit unit_;
  PadMode mode_;
  base::Dims in_, out_, strides_;
};

}  // namespace

void kernels_onnx_pad(provider::KernelTable& table) {
  table.add<Pad>("", "Pad", "reference");
  table.add<Unpacked<Pad>>("", "Pad", "unpacked");
}

}  // namespace onnxrun::cpu
