// Value functions of the C interface: making tensors and looking into values.
#include <cstring>

#include "api/functions.h"
#include "api/handles.h"
#include "api/status.h"
#include "api/tensor_argument.h"

namespace onnxrun::api {
namespace {

using base::Buffer;
using base::DType;
using base::Tensor;
using base::Value;

onnxrun_value* wrap(Value value, bool writable = false) { return new onnxrun_value{std::move(value), writable}; }

// Largest size whose address a C++ type of this element type may have.
size_t alignment_of(DType dtype) {
  const int bits = base::dtype_bits(dtype);
  if (dtype == DType::kComplex64 || dtype == DType::kComplex128) return static_cast<size_t>(bits) / 16;
  return bits < 16 ? 1 : static_cast<size_t>(bits) / 8;
}

}  // namespace

base::Dims dims_argument(const int64_t* dims, size_t rank) {
  constexpr size_t kMaxRank = 64;
  if (rank > kMaxRank) fail(Code::kInvalidArgument, "a tensor of rank {}; at most {} is possible", rank, kMaxRank);
  if (rank != 0) need(dims, "dims");
  return base::Dims(dims, dims + rank);
}

base::DType dtype_argument(int32_t dtype) {
  if (!base::is_dtype(dtype)) fail(Code::kInvalidArgument, "{} is no element type", dtype);
  return static_cast<DType>(dtype);
}

const base::Tensor& any_tensor_argument(const onnxrun_value* value) { return need(value, "value").value.tensor(); }

base::Tensor& any_writable_argument(onnxrun_value* value) {
  if (!need(value, "value").writable)
    fail(Code::kInvalidArgument, "the {} cannot be written to; make one with value_create_tensor",
         value->value.describe());
  return value->value.tensor();
}

namespace {

void check_on_host(const onnxrun_value& value) {
  if (value.value.tensor().memory() != 0)
    fail(Code::kInvalidArgument,
         "the {} lies in the memory of a device; copy it to one in host memory first (value_copy)",
         value.value.describe());
}

}  // namespace

const base::Tensor& tensor_argument(const onnxrun_value* value) {
  const base::Tensor& tensor = any_tensor_argument(value);
  check_on_host(*value);
  return tensor;
}

base::Tensor& writable_argument(onnxrun_value* value) {
  base::Tensor& tensor = any_writable_argument(value);
  check_on_host(*value);
  return tensor;
}

onnxrun_status* value_create_tensor(int32_t dtype, const int64_t* dims, size_t rank, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const DType type = dtype_argument(dtype);
    base::Dims shape = dims_argument(dims, rank);
    if (type == DType::kString) {
      *out = wrap(Tensor(type, std::move(shape)), true);
      return;
    }
    const size_t bytes = base::dtype_bytes(type, base::element_count(shape));
    *out = wrap(Tensor(type, std::move(shape), Buffer::allocate(bytes, nullptr, true)), true);
  });
}

onnxrun_value* wrap_tensor(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes, int32_t memory,
                           bool writable, void (*release)(void* context), void* context) {
  const DType type = dtype_argument(dtype);
  if (type == DType::kString)
    fail(Code::kInvalidArgument, "strings cannot be wrapped; value_create_strings copies them");
  base::Dims shape = dims_argument(dims, rank);
  const size_t needed = base::dtype_bytes(type, base::element_count(shape));
  if (bytes < needed)
    fail(Code::kInvalidArgument, "{} bytes are too few for a {} tensor {}, which has {}", bytes, base::dtype_name(type),
         base::to_string(shape), needed);
  if (needed != 0) need(static_cast<char*>(data), "data");
  if (reinterpret_cast<uintptr_t>(data) % alignment_of(type) != 0)
    fail(Code::kInvalidArgument, "data is not aligned to the {} bytes of {}", alignment_of(type),
         base::dtype_name(type));
  struct Owner {
    void (*release)(void*) = nullptr;  // set once the value is made
    void* context = nullptr;
    ~Owner() {
      if (release) release(context);
    }
  };
  const auto owner = std::make_shared<Owner>();
  static char nothing[base::kAlignment];
  onnxrun_value* const made =
      wrap(Tensor(type, std::move(shape), Buffer::wrap(data ? data : nothing, needed, owner), 0, memory), writable);
  owner->release = release;
  owner->context = context;
  return made;
}

onnxrun_status* value_wrap_tensor(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                  int32_t writable, void (*release)(void* context), void* context,
                                  onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = wrap_tensor(dtype, dims, rank, data, bytes, 0, writable != 0, release, context);
  });
}

