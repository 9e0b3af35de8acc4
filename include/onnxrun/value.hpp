// Values of the C++ interface: tensors, sequences, maps and absent optionals. Included by onnxrun.hpp.
#pragma once

#include <onnxrun/onnxrun.h>
#include <onnxrun/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// A span of a Tensor that is a temporary stays good while any other handle of the value lives, as those of Results do; GCC would warn of it.
#ifdef __has_cpp_attribute
#if __has_cpp_attribute(gnu::no_dangling)
#define ONNXRUN_NO_DANGLING [[gnu::no_dangling]]
#endif
#endif
#ifndef ONNXRUN_NO_DANGLING
#define ONNXRUN_NO_DANGLING
#endif

namespace onnxrun {

// The table of C functions. Throws kUnsupported when the library loaded is another version, or older than the header.
inline const onnxrun_api& api() {
  static const onnxrun_api* const table = onnxrun_get_api(ONNXRUN_API_VERSION);
  if (table == nullptr || table->size < sizeof(onnxrun_api))
    throw Error(Code::kUnsupported,
                "the onnxrun library that was loaded does not have the interface this program was built for");
  return *table;
}

namespace detail {

inline void check(onnxrun_status* status) {
  if (status == nullptr) return;
  Error error(static_cast<Code>(api().status_code(status)), api().status_message(status));
  api().status_free(status);
  throw error;
}

// For the C interface, where text ends at its first null byte: text that holds one is refused, not cut.
inline const char* text(const std::string& text) {
  if (const size_t at = text.find('\0'); at != std::string::npos)
    throw Error(Code::kInvalidArgument, "'" + text.substr(0, at) + "' is followed by a null byte");
  return text.c_str();
}

inline std::string take(onnxrun_blob* blob) {
  const std::unique_ptr<onnxrun_blob, void (*)(onnxrun_blob*)> owner(blob, api().blob_free);
  return std::string(api().blob_data(blob), api().blob_size(blob));
}

template <class T>
struct dtype_of;
template <>
struct dtype_of<float> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_FLOAT32> {};
template <>
struct dtype_of<double> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_FLOAT64> {};
template <>
struct dtype_of<int8_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT8> {};
template <>
struct dtype_of<int16_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT16> {};
template <>
struct dtype_of<int32_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT32> {};
template <>
struct dtype_of<int64_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_INT64> {};
template <>
struct dtype_of<uint8_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT8> {};
template <>
struct dtype_of<uint16_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT16> {};
template <>
struct dtype_of<uint32_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT32> {};
template <>
struct dtype_of<uint64_t> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_UINT64> {};
template <>
struct dtype_of<bool> : std::integral_constant<onnxrun_dtype, ONNXRUN_DTYPE_BOOL> {};

}  // namespace detail

using Shape = std::vector<int64_t>;

// Where a tensor lies, in DLPack's numbers: type 1 is the host, 2 CUDA.
struct Device {
  int32_t type = 1, id = 0;
  bool operator==(const Device&) const = default;
};

// A tensor, a sequence, a map, or an absent optional.
class Value {
 public:
  Value() { detail::check(api().value_create_absent(&handle_)); }
  explicit Value(onnxrun_value* handle) : handle_(handle) {}  // takes it over
  Value(const Value& other) { detail::check(api().value_share(other.handle_, &handle_)); }
  Value(Value&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Value& operator=(Value other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Value() {
    if (handle_) api().value_free(handle_);
  }

  static Value sequence(const std::vector<Value>& elements) {
    std::vector<const onnxrun_value*> handles;
    for (const Value& element : elements) handles.push_back(element.get());
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_sequence(handles.data(), handles.size(), &made));
    return Value(made);
  }
  // Rank-1 tensors of equal length; keys are int64 or strings.
  static Value map(const Value& keys, const Value& values) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_map(keys.get(), values.get(), &made));
    return Value(made);
  }
  // A TensorProto, or by `kind` a SequenceProto, OptionalProto or MapProto.
  static Value from_proto(std::string_view bytes, onnxrun_kind kind = ONNXRUN_KIND_UNKNOWN) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_from_proto(bytes.data(), bytes.size(), kind, &made));
    return Value(made);
  }

  onnxrun_kind kind() const {
    int32_t kind = 0;
    detail::check(api().value_kind(handle_, &kind));
    return static_cast<onnxrun_kind>(kind);
  }
  bool is_tensor() const { return kind() == ONNXRUN_KIND_TENSOR; }
  bool absent() const { return kind() == ONNXRUN_KIND_OPTIONAL; }
  std::string describe() const {
    onnxrun_blob* text = nullptr;
    detail::check(api().value_describe(handle_, &text));
    return detail::take(text);
  }

  std::vector<Value> elements() const {
    size_t count = 0;
    detail::check(api().value_sequence_length(handle_, &count));
    std::vector<Value> result;
    for (size_t i = 0; i < count; ++i) {
      onnxrun_value* element = nullptr;
      detail::check(api().value_sequence_element(handle_, i, &element));
      result.emplace_back(element);
    }
    return result;
  }
  Value keys() const {
    onnxrun_value* made = nullptr;
    detail::check(api().value_map_keys(handle_, &made));
    return Value(made);
  }
  Value values() const {
    onnxrun_value* made = nullptr;
    detail::check(api().value_map_values(handle_, &made));
    return Value(made);
  }

  onnxrun_value* get() const noexcept { return handle_; }

 private:
  onnxrun_value* handle_ = nullptr;
};

