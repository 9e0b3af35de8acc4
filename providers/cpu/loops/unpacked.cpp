// Unpacking and packing of sub-byte tensors around a kernel that works on bytes.
#include "cpu/loops/unpacked.h"

#include "base/dtype.h"

namespace onnxrun::cpu {
namespace {

using base::DType;

size_t room(const onnxrun_tensor& tensor) {
  if (!provider::present(tensor) || !is_packed(tensor.dtype)) return 0;
  if (!provider::shape_known(tensor)) throw provider::Declined{"a packed tensor of unknown shape"};
  return (base::dtype_bytes(DType::kUint8, base::element_count(provider::dims(tensor))) + 63) / 64 * 64;
}

onnxrun_run_context* real(const onnxrun_run_context* context) {
  return reinterpret_cast<const UnpackedRun::Proxy*>(context)->real;
}

void parallel(onnxrun_run_context* context, int64_t count, int64_t grain, void (*task)(void*, int64_t, int64_t), void* arg) {
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

UnpackedNode::UnpackedNode(const provider::Node& node) : node_(*node.raw()) {
  auto show = [this](onnxrun_tensor tensor) {
    if (provider::present(tensor) && is_packed(tensor.dtype)) {
      any_ = true;
      tensor.dtype = ONNXRUN_DTYPE_UINT8;
      tensor.data = nullptr;
    }
    return tensor;
  };
  for (size_t i = 0; i < node.input_count(); ++i) inputs_.push_back(show(node.input(i)));
  for (size_t i = 0; i < node.output_count(); ++i) outputs_.push_back(show(node.output(i)));
  node_.inputs = inputs_.data();
  node_.outputs = outputs_.data();
}

size_t UnpackedRun::scratch_bytes(const provider::Node& node) {
  size_t total = 0;
  for (size_t i = 0; i < node.input_count(); ++i) total += room(node.input(i));
  for (size_t i = 0; i < node.output_count(); ++i) total += room(node.output(i));
  return total;
}

UnpackedRun::UnpackedRun(provider::RunContext& real, char* scratch, char* inner_scratch)
    : proxy_{*real.raw(), real.raw()}, tensors_(real.input_count() + real.output_count()) {
  size_t next = 0;
  auto show = [&](const onnxrun_tensor& tensor) -> onnxrun_tensor* {
    onnxrun_tensor& view = tensors_[next++];
    view = tensor;
    if (provider::present(tensor) && is_packed(tensor.dtype)) {
      view.dtype = ONNXRUN_DTYPE_UINT8;
      view.data = scratch;
      scratch += room(tensor);
    }
    return &view;
  };
  for (size_t i = 0; i < real.input_count(); ++i) {
    const onnxrun_tensor& tensor = real.input(i);
    const onnxrun_tensor* view = show(tensor);
    if (view->dtype != tensor.dtype)
      unpack(tensor.dtype, tensor.data, static_cast<uint8_t*>(view->data), provider::count(tensor));
    inputs_.push_back(view);
  }
  // Outputs that the kernel allocates itself are never packed: they stay the host's own views.
  for (size_t i = 0; i < real.output_count(); ++i) {
    onnxrun_tensor* own = real.raw()->outputs[i];
    outputs_.push_back(provider::present(*own) && is_packed(own->dtype) ? show(*own) : own);
  }
  proxy_.context.host = &kHost;
  proxy_.context.inputs = inputs_.data();
  proxy_.context.outputs = outputs_.data();
  proxy_.context.scratch = inner_scratch;
}

void UnpackedRun::pack_outputs() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const onnxrun_tensor& real = *proxy_.real->outputs[i];
    if (outputs_[i] != &real)
      pack(real.dtype, static_cast<const uint8_t*>(outputs_[i]->data), real.data, provider::count(real));
  }
}

}  // namespace onnxrun::cpu
