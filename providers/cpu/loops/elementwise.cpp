// Driving row kernels over broadcast rows, in parallel ranges, with block-wise conversion of narrow types.
#include "cpu/loops/elementwise.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace onnxrun::cpu {
namespace {

constexpr int64_t kBetweenPolls = int64_t{1} << 20;  // elements of cost 1

int64_t element_bytes(DType type) { return base::dtype_bits(type) / 8; }

Converter operand_converter(DType from, DType to) {
  Converter result = converter(from, to);
  if (result == nullptr)
    throw provider::Declined{fmt::format("no conversion from {} to {}", base::dtype_name(from), base::dtype_name(to))};
  return result;
}

}  // namespace

DType work_type(DType type) {
  switch (type) {
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kFloat8E4M3FN:
    case DType::kFloat8E4M3FNUZ:
    case DType::kFloat8E5M2:
    case DType::kFloat8E5M2FNUZ: return DType::kFloat32;
    default: return type;
  }
}

ElementwiseLoop::ElementwiseLoop(const Node& node, size_t inputs, const RowChoice& choice, int cost) {
  onnxrun_tensor operands[Row::kMaxInputs];
  for (size_t k = 0; k < std::min(inputs, Row::kMaxInputs); ++k) operands[k] = node.input(k);
  *this = ElementwiseLoop({operands, inputs}, node.output(0), choice, cost);
}

ElementwiseLoop::ElementwiseLoop(std::span<const onnxrun_tensor> inputs, const onnxrun_tensor& output,
                                 const RowChoice& choice, int cost)
    : kernel_(choice.kernel), grain_(std::max<int64_t>(16384 / cost, 256)) {
  if (inputs.size() > Row::kMaxInputs)
    base::fail(base::Code::kInternal, "an elementwise row has at most {} inputs", Row::kMaxInputs);
  base::DimsView views[Row::kMaxInputs];
  for (size_t k = 0; k < inputs.size(); ++k) {
    const DType stored = dtype(inputs[k]);
    views[k] = provider::dims(inputs[k]);
    in_bytes_[k] = element_bytes(stored);
    if (choice.in[k] != DType::kNone && choice.in[k] != stored) load_[k] = operand_converter(stored, choice.in[k]);
    converts_ |= load_[k] != nullptr;
  }
  const DType stored = dtype(output);
  out_bytes_ = element_bytes(stored);
  if (choice.out != DType::kNone && choice.out != stored) store_ = operand_converter(choice.out, stored);
  converts_ |= store_ != nullptr;
  plan_ = BroadcastPlan(std::span<const base::DimsView>(views, inputs.size()), provider::dims(output));
  const bool narrow = std::all_of(in_bytes_, in_bytes_ + inputs.size(), [](int64_t bytes) { return bytes <= 8; });
  if (!converts_ && narrow) plan_.merge_repeats(kLongestPeriod);
}

void ElementwiseLoop::run(RunContext& context, const void* parameters) const {
  const void* in[Row::kMaxInputs] = {};
  for (size_t k = 0; k < plan_.inputs(); ++k) in[k] = context.input(k).data;
  run(context, in, context.output(0).data, parameters);
}

void ElementwiseLoop::run(RunContext& context, const void* const* in, void* out, const void* parameters) const {
  context.parallel(plan_.count(), grain_, [&](int64_t begin, int64_t end) {
    const int64_t step = std::max<int64_t>(grain_ * (kBetweenPolls / 16384), 1);
    for (int64_t from = begin; from < end; from += step) {
      if (from != begin) context.check_cancelled();
      plan_.each_row(from, std::min(from + step, end), [&](const int64_t* offsets, int64_t at, int64_t count) {
        row(in, offsets, out, at, count, parameters);
      });
    }
  });
}

inline void ElementwiseLoop::row(const void* const* in, const int64_t* offsets, void* out, int64_t at, int64_t count,
                                 const void* parameters) const {
  Row row;
  for (size_t k = 0; k < plan_.inputs(); ++k) {
    row.in[k] = static_cast<const char*>(in[k]) + offsets[k] * in_bytes_[k];
    row.stride[k] = plan_.row_stride(k);
  }
  row.out = static_cast<char*>(out) + at * out_bytes_;
  row.count = count;
  row.parameters = parameters;
  if (converts_) row_in_blocks(row);
  else if (plan_.period() != 0) repeating_row(row, at % plan_.period());
  else kernel_(row);
}

// `phase`: where in the period the row starts.
void ElementwiseLoop::repeating_row(const Row& row, int64_t phase) const {
  const int64_t period = plan_.period(), length = kBlock / period * period;
  alignas(64) std::byte buffers[Row::kMaxInputs][(kBlock + kLongestPeriod) * sizeof(double)];
  Row block = row;
  for (size_t k = 0; k < plan_.inputs(); ++k) {
    if (!plan_.repeats(k)) continue;
    const size_t bytes = static_cast<size_t>(period * in_bytes_[k]);
    const int64_t times = (std::min(length, row.count) + phase + period - 1) / period;
    for (int64_t i = 0; i < times; ++i) std::memcpy(buffers[k] + static_cast<size_t>(i) * bytes, row.in[k], bytes);
    block.in[k] = buffers[k] + phase * in_bytes_[k];
  }
  for (int64_t done = 0; done < row.count; done += length) {
    block.count = std::min(length, row.count - done);
    for (size_t k = 0; k < plan_.inputs(); ++k)
      if (!plan_.repeats(k)) block.in[k] = static_cast<const char*>(row.in[k]) + done * row.stride[k] * in_bytes_[k];
    block.out = static_cast<char*>(row.out) + done * out_bytes_;
    kernel_(block);
  }
}

void ElementwiseLoop::row_in_blocks(Row& row) const {
  alignas(64) std::byte buffers[Row::kMaxInputs + 1][kBlock * sizeof(double)];
  Row block = row;
  for (int64_t done = 0; done < row.count; done += kBlock) {
    block.count = std::min(kBlock, row.count - done);
    for (size_t k = 0; k < plan_.inputs(); ++k) {
      const void* from = static_cast<const char*>(row.in[k]) + done * row.stride[k] * in_bytes_[k];
      block.in[k] = from;
      if (load_[k] == nullptr) continue;
      block.in[k] = buffers[k];
      if (row.stride[k] != 0 || done == 0) load_[k](from, buffers[k], row.stride[k] != 0 ? block.count : 1);
    }
    void* to = static_cast<char*>(row.out) + done * out_bytes_;
    block.out = store_ != nullptr ? buffers[Row::kMaxInputs] : to;
    kernel_(block);
    if (store_ != nullptr) store_(block.out, to, block.count);
  }
}

Acceptance accept_elementwise(const Node& node, size_t inputs) {
  Acceptance result;
  const int bits = base::dtype_bits(dtype(node.output(0)));
  for (size_t k = 0; k < inputs; ++k)
    if (base::dtype_bits(dtype(node.input(k))) == bits) result.alias(static_cast<int32_t>(k), 0);
  return result;
}

}  // namespace onnxrun::cpu