// A value that is a tensor: contiguous, row-major.
class Tensor : public Value {
 public:
  // Throws kInvalidArgument when `value` is something else.
  Tensor(Value value) : Value(std::move(value)) { (void)count(); }

  // Zeroed memory of its own.
  Tensor(onnxrun_dtype dtype, const Shape& shape) : Value(make(dtype, shape)) {}

  // A copy of the elements.
  template <class T>
  requires(!std::is_same_v<T, bool>) static Tensor from(const Shape& shape, std::span<const T> elements) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_wrap_tensor(detail::dtype_of<T>::value, shape.data(), shape.size(),
                                          const_cast<T*>(elements.data()), elements.size_bytes(), 0, nullptr, nullptr,
                                          &made));
    const Tensor view{Value(made)};
    if (static_cast<size_t>(view.count()) != elements.size())
      throw Error(Code::kInvalidArgument, "the shape does not have as many elements as were given");
    Tensor result(detail::dtype_of<T>::value, shape);
    std::copy(elements.begin(), elements.end(), result.template mutable_span<T>().begin());
    return result;
  }
  template <class T>
  static Tensor from(const Shape& shape, const std::vector<T>& elements) {
    return from(shape, std::span<const T>(elements));
  }
  template <class T>
  static Tensor from(const Shape& shape, std::initializer_list<T> elements) {
    return from(shape, std::span<const T>(elements.begin(), elements.size()));
  }
  template <class T>
  requires std::is_arithmetic_v<T>
  static Tensor scalar(T value) {
    Tensor result(detail::dtype_of<T>::value, {});
    result.template mutable_span<T>()[0] = value;
    return result;
  }
  static Tensor strings(const Shape& shape, const std::vector<std::string>& elements) {
    std::vector<const char*> data;
    std::vector<size_t> lengths;
    for (const std::string& element : elements) {
      data.push_back(element.data());
      lengths.push_back(element.size());
    }
    onnxrun_value* made = nullptr;
    detail::check(
        api().value_create_strings(shape.data(), shape.size(), data.data(), lengths.data(), data.size(), &made));
    return Tensor(Value(made));
  }
  // Shows memory of the caller's, which must outlive every value that shares it. Runs may write to it when it is an output.
  template <class T>
  static Tensor wrap(const Shape& shape, std::span<T> elements) {
    using Element = std::remove_const_t<T>;
    onnxrun_value* made = nullptr;
    detail::check(api().value_wrap_tensor(detail::dtype_of<Element>::value, shape.data(), shape.size(),
                                          const_cast<Element*>(elements.data()), elements.size_bytes(),
                                          !std::is_const_v<T>, nullptr, nullptr, &made));
    return Tensor(Value(made));
  }

  // Shows `bytes` bytes of a device's memory, which must outlive every value that shares it. Runs may write to it when it is an output.
  static Tensor wrap_device(Device device, onnxrun_dtype dtype, const Shape& shape, void* data, size_t bytes) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_wrap_device(dtype, shape.data(), shape.size(), data, bytes, device.type, device.id, 1,
                                          nullptr, nullptr, &made));
    return Tensor(Value(made));
  }

  Device device() const {
    Device device;
    detail::check(api().value_device(get(), &device.type, &device.id, nullptr));
    return device;
  }
  // On its device.
  void* address() const {
    void* data = nullptr;
    detail::check(api().value_device(get(), nullptr, nullptr, &data));
    return data;
  }

  onnxrun_dtype dtype() const {
    int32_t dtype = 0;
    detail::check(api().value_tensor_info(get(), &dtype, nullptr, nullptr, nullptr));
    return static_cast<onnxrun_dtype>(dtype);
  }
  Shape shape() const {
    const int64_t* dims = nullptr;
    size_t rank = 0;
    detail::check(api().value_tensor_info(get(), nullptr, &dims, &rank, nullptr));
    return Shape(dims, dims + rank);
  }
  int64_t count() const {
    int64_t count = 0;
    detail::check(api().value_tensor_info(get(), nullptr, nullptr, nullptr, &count));
    return count;
  }
  // Of a tensor in host memory, as are all elements that follow.
  std::span<const std::byte> bytes() const {
    const void* data = nullptr;
    size_t size = 0;
    detail::check(api().value_data(get(), &data, &size));
    return {static_cast<const std::byte*>(data), size};
  }
  std::span<std::byte> mutable_bytes() {
    void* data = nullptr;
    size_t size = 0;
    detail::check(api().value_mutable_data(get(), &data, &size));
    return {static_cast<std::byte*>(data), size};
  }
  // The elements, valid while a value sharing them lives. Throws kInvalidArgument when T is not the element type.
  template <class T>
  ONNXRUN_NO_DANGLING std::span<const T> span() const {
    require(detail::dtype_of<T>::value);
    return {reinterpret_cast<const T*>(bytes().data()), static_cast<size_t>(count())};
  }
  template <class T>
  ONNXRUN_NO_DANGLING std::span<T> mutable_span() {
    require(detail::dtype_of<T>::value);
    return {reinterpret_cast<T*>(mutable_bytes().data()), static_cast<size_t>(count())};
  }
  std::string_view string(int64_t index) const {
    const char* data = nullptr;
    size_t length = 0;
    detail::check(api().value_string(get(), index, &data, &length));
    return {data, length};
  }
  // The elements of any numeric type as doubles (complex ones: two each).
  std::vector<double> doubles() const {
    const bool complex = dtype() == ONNXRUN_DTYPE_COMPLEX64 || dtype() == ONNXRUN_DTYPE_COMPLEX128;
    std::vector<double> result(static_cast<size_t>(count()) * (complex ? 2 : 1));
    detail::check(api().value_to_doubles(get(), result.data(), result.size()));
    return result;
  }
  void set(std::span<const double> elements) {
    detail::check(api().value_from_doubles(get(), elements.data(), elements.size()));
  }
  // A structure of dlpack.h that shares the memory: DLManagedTensor (`major` 0) or DLManagedTensorVersioned (1). The caller calls its deleter.
  void* to_dlpack(uint32_t major = 1) const {
    void* made = nullptr;
    detail::check(api().value_to_dlpack(get(), major, &made));
    return made;
  }
  // Takes such a structure over; where this throws, it stays the caller's.
  static Tensor from_dlpack(void* tensor, uint32_t major = 1) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_from_dlpack(tensor, major, &made));
    return Tensor(Value(made));
  }
  std::string to_proto(const std::string& name = {}) const {
    onnxrun_blob* bytes = nullptr;
    detail::check(api().value_to_proto(get(), detail::text(name), &bytes));
    return detail::take(bytes);
  }

 private:
  static Value make(onnxrun_dtype dtype, const Shape& shape) {
    onnxrun_value* made = nullptr;
    detail::check(api().value_create_tensor(dtype, shape.data(), shape.size(), &made));
    return Value(made);
  }
  void require(onnxrun_dtype wanted) const {
    if (dtype() != wanted)
      throw Error(Code::kInvalidArgument, "the elements of the " + describe() + " are not of the type asked for");
  }
};

}  // namespace onnxrun
