// Operators that copy elements from strided places to strided places: Transpose, Expand, Tile, Concat, Split, Slice, DepthToSpace, SpaceToDepth.
#include <vector>

#include "base/shape.h"
#include "cuda/device/copy.h"
#include "cuda/host/broadcast.h"
#include "cuda/kernel.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/whole_bytes.h"
#include "ops/attributes/depth_to_space.h"
#include "ops/attributes/slice.h"
#include "ops/attributes/transpose.h"

namespace onnxrun::cuda {
namespace {

Axes<2> copy_walk(base::DimsView dims, const base::Dims& from, const base::Dims& to) {
  const auto axes = walk<2>(dims, {from, to});
  if (!axes) base::fail(base::Code::kUnsupported, "the CUDA provider copies over at most {} separate axes", kMaxAxes);
  return *axes;
}

// One copy from the first input to the first output.
class StridedKernel {
 public:
  explicit StridedKernel(const Node& node) : bytes_(bytes_of(node.input(0))) {}
  void run(RunContext& context) const {
    launch_copy(queue_of(context), axes_, bytes_, context.input(0).data, context.output(0).data);
  }

 protected:
  void set(base::DimsView dims, const base::Dims& from, const base::Dims& to) { axes_ = copy_walk(dims, from, to); }
  int bytes_;
  Axes<2> axes_;
};

class Transpose : public StridedKernel {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit Transpose(const Node& node) : StridedKernel(node) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    const base::Dims steps = base::contiguous_strides(in);
    base::Dims from;
    for (const int64_t axis : ops::attributes::permutation(node, static_cast<int64_t>(in.size())))
      from.push_back(steps[static_cast<size_t>(axis)]);
    set(out, from, base::contiguous_strides(out));
  }
};

class Expand : public StridedKernel {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)).host_input(1); }
  explicit Expand(const Node& node) : StridedKernel(node) {
    const auto out = provider::dims(node.output(0));
    set(out, base::broadcast_strides(provider::dims(node.input(0)), out), base::contiguous_strides(out));
  }
};

class Tile : public StridedKernel {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)).host_input(1); }
  explicit Tile(const Node& node) : StridedKernel(node) {
    const auto in = provider::dims(node.input(0)), out = provider::dims(node.output(0));
    const base::Dims steps = base::contiguous_strides(in);
    base::Dims dims, from;
    for (size_t d = 0; d < in.size(); ++d) {
      dims.push_back(in[d] == 0 ? 0 : out[d] / in[d]), dims.push_back(in[d]);
      from.push_back(0), from.push_back(steps[d]);
    }
    set(dims, from, base::contiguous_strides(dims));
  }
};

// DepthToSpace and SpaceToDepth: a transposition of six axes.
class BlockedDepth : public StridedKernel {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit BlockedDepth(const Node& node) : StridedKernel(node) {
    const auto in = provider::dims(node.input(0));
    const int64_t b = ops::attributes::block_size(node);
    const bool to_space = node.op() == "DepthToSpace";
    // Axes of the input: n, then the block's row and column and the depth in the mode's order, then the places.
    base::Dims dims;
    std::vector<size_t> order;
    const bool depth_first = ops::attributes::depth_first(node);
    if (to_space) {
      const int64_t depth = in[1] / (b * b);
      dims = depth_first ? base::Dims{in[0], b, b, depth, in[2], in[3]} : base::Dims{in[0], depth, b, b, in[2], in[3]};
      order = depth_first ? std::vector<size_t>{0, 3, 4, 1, 5, 2} : std::vector<size_t>{0, 1, 4, 2, 5, 3};
    } else {
      dims = {in[0], in[1], in[2] / b, b, in[3] / b, b};
      order = depth_first ? std::vector<size_t>{0, 3, 5, 1, 2, 4} : std::vector<size_t>{0, 1, 3, 5, 2, 4};
    }
    const base::Dims steps = base::contiguous_strides(dims);
    base::Dims out, from;
    for (const size_t axis : order) out.push_back(dims[axis]), from.push_back(steps[axis]);
    set(out, from, base::contiguous_strides(out));
  }
};

