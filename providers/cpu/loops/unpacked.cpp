// Unpacking and packing of sub-byte tensors around a kernel that works on bytes.
#include "cpu/loops/unpacked.h"

#include <new>

#include "base/dtype.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"

namespace onnxrun::cpu {
namespace {

using base::DType;

// The type that `rule` shows a tensor as: its own unless it has to be converted.
int32_t shown_type(const onnxrun_tensor& tensor, Shown rule) {
  if (!provider::present(tensor)) return tensor.dtype;
  if (rule == Shown::kBytes) return is_packed(tensor.dtype) ? int32_t{ONNXRUN_DTYPE_UINT8} : tensor.dtype;
  const bool narrow = tensor.dtype == ONNXRUN_DTYPE_FLOAT16 || tensor.dtype == ONNXRUN_DTYPE_BFLOAT16;
  return narrow ? int32_t{ONNXRUN_DTYPE_FLOAT32} : tensor.dtype;
}

size_t rounded(size_t bytes) { return (bytes + 63) / 64 * 64; }

size_t room(const onnxrun_tensor& tensor, Shown rule) {
  const int32_t type = shown_type(tensor, rule);
  if (type == tensor.dtype) return 0;
  if (!provider::shape_known(tensor)) throw provider::Declined{"a tensor of unknown shape that has to be converted"};
  return rounded(base::dtype_bytes(static_cast<DType>(type), base::element_count(provider::dims(tensor))));
}

size_t views_bytes(size_t tensors) { return rounded(tensors * (sizeof(onnxrun_tensor) + sizeof(onnxrun_tensor*))); }

// Between a tensor's own type and the one shown.
void convert(provider::RunContext& context, const onnxrun_tensor& from, const onnxrun_tensor& to) {
  const int64_t count = provider::count(from);
  if (to.dtype == ONNXRUN_DTYPE_UINT8 && is_packed(from.dtype))
    return unpack(from.dtype, from.data, static_cast<uint8_t*>(to.data), count);
  if (is_packed(to.dtype)) return pack(to.dtype, static_cast<const uint8_t*>(from.data), to.data, count);
  const Converter converts = converter(dtype(from), dtype(to));
  const int64_t from_bytes = base::dtype_bits(dtype(from)) / 8, to_bytes = base::dtype_bits(dtype(to)) / 8;
  context.parallel(count, 32768, [&](int64_t begin, int64_t end) {
    converts(static_cast<const char*>(from.data) + begin * from_bytes, static_cast<char*>(to.data) + begin * to_bytes,
             end - begin);
  });
}

onnxrun_run_context* real(const onnxrun_run_context* context) {
  return reinterpret_cast<const ShownRun::Proxy*>(context)->real;
}

void parallel(onnxrun_run_context* context, int64_t count, int64_t grain, void (*task)(void*, int64_t, int64_t),
              void* arg) {
  real(context)->host->parallel(real(context), count, grain, task, arg);
}

onnxrun_code allocate_output(onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank,
                             onnxrun_sink* error) {
  return real(context)->host->allocate_output(real(context), index, dims, rank, error);
}

int32_t cancelled(const onnxrun_run_context* context) { return real(context)->host->cancelled(real(context)); }

constexpr onnxrun_host kHost = {parallel, allocate_output, cancelled};

}  // namespace

void unpack(int32_t dtype, const void* from, uint8_t* to, int64_t count) {
  const int bits = base::dtype_bits(static_cast<DType>(dtype));
  for (int64_t i = 0; i < count; ++i) to[i] = base::packed_get(static_cast<const uint8_t*>(from), bits, i);
}

void pack(int32_t dtype, const uint8_t* from, void* to, int64_t count) {
  if (count == 0) return;
  const int bits = base::dtype_bits(static_cast<DType>(dtype));
  auto* out = static_cast<uint8_t*>(to);
  out[base::dtype_bytes(static_cast<DType>(dtype), count) - 1] = 0;
  for (int64_t i = 0; i < count; ++i) base::packed_set(out, bits, i, from[i]);
}

ShownNode::ShownNode(const provider::Node& node, Shown rule) : node_(*node.raw()) {
  auto show = [this, rule](onnxrun_tensor tensor) {
    const int32_t type = shown_type(tensor, rule);
    if (type != tensor.dtype) {
      any_ = true;
      tensor.dtype = type;
      tensor.data = nullptr;
    }
    return tensor;
  };
  for (size_t i = 0; i < node.input_count(); ++i) inputs_.push_back(show(node.input(i)));
  for (size_t i = 0; i < node.output_count(); ++i) outputs_.push_back(show(node.output(i)));
  node_.inputs = inputs_.data();
  node_.outputs = outputs_.data();
}

size_t ShownRun::scratch_bytes(const provider::Node& node, Shown rule) {
  size_t total = views_bytes(node.input_count() + node.output_count());
  for (size_t i = 0; i < node.input_count(); ++i) total += room(node.input(i), rule);
  for (size_t i = 0; i < node.output_count(); ++i) total += room(node.output(i), rule);
  return total;
}

ShownRun::ShownRun(provider::RunContext& real, Shown rule, char* scratch, char* inner_scratch)
    : proxy_{*real.raw(), real.raw()}, rule_(rule) {
  const size_t inputs = real.input_count(), count = inputs + real.output_count();
  onnxrun_tensor* next = reinterpret_cast<onnxrun_tensor*>(scratch);
  auto** pointers = reinterpret_cast<onnxrun_tensor**>(next + count);
  scratch += views_bytes(count);
  const auto show = [&](const onnxrun_tensor& tensor) {
    onnxrun_tensor* view = new (next++) onnxrun_tensor(tensor);
    view->dtype = shown_type(tensor, rule);
    if (view->dtype != tensor.dtype) {
      view->data = scratch;
      scratch += room(tensor, rule);
    }
    return view;
  };
  for (size_t i = 0; i < inputs; ++i) {
    pointers[i] = show(real.input(i));
    if (pointers[i]->dtype != real.input(i).dtype) convert(real, real.input(i), *pointers[i]);
  }
  // Outputs that the kernel allocates itself are never converted: they stay the host's own views.
  outputs_ = pointers + inputs;
  for (size_t i = 0; i < real.output_count(); ++i) {
    onnxrun_tensor* own = real.raw()->outputs[i];
    outputs_[i] = shown_type(*own, rule) != own->dtype ? show(*own) : own;
  }
  proxy_.context.host = &kHost;
  proxy_.context.inputs = pointers;
  proxy_.context.outputs = outputs_;
  proxy_.context.scratch = inner_scratch;
}

void ShownRun::convert_outputs() {
  provider::RunContext context(proxy_.real);
  context.check_cancelled();
  for (size_t i = 0; i < context.output_count(); ++i)
    if (const onnxrun_tensor* own = proxy_.real->outputs[i]; outputs_[i] != own) convert(context, *outputs_[i], *own);
}

}  // namespace onnxrun::cpu