onnxrun_status* value_create_strings(const int64_t* dims, size_t rank, const char* const* strings,
                                     const size_t* lengths, size_t count, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    base::Dims shape = dims_argument(dims, rank);
    if (base::element_count(shape) != static_cast<int64_t>(count))
      fail(Code::kInvalidArgument, "{} strings given for the shape {}", count, base::to_string(shape));
    if (count != 0) need(strings, "strings");
    Tensor tensor(DType::kString, std::move(shape));
    std::string* elements = tensor.mutable_data<std::string>();
    for (size_t i = 0; i < count; ++i) {
      const char* text = &need(strings[i], "strings");
      elements[i].assign(text, lengths ? lengths[i] : std::strlen(text));
    }
    *out = wrap(std::move(tensor));
  });
}

onnxrun_status* value_create_sequence(const onnxrun_value* const* elements, size_t count, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    if (count != 0) need(elements, "elements");
    auto sequence = std::make_shared<base::Sequence>();
    for (size_t i = 0; i < count; ++i) {
      sequence->elements.push_back(need(elements[i], "elements").value);
      if (sequence->elements.back().is_tensor()) check_on_host(*elements[i]);
    }
    *out = wrap(std::shared_ptr<const base::Sequence>(std::move(sequence)));
  });
}

onnxrun_status* value_create_absent(onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = wrap(Value());
  });
}

onnxrun_status* value_share(const onnxrun_value* value, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_value(need(value, "value"));
  });
}

void value_free(onnxrun_value* value) { delete value; }

onnxrun_status* value_kind(const onnxrun_value* value, int32_t* out) {
  return guard([&] {
    const Value& inner = need(value, "value").value;
    need(out, "out") = inner.is_tensor()     ? ONNXRUN_KIND_TENSOR
                       : inner.is_sequence() ? ONNXRUN_KIND_SEQUENCE
                       : inner.is_map()      ? ONNXRUN_KIND_MAP
                                             : ONNXRUN_KIND_OPTIONAL;
  });
}

onnxrun_status* value_describe(const onnxrun_value* value, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_blob{need(value, "value").value.describe()};
  });
}

onnxrun_status* value_tensor_info(const onnxrun_value* value, int32_t* dtype, const int64_t** dims, size_t* rank,
                                  int64_t* count) {
  return guard([&] {
    const Tensor& tensor = any_tensor_argument(value);
    if (dtype) *dtype = static_cast<int32_t>(tensor.dtype());
    if (dims) *dims = tensor.dims().data();
    if (rank) *rank = tensor.dims().size();
    if (count) *count = tensor.count();
  });
}

onnxrun_status* value_data(const onnxrun_value* value, const void** data, size_t* bytes) {
  return guard([&] {
    const Tensor& tensor = tensor_argument(value);
    if (tensor.dtype() == DType::kString) fail(Code::kInvalidArgument, "strings are read one by one with value_string");
    need(data, "data") = tensor.raw();
    if (bytes) *bytes = tensor.bytes();
  });
}

onnxrun_status* value_mutable_data(onnxrun_value* value, void** data, size_t* bytes) {
  return guard([&] {
    Tensor& tensor = writable_argument(value);
    if (tensor.dtype() == DType::kString)
      fail(Code::kInvalidArgument, "strings cannot be changed; make them with value_create_strings");
    need(data, "data") = tensor.mutable_raw();
    if (bytes) *bytes = tensor.bytes();
  });
}

onnxrun_status* value_string(const onnxrun_value* value, int64_t index, const char** data, size_t* length) {
  return guard([&] {
    const Tensor& tensor = tensor_argument(value);
    if (tensor.dtype() != DType::kString)
      fail(Code::kInvalidArgument, "the {} holds no strings", value->value.describe());
    if (index < 0 || index >= tensor.count())
      fail(Code::kInvalidArgument, "element {} does not exist in the {}", index, value->value.describe());
    need(data, "data");
    need(length, "length");
    const std::string& text = tensor.data<std::string>()[index];
    *data = text.data();
    *length = text.size();
  });
}

onnxrun_status* value_sequence_length(const onnxrun_value* value, size_t* out) {
  return guard([&] { need(out, "out") = need(value, "value").value.sequence().elements.size(); });
}

onnxrun_status* value_sequence_element(const onnxrun_value* value, size_t index, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    const auto& elements = need(value, "value").value.sequence().elements;
    if (index >= elements.size())
      fail(Code::kInvalidArgument, "element {} does not exist in the {}", index, value->value.describe());
    *out = wrap(elements[index]);
  });
}

onnxrun_status* value_map_keys(const onnxrun_value* value, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = wrap(need(value, "value").value.map().keys);
  });
}

onnxrun_status* value_map_values(const onnxrun_value* value, onnxrun_value** out) {
  return guard([&] {
    need(out, "out");
    *out = wrap(need(value, "value").value.map().values);
  });
}

}  // namespace onnxrun::api
