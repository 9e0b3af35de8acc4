// GatherBlockQuantized: picked runs of elements, dequantised piece by piece.
#include "ops/attributes/gather_block_quantized.h"

#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/loops/float_runs.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class GatherBlockQuantized {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit GatherBlockQuantized(const Node& node)
      : type_(dtype(node.input(0))),
        out_type_(dtype(node.output(0))),
        blocks_(ops::attributes::read_gather_blocks(node, dtype(node.input(0)), node.input(0).rank)) {
    const auto data = provider::dims(node.input(0)), scales = provider::dims(node.input(2));
    dims_.assign(data.begin(), data.end());
    dims_.back() = base::checked_mul(dims_.back(), blocks_.per_element);
    const auto axis = static_cast<size_t>(blocks_.gather_axis);
    outer_ = product(dims_, 0, axis);
    size_ = dims_[axis];
    inner_ = product(dims_, axis + 1, dims_.size());
    picks_ = provider::count(node.input(1));
    strides_.resize(scales.size());
    int64_t stride = 1;
    for (size_t d = scales.size(); d-- > 0;) {
      strides_[d] = scales[d] == 1 ? 0 : stride;
      stride *= scales[d];
    }
    if (!scales.empty()) scale_columns_ = scales.back();
    in_blocks_ = static_cast<size_t>(blocks_.quantize_axis) + 1 == dims_.size();
  }

  void run(RunContext& context) const {
    if (outer_ * picks_ * inner_ == 0) return;
    const onnxrun_tensor& indices = context.input(1);
    parallel_polled(context, outer_ * picks_, Cost(inner_) * 8, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t index = int_at(indices, item % picks_);
        if (index < 0) index += size_;
        const bool inside = index >= 0 && index < size_;  // otherwise zeros, as ONNX Runtime has it
        const int64_t from = inside ? (item / picks_ * size_ + index) * inner_ : -1;
        for (int64_t done = 0; done < inner_;)
          done += piece(context, inside ? from + done : -1, item * inner_ + done, inner_ - done);
      }
    });
  }

 private:
  static constexpr int64_t kPiece = 256;

  // Writes up to `left` elements from element `from` of the data (-1: zeros) to element `at` of the output; returns how many.
  int64_t piece(RunContext& context, int64_t from, int64_t at, int64_t left) const {
    float values[kPiece], scales[kPiece], zeros[kPiece];
    int64_t count = std::min(left, kPiece);
    if (from < 0) {
      std::fill_n(values, count, 0.0f);
      write_floats(out_type_, values, context.output(0).data, at, count);
      return count;
    }
    // Stay within a row of the last axis and, where that is the axis of the blocks, within a block.
    const int64_t width = dims_.back();
    count = std::min(count, width - from % width);
    if (in_blocks_ && blocks_.block != 0) count = std::min(count, blocks_.block - from % width % blocks_.block);
    int64_t scale = 0, rest = from;
    for (size_t d = dims_.size(); d-- > 0;) {
      const int64_t coordinate = rest % dims_[d];
      rest /= dims_[d];
      if (static_cast<int64_t>(d) != blocks_.quantize_axis) scale += coordinate * strides_[d];
      else if (blocks_.block != 0) scale += coordinate / blocks_.block * strides_[d];
    }
    const int64_t step = in_blocks_ ? 0 : strides_.back();
    read_floats(blocks_.stored, context.input(0).data, from, count, values);
    read_floats(out_type_, context.input(2).data, scale, step == 0 ? 1 : count, scales);
    load_zeros(context, scale, step == 0 ? 1 : count, zeros);
    for (int64_t i = 0; i < count; ++i) values[i] = (values[i] - zeros[i * step]) * scales[i * step];
    write_floats(out_type_, values, context.output(0).data, at, count);
    return count;
  }

  void load_zeros(RunContext& context, int64_t first, int64_t count, float* to) const {
    if (!context.has_input(3))
      return static_cast<void>(std::fill_n(to, count, static_cast<float>(blocks_.middle(type_))));
    if (blocks_.per_element == 1) return read_floats(type_, context.input(3).data, first, count, to);
    // Rows of packed zero points begin at whole bytes.
    const int64_t row_bytes = (scale_columns_ + blocks_.per_element - 1) / blocks_.per_element;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = (first + i) / scale_columns_, column = (first + i) % scale_columns_;
      read_floats(blocks_.stored, context.in<char>(3) + row * row_bytes, column, 1, to + i);
    }
  }

  DType type_, out_type_;
  ops::attributes::GatherBlocks blocks_;
  std::vector<int64_t> dims_, strides_;  // of the data, unpacked, and of the scales (0 where they are broadcast)
  int64_t outer_ = 1, size_ = 1, inner_ = 1, picks_ = 1, scale_columns_ = 1;
  bool in_blocks_ = false;
};

}  // namespace

void kernels_microsoft_gather_block_quantized(provider::KernelTable& table) {
  table.add<GatherBlockQuantized>("com.microsoft", "GatherBlockQuantized", "reference");
}

}  // namespace onnxrun::cpu
