// Python's capsules around the DLPack structures that the library reads and makes.
#include "dlpack.h"

#include "arrays.h"
#include "errors.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

constexpr long kCuda = 2;
constexpr const char* kFresh = "dltensor";
constexpr const char* kTaken = "used_dltensor";

// DLManagedTensor, version 0, as the DLPack specification (dmlc.github.io/dlpack) lays it out; only its last member is looked at here.
struct DlManaged {
  unsigned char tensor[48];
  void* context;
  void (*deleter)(DlManaged* self);
};

}  // namespace

Tensor tensor_of_dlpack(nb::handle object, std::string_view what) {
  const nb::object device = object.attr("__dlpack_device__")();
  if (!PyTuple_Check(device.ptr()) || PyTuple_GET_SIZE(device.ptr()) != 2 ||
      !PyLong_Check(PyTuple_GET_ITEM(device.ptr(), 0)))
    throw Error(Code::kInvalidArgument,
                std::string(what) + " tells no device: __dlpack_device__ gives a tuple of two numbers");
  const long type = PyLong_AsLong(PyTuple_GET_ITEM(device.ptr(), 0));
  const nb::object give = object.attr("__dlpack__");
  // Of CUDA: what the tensor still waits for is to be done before what the default stream, 1, is given next; a run waits for that stream.
  nb::object capsule = type == kCuda ? give(nb::arg("stream") = 1) : give();
  void* const managed = PyCapsule_GetPointer(capsule.ptr(), kFresh);
  if (managed == nullptr) nb::raise_python_error();
  try {
    Tensor tensor = Tensor::from_dlpack(managed, 0);
    PyCapsule_SetName(capsule.ptr(), kTaken);  // the tensor calls the deleter now
    return tensor;
  } catch (const Error& error) {
    throw Error(error.code(), std::string(what) + ": " + error.message());
  }
}

nb::object dlpack_of(const Value& value) {
  auto* const managed = static_cast<DlManaged*>(Tensor(value).to_dlpack(0));
  const auto destroy = [](PyObject* capsule) {
    if (!PyCapsule_IsValid(capsule, kFresh)) return;  // taken: the taker calls the deleter
    auto* const held = static_cast<DlManaged*>(PyCapsule_GetPointer(capsule, kFresh));
    held->deleter(held);
  };
  PyObject* const capsule = PyCapsule_New(managed, kFresh, destroy);
  if (capsule == nullptr) {
    managed->deleter(managed);
    nb::raise_python_error();
  }
  return nb::steal(capsule);
}

}  // namespace onnxrun::python
