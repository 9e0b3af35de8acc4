// Conversion of operands to and from a kernel's work type.
#include "cpu/loops/work_operands.h"
#include "cpu/loops/polled.h"

#include "base/checked.h"

namespace onnxrun::cpu {

DType work_float(const Node& node, size_t inputs) {
  for (size_t i = 0; i < inputs; ++i)
    if (node.has_input(i) && dtype(node.input(i)) == DType::kFloat64) return DType::kFloat64;
  return DType::kFloat32;
}

WorkOperands::WorkOperands(const Node& node, size_t inputs, size_t outputs, DType work, uint64_t as_stored) {
  if (inputs > kMax || outputs > kMax) base::fail(base::Code::kInternal, "too many operands to convert");
  work_bytes_ = base::dtype_bits(work) / 8;
  for (size_t i = 0; i < inputs; ++i) {
    if (!node.has_input(i)) continue;
    const DType type = dtype(node.input(i));
    const bool keep = type == work || (as_stored >> i & 1) != 0;
    const Converter convert = keep ? nullptr : converter(type, work);
    if (!keep && convert == nullptr)
      throw provider::Declined{"an input's type does not convert to the one computed in"};
    place(inputs_[i], node.input(i), convert, work_bytes_);
  }
  for (size_t i = 0; i < outputs; ++i) {
    if (!node.has_output(i)) continue;
    const DType type = dtype(node.output(i));
    const bool keep = type == work || (as_stored >> (32 + i) & 1) != 0;
    const Converter convert = keep ? nullptr : converter(work, type);
    if (!keep && convert == nullptr)
      throw provider::Declined{"an output's type does not convert from the one computed in"};
    place(outputs_[i], node.output(i), convert, work_bytes_);
  }
}

void WorkOperands::place(Operand& operand, const onnxrun_tensor& tensor, Converter convert, int64_t work_bytes) {
  operand.present = true;
  operand.convert = convert;
  operand.stored_bytes = base::dtype_bits(dtype(tensor)) / 8;
  if (convert == nullptr) return;
  if (!provider::shape_known(tensor))
    throw provider::Declined{"an operand that must be converted has an unknown shape"};
  operand.count = provider::count(tensor);
  operand.offset = bytes_;
  bytes_ += (static_cast<size_t>(base::checked_mul(operand.count, work_bytes)) + 63) & ~size_t{63};
}

void WorkOperands::convert_all(RunContext& context, const Operand& operand, const void* from, int64_t from_bytes,
                               void* to, int64_t to_bytes) {
  parallel_polled(context, operand.count, 8, [&](int64_t begin, int64_t end) {
    operand.convert(static_cast<const char*>(from) + begin * from_bytes, static_cast<char*>(to) + begin * to_bytes,
                    end - begin);
  });
}

WorkOperands::Arrays WorkOperands::load(RunContext& context) const {
  Arrays arrays;
  char* scratch = static_cast<char*>(context.scratch());
  for (size_t i = 0; i < kMax; ++i) {
    const Operand& operand = inputs_[i];
    if (operand.present && operand.convert != nullptr) {
      convert_all(context, operand, context.in<char>(i), operand.stored_bytes, scratch + operand.offset, work_bytes_);
      arrays.inputs[i] = scratch + operand.offset;
    } else if (operand.present) {
      arrays.inputs[i] = context.in<char>(i);
    }
  }
  for (size_t i = 0; i < kMax; ++i) {
    const Operand& operand = outputs_[i];
    if (!operand.present) continue;
    arrays.outputs[i] = operand.convert != nullptr ? scratch + operand.offset : context.out<char>(i);
  }
  return arrays;
}

void WorkOperands::store(RunContext& context, const Arrays& arrays) const {
  for (size_t i = 0; i < kMax; ++i) {
    const Operand& operand = outputs_[i];
    if (operand.present && operand.convert != nullptr)
      convert_all(context, operand, arrays.outputs[i], work_bytes_, context.out<char>(i), operand.stored_bytes);
  }
}

}  // namespace onnxrun::cpu
