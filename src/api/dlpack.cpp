// Tensors to and from other libraries without a copy, in the structures of the DLPack specification (dmlc.github.io/dlpack).
#include <algorithm>
#include <limits>
#include <memory>
#include <vector>

#include "api/functions.h"
#include "api/handles.h"
#include "api/status.h"
#include "api/tensor_argument.h"
#include "plan/provider_set.h"

namespace onnxrun::api {
namespace {

using base::DType;

struct DlDevice {
  int32_t type, id;
};
struct DlType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DlTensor {
  void* data;
  DlDevice device;
  int32_t rank;
  DlType type;
  int64_t* shape;
  int64_t* strides;  // in elements; null: contiguous
  uint64_t byte_offset;
};
// Version 0.
struct DlManaged {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged* self);
};
// Version 1.
struct DlVersioned {
  uint32_t major, minor;
  void* context;
  void (*deleter)(DlVersioned* self);
  uint64_t flags;
  DlTensor tensor;
};
constexpr uint64_t kReadOnly = 1;

// Its maker has a type of its own for the struct, which the sanitizer takes for another function's.
template <class Managed>
__attribute__((no_sanitize("undefined"))) void give_back(Managed& managed) {
  if (managed.deleter) managed.deleter(&managed);
}

constexpr int32_t kHost = 1;

struct Match {
  DType dtype;
  uint8_t code, bits;
};
constexpr Match kMatches[] = {
    {DType::kInt8, 0, 8},
    {DType::kInt16, 0, 16},
    {DType::kInt32, 0, 32},
    {DType::kInt64, 0, 64},
    {DType::kUint8, 1, 8},
    {DType::kUint16, 1, 16},
    {DType::kUint32, 1, 32},
    {DType::kUint64, 1, 64},
    {DType::kFloat16, 2, 16},
    {DType::kFloat32, 2, 32},
    {DType::kFloat64, 2, 64},
    {DType::kBfloat16, 4, 16},
    {DType::kComplex64, 5, 64},
    {DType::kComplex128, 5, 128},
    {DType::kBool, 6, 8},
    {DType::kFloat8E4M3FN, 10, 8},
    {DType::kFloat8E4M3FNUZ, 11, 8},
    {DType::kFloat8E5M2, 12, 8},
    {DType::kFloat8E5M2FNUZ, 13, 8},
    {DType::kFloat8E8M0, 14, 8},
};

DType dtype_of(const DlType& type) {
  for (const Match& match : kMatches)
    if (match.code == type.code && match.bits == type.bits && type.lanes == 1) return match.dtype;
  fail(Code::kInvalidArgument, "a DLPack tensor of the type (code {}, {} bits, {} lanes) is not taken", type.code,
       type.bits, type.lanes);
}

base::Dims dims_of(const DlTensor& tensor) {
  if (tensor.rank < 0) fail(Code::kInvalidArgument, "a DLPack tensor of rank {}", tensor.rank);
  return dims_argument(tensor.shape, static_cast<size_t>(tensor.rank));
}

void check_contiguous(const DlTensor& tensor, const base::Dims& dims) {
  if (tensor.strides == nullptr || base::element_count(dims) == 0) return;
  int64_t expected = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    if (dims[i] != 1 && tensor.strides[i] != expected)
      fail(Code::kInvalidArgument, "the DLPack tensor is not contiguous: stride {} of dimension {} is not {}",
           tensor.strides[i], i, expected);
    expected *= dims[i];
  }
}

// What an exported tensor holds on to.
template <class Managed>
struct Exported {
  base::Tensor tensor;
  std::vector<int64_t> shape, strides;
  Managed managed{};
};

template <class Managed>
Managed* give(const onnxrun_value& value) {
  auto exported = std::make_unique<Exported<Managed>>();
  exported->tensor = value.value.tensor();
  const base::Tensor& tensor = exported->tensor;
  const auto match =
      std::find_if(std::begin(kMatches), std::end(kMatches), [&](const Match& m) { return m.dtype == tensor.dtype(); });
  if (match == std::end(kMatches))
    fail(Code::kInvalidArgument, "DLPack takes no {}; elements of 8 bits and more, which are no strings, it does",
         value.value.describe());
  exported->shape.assign(tensor.dims().begin(), tensor.dims().end());
  exported->strides.assign(exported->shape.size(), 1);
  for (size_t i = exported->shape.size(); i-- > 1;)
    exported->strides[i - 1] = exported->strides[i] * std::max<int64_t>(exported->shape[i], 1);
  Managed& managed = exported->managed;
  managed.tensor.data = const_cast<void*>(tensor.raw());
  managed.tensor.device = {kHost, 0};
  if (const int32_t memory = tensor.memory(); memory != 0)
    managed.tensor.device = {plan::device_type_of(memory), plan::device_id_of(memory)};
  managed.tensor.rank = static_cast<int32_t>(exported->shape.size());
  managed.tensor.type = {match->code, match->bits, 1};
  managed.tensor.shape = exported->shape.data();
  managed.tensor.strides = exported->strides.data();
  managed.context = exported.get();
  managed.deleter = [](Managed* self) { delete static_cast<Exported<Managed>*>(self->context); };
  return &exported.release()->managed;
}

template <class Managed>
onnxrun_value* take(Managed* managed, bool writable) {
  const DlTensor& tensor = managed->tensor;
  const int32_t memory = is_host_device(tensor.device.type) ? 0 : memory_argument(tensor.device.type, tensor.device.id);
  const DType dtype = dtype_of(tensor.type);
  const base::Dims dims = dims_of(tensor);
  check_contiguous(tensor, dims);
  const size_t bytes = base::dtype_bytes(dtype, base::element_count(dims));
  char* data = static_cast<char*>(tensor.data);
  if (data != nullptr) data += tensor.byte_offset;
  return wrap_tensor(
      static_cast<int32_t>(dtype), dims.data(), dims.size(), data, bytes, memory, writable,
      [](void* context) {
        auto* const held = static_cast<Managed*>(context);
        give_back(*held);
      },
      managed);
}

}  // namespace

onnxrun_status* value_to_dlpack(const onnxrun_value* value, uint32_t major, void** out) {
  return guard([&] {
    need(out, "out");
    any_tensor_argument(value);
    if (major == 0) {
      *out = give<DlManaged>(*value);
      return;
    }
    if (major != 1) fail(Code::kUnsupported, "DLPack of version {} is not known here; 0 and 1 are", major);
    auto* const made = give<DlVersioned>(*value);
    made->major = 1;
    made->minor = 0;
    made->flags = value->writable ? 0 : kReadOnly;
    *out = made;
  });
}

onnxrun_status* value_from_dlpack(void* tensor, uint32_t major, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    need(static_cast<char*>(tensor), "tensor");
    if (major == 0) {
      *out = take(static_cast<DlManaged*>(tensor), true);
      return;
    }
    if (major != 1) fail(Code::kUnsupported, "DLPack of version {} is not known here; 0 and 1 are", major);
    auto* const versioned = static_cast<DlVersioned*>(tensor);
    if (versioned->major != 1)
      fail(Code::kUnsupported, "the tensor is one of DLPack version {}, where version 1 was said", versioned->major);
    *out = take(versioned, (versioned->flags & kReadOnly) == 0);
  });
}

}  // namespace onnxrun::api
