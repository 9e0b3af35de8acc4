// Values in the memory of devices: over a caller's memory, made by a provider of the options, and copied to and from it.
#include <algorithm>
#include <cstring>

#include "api/functions.h"
#include "api/handles.h"
#include "api/status.h"
#include "api/tensor_argument.h"
#include "plan/device_memory.h"

namespace onnxrun::api {
namespace {

using base::Buffer;
using base::DType;
using base::Tensor;

plan::ProviderPtr provider_on(const onnxrun_options* options, int32_t memory) {
  if (options != nullptr)
    for (const plan::ProviderPtr& provider : options->plugins)
      if (provider->device_memory && provider->device_type != 0 &&
          plan::memory_on(provider->device_type, provider->device_id) == memory)
        return provider;
  fail(Code::kInvalidArgument,
       "no provider library of the options works on the device of DLPack's type {} and number {}",
       plan::device_type_of(memory), plan::device_id_of(memory));
}

std::shared_ptr<void> allocate(const plan::ProviderPtr& provider, size_t bytes) {
  plan::Message message;
  void* data = nullptr;
  const onnxrun_code code = provider->allocate(provider->self, std::max<size_t>(bytes, 1), &data, message.sink());
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<Code>(code), std::string("provider '") + provider->name + "': " + message.text());
  return {data, [provider](void* owned) { provider->deallocate(provider->self, owned); }};
}

void copy_between(const plan::ProviderPtr& provider, const Tensor& from, Tensor& to) {
  const std::shared_ptr<void> stream = plan::create_stream(*provider);
  plan::await_callers(*provider, stream.get());
  plan::copy_on(*provider, stream.get(), from.raw(), from.memory() != 0, to.mutable_raw(), to.memory() != 0,
                from.bytes());
  plan::wait_for(*provider, stream.get());
}

}  // namespace

// Memory of the host by another name: plain, or pinned for a device.
bool is_host_device(int32_t device_type) {
  constexpr int32_t kHost = 1, kCudaHost = 3, kRocmHost = 11;
  return device_type == kHost || device_type == kCudaHost || device_type == kRocmHost;
}

int32_t memory_argument(int32_t device_type, int32_t device_id) {
  constexpr int32_t kLargest = 0x7fff;
  if (device_type < 1 || device_type > kLargest || device_id < 0 || device_id > 0xffff)
    fail(Code::kInvalidArgument, "there is no device of DLPack's type {} and number {}", device_type, device_id);
  return is_host_device(device_type) ? 0 : plan::memory_on(device_type, device_id);
}

onnxrun_status* value_wrap_device(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                  int32_t device_type, int32_t device_id, int32_t writable,
                                  void (*release)(void* context), void* context, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const int32_t memory = memory_argument(device_type, device_id);
    *out = wrap_tensor(dtype, dims, rank, data, bytes, memory, writable != 0, release, context);
  });
}

onnxrun_status* value_device(const onnxrun_value* value, int32_t* device_type, int32_t* device_id, void** data) {
  return guard([&] {
    const Tensor& tensor = any_tensor_argument(value);
    if (device_type) *device_type = tensor.memory() == 0 ? 1 : plan::device_type_of(tensor.memory());
    if (device_id) *device_id = tensor.memory() == 0 ? 0 : plan::device_id_of(tensor.memory());
    if (data) *data = const_cast<void*>(tensor.raw());
  });
}

onnxrun_status* value_create_on(const onnxrun_options* options, int32_t device_type, int32_t device_id, int32_t dtype,
                                const int64_t* dims, size_t rank, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const int32_t memory = memory_argument(device_type, device_id);
    const DType type = dtype_argument(dtype);
    if (type == DType::kString) fail(Code::kInvalidArgument, "strings lie in host memory only");
    base::Dims shape = dims_argument(dims, rank);
    const size_t bytes = base::dtype_bytes(type, base::element_count(shape));
    base::BufferPtr buffer;
    if (memory == 0) {
      buffer = Buffer::allocate(bytes);
    } else {
      const std::shared_ptr<void> owned = allocate(provider_on(options, memory), bytes);
      buffer = Buffer::wrap(owned.get(), bytes, owned);
    }
    *out = new onnxrun_value{Tensor(type, std::move(shape), std::move(buffer), 0, memory), true};
  });
}

onnxrun_status* value_copy(const onnxrun_options* options, const onnxrun_value* from, onnxrun_value* to) {
  return guard([&] {
    const Tensor& source = any_tensor_argument(from);
    Tensor& target = any_writable_argument(to);
    if (source.dtype() != target.dtype() || source.dims() != target.dims() || source.dtype() == DType::kString)
      fail(Code::kInvalidArgument, "the {} cannot be copied to the {}", from->value.describe(), to->value.describe());
    if (source.bytes() == 0) return;
    if (source.memory() == 0 && target.memory() == 0) {
      std::memmove(target.mutable_raw(), source.raw(), source.bytes());
    } else if (source.memory() == 0 || target.memory() == 0 || source.memory() == target.memory()) {
      copy_between(provider_on(options, source.memory() != 0 ? source.memory() : target.memory()), source, target);
    } else {
      Tensor between(source.dtype(), source.dims());
      copy_between(provider_on(options, source.memory()), source, between);
      copy_between(provider_on(options, target.memory()), between, target);
    }
  });
}

}  // namespace onnxrun::api