// Concat and Split: a copy for each part of the joined tensor.
class Parts {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance result = whole_bytes(node.input(0));
    return node.op() == "Split" ? result.host_input(1) : result;
  }
  explicit Parts(const Node& node) : split_(node.op() == "Split"), bytes_(bytes_of(node.input(0))) {
    const auto joined = provider::dims(split_ ? node.input(0) : node.output(0));
    const auto axis = static_cast<size_t>(
        base::normalize_axis(node.get_int("axis", split_ ? 0 : 1), static_cast<int64_t>(joined.size())));
    const int64_t outer = product(joined, 0, axis), row = product(joined, axis, joined.size());
    int64_t column = 0;
    const size_t parts = split_ ? node.output_count() : node.input_count();
    for (size_t i = 0; i < parts; ++i) {
      const onnxrun_tensor& part = split_ ? node.output(i) : node.input(i);
      const int64_t width = provider::present(part) ? product(provider::dims(part), axis, joined.size()) : 0;
      const base::Dims whole = {row, 1}, own = {width, 1};
      columns_.push_back(column);
      walks_.push_back(copy_walk(base::Dims{outer, width}, split_ ? whole : own, split_ ? own : whole));
      column += width;
    }
  }
  void run(RunContext& context) const {
    const Queue queue = queue_of(context);
    for (size_t i = 0; i < walks_.size(); ++i) {
      if (walks_[i].count == 0) continue;
      const char* from = context.in<char>(split_ ? 0 : i);
      char* to = context.out<char>(split_ ? i : 0);
      if (split_) from += columns_[i] * bytes_;
      else to += columns_[i] * bytes_;
      launch_copy(queue, walks_[i], bytes_, from, to);
    }
  }

 private:
  bool split_;
  int bytes_;
  std::vector<int64_t> columns_;
  std::vector<Axes<2>> walks_;
};

class Slice {
 public:
  static Acceptance accepts(const Node& node) {
    return whole_bytes(node.input(0)).host_input(1).host_input(2).host_input(3).host_input(4);
  }
  explicit Slice(const Node& node)
      : bytes_(bytes_of(node.input(0))),
        in_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        out_(provider::dims(node.output(0)).begin(), provider::dims(node.output(0)).end()) {}
  void run(RunContext& context) const {
    const std::vector<int64_t> starts = ints_of(context.input(1)), ends = ints_of(context.input(2));
    std::vector<int64_t> axes, steps(starts.size(), 1);
    if (context.has_input(3)) axes = base::normalize_axes(ints_of(context.input(3)), static_cast<int64_t>(in_.size()));
    else
      for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
    if (context.has_input(4)) steps = ints_of(context.input(4));
    base::Dims from = base::contiguous_strides(in_);
    int64_t first = 0;
    for (size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<size_t>(axes[i]);
      const auto range = ops::attributes::slice_range(in_[axis], starts[i], ends[i], steps[i]);
      first += range.first * from[axis];
      from[axis] *= range.count > 1 ? range.step : 1;  // a step may be too large to multiply
    }
    launch_copy(queue_of(context), copy_walk(out_, from, base::contiguous_strides(out_)), bytes_,
                context.in<char>(0) + first * bytes_, context.output(0).data);
  }

 private:
  int bytes_;
  base::Dims in_, out_;
};

}  // namespace

void kernels_onnx_movement(provider::KernelTable& table) {
  add<Transpose>(table, "", "Transpose", "strided");
  add<Expand>(table, "", "Expand", "strided");
  add<Tile>(table, "", "Tile", "strided");
  add<BlockedDepth>(table, "", "DepthToSpace", "strided");
  add<BlockedDepth>(table, "", "SpaceToDepth", "strided");
  add<Parts>(table, "", "Concat", "strided");
  add<Parts>(table, "", "Split", "strided");
  add<Slice>(table, "", "Slice", "strided");
}

}  // namespace onnxrun::cuda
