// Reading and making DLPack capsules, as the DLPack specification (dmlc.github.io/dlpack) lays them out.
#include "dlpack.h"

#include <memory>
#include <vector>

#include "arrays.h"
#include "dtypes.h"
#include "errors.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

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
struct DlManaged {
  DlTensor tensor;
  void* context;
  void (*deleter)(DlManaged*);
};

constexpr int32_t kHost = 1;
constexpr const char* kFresh = "dltensor";

struct Match {
  onnxrun_dtype dtype;
  uint8_t code, bits;
};
constexpr Match kMatches[] = {
    {ONNXRUN_DTYPE_INT8, 0, 8},
    {ONNXRUN_DTYPE_INT16, 0, 16},
    {ONNXRUN_DTYPE_INT32, 0, 32},
    {ONNXRUN_DTYPE_INT64, 0, 64},
    {ONNXRUN_DTYPE_UINT8, 1, 8},
    {ONNXRUN_DTYPE_UINT16, 1, 16},
    {ONNXRUN_DTYPE_UINT32, 1, 32},
    {ONNXRUN_DTYPE_UINT64, 1, 64},
    {ONNXRUN_DTYPE_FLOAT16, 2, 16},
    {ONNXRUN_DTYPE_FLOAT32, 2, 32},
    {ONNXRUN_DTYPE_FLOAT64, 2, 64},
    {ONNXRUN_DTYPE_BFLOAT16, 4, 16},
    {ONNXRUN_DTYPE_COMPLEX64, 5, 64},
    {ONNXRUN_DTYPE_COMPLEX128, 5, 128},
    {ONNXRUN_DTYPE_BOOL, 6, 8},
    {ONNXRUN_DTYPE_FLOAT8E4M3FN, 10, 8},
    {ONNXRUN_DTYPE_FLOAT8E4M3FNUZ, 11, 8},
    {ONNXRUN_DTYPE_FLOAT8E5M2, 12, 8},
    {ONNXRUN_DTYPE_FLOAT8E5M2FNUZ, 13, 8},
    {ONNXRUN_DTYPE_FLOAT8E8M0, 14, 8},
};

bool contiguous(const DlTensor& tensor) {
  if (tensor.strides == nullptr) return true;
  int64_t expected = 1;
  for (int32_t i = tensor.rank; i-- > 0;) {
    if (tensor.shape[i] == 0) return true;
    if (tensor.shape[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.shape[i];
  }
  return true;
}

// What a capsule of ours holds on to.
struct Exported {
  explicit Exported(const Value& shared) : value(shared) {}
  Value value;
  Shape shape, strides;
  DlManaged managed{};
};

}  // namespace

Tensor tensor_of_dlpack(nb::handle object, std::string_view what) {
  const nb::object device = object.attr("__dlpack_device__")();
  if (!PyTuple_Check(device.ptr()) || PyTuple_GET_SIZE(device.ptr()) != 2 ||
      !PyLong_Check(PyTuple_GET_ITEM(device.ptr(), 0)))
    throw Error(Code::kInvalidArgument,
                std::string(what) + " tells no device: __dlpack_device__ gives a tuple of two numbers");
  if (PyLong_AsLong(PyTuple_GET_ITEM(device.ptr(), 0)) != kHost)
    throw Error(Code::kInvalidArgument,
                std::string(what) + " lies in the memory of a device; copy it to the host first");
  nb::object capsule = object.attr("__dlpack__")();
  auto* const managed = static_cast<DlManaged*>(PyCapsule_GetPointer(capsule.ptr(), kFresh));
  if (managed == nullptr) nb::raise_python_error();
  const DlTensor& tensor = managed->tensor;
  onnxrun_dtype dtype = ONNXRUN_DTYPE_NONE;
  for (const Match& match : kMatches)
    if (tensor.type.code == match.code && tensor.type.bits == match.bits && tensor.type.lanes == 1) dtype = match.dtype;
  if (dtype == ONNXRUN_DTYPE_NONE)
    throw Error(Code::kInvalidArgument,
                std::string(what) + " has an element type of DLPack that is not taken here (code " +
                    std::to_string(tensor.type.code) + ", " + std::to_string(tensor.type.bits) + " bits)");
  if (!contiguous(tensor))
    throw Error(Code::kInvalidArgument,
                std::string(what) + " is not contiguous; pass a contiguous copy, as x.contiguous() makes it");
  const Shape shape(tensor.shape, tensor.shape + tensor.rank);
  size_t bytes = static_cast<size_t>(tensor.type.bits) / 8;
  for (const int64_t dim : shape) bytes *= static_cast<size_t>(dim);
  // The capsule itself owns the tensor: its destructor calls the deleter for as long as it has its first name.
  return wrap_memory(dtype, shape, static_cast<char*>(tensor.data) + tensor.byte_offset, bytes, false, capsule);
}

nb::object dlpack_of(const Value& value) {
  auto exported = std::make_unique<Exported>(value);
  const Tensor tensor(value);
  const onnxrun_dtype dtype = tensor.dtype();
  const Match* found = nullptr;
  for (const Match& match : kMatches)
    if (match.dtype == dtype) found = &match;
  if (found == nullptr)
    throw Error(Code::kInvalidArgument, "DLPack has no " + std::string(dkind_of_object(dtype)) + " tensors here");
  exported->shape = tensor.shape();
  exported->strides.assign(exported->shape.size(), 1);
  for (size_t i = exported->shape.size(); i-- > 1;)
    exported->strides[i - 1] = exported->strides[i] * std::max<int64_t>(exported->shape[i], 1);
  DlManaged& managed = exported->managed;
  managed.tensor.data = const_cast<std::byte*>(tensor.bytes().data());
  managed.tensor.device = {kHost, 0};
  managed.tensor.rank = static_cast<int32_t>(exported->shape.size());
  managed.tensor.type = {found->code, found->bits, 1};
  managed.tensor.shape = exported->shape.data();
  managed.tensor.strides = exported->strides.data();
  managed.context = exported.get();
  managed.deleter = [](DlManaged* self) { delete static_cast<Exported*>(self->context); };
  const auto destroy = [](PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kFresh)) return;  // taken: the taker calls the deleter
    auto* const held = static_cast<DlManaged*>(PyCapsule_GetPointer(capsule, kFresh));
    held->deleter(held);
  };
  PyObject* const capsule = PyCapsule_New(&managed, kFresh, destroy);
  if (capsule == nullptr) nb::raise_python_error();
  exported.release();
  return nb::steal(capsule);
}

}  // namespace onnxrun::python
