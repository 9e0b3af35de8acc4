// TensorProto to base::Tensor: raw and external bytes as views where aligned, typed fields element by element.
#include "import/tensor.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/mapping.h"
#include "base/packed.h"
#include "base/text_memory.h"
#include "import/proto.h"
#include "import/tensor_header.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::DType;
using base::fail;
using base::Tensor;

static_assert(std::endian::native == std::endian::little, "raw data is little-endian and read as it is");

// The typed field that elements of a type lie in.
Field typed_field(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kComplex64: return kFloatData;
    case DType::kFloat64:
    case DType::kComplex128: return kDoubleData;
    case DType::kInt64: return kInt64Data;
    case DType::kUint32:
    case DType::kUint64: return kUint64Data;
    case DType::kString: return kStringData;
    default: return kInt32Data;
  }
}

size_t alignment_of(DType dtype) {
  const int bits = base::dtype_bits(dtype);
  if (dtype == DType::kComplex64) return 4;
  if (dtype == DType::kComplex128) return 8;
  return bits <= 8 ? 1 : static_cast<size_t>(bits) / 8;
}

// Elements of a typed field stored one by one into the tensor's memory; counts what comes.
class Filler {
 public:
  Filler(Tensor& to, int64_t entries) : to_(to), data_(static_cast<uint8_t*>(to.mutable_raw())), entries_(entries) {}

  void integer(const Message& m, int64_t value) {
    if (at_ >= entries_) return static_cast<void>(++at_);
    switch (to_.dtype()) {
      case DType::kInt8: return put<int8_t>(m, value);
      case DType::kInt16: return put<int16_t>(m, value);
      case DType::kInt32: return put<int32_t>(m, value);
      case DType::kInt64: return put<int64_t>(m, value);
      case DType::kUint8: return put<uint8_t>(m, value);
      case DType::kUint16:
      case DType::kFloat16:
      case DType::kBfloat16: return put<uint16_t>(m, value);
      case DType::kUint32: return put<uint32_t>(m, value);
      case DType::kUint64: return store(static_cast<uint64_t>(value));
      case DType::kBool: return store(static_cast<uint8_t>(value != 0));
      case DType::kFloat6E2M3:
      case DType::kFloat6E3M2:
        base::packed_set(data_, 6, at_, static_cast<uint8_t>(value & 0x3f));
        return static_cast<void>(++at_);
      default:  // 8-bit floats, and one entry for each byte of the packed types; writers may have sign-extended them
        if (value < -128 || value > 255) m.fail(fmt::format("holds {} where a byte belongs", value));
        return store(static_cast<uint8_t>(value));
    }
  }

  void fixed(Bytes run, size_t width) {
    const auto count = static_cast<int64_t>(run.size() / width);
    if (at_ <= entries_ && count <= entries_ - at_)
      std::memcpy(data_ + static_cast<size_t>(at_) * width, run.data(), run.size());
    at_ += count;
  }

  void string(Bytes text) {
    if (at_ < entries_) to_.mutable_data<std::string>()[at_].assign(text);
    ++at_;
  }

  int64_t count() const { return at_; }

 private:
  template <class T>
  void put(const Message& m, int64_t value) {
    if (value < static_cast<int64_t>(std::numeric_limits<T>::min()) ||
        value > static_cast<int64_t>(std::numeric_limits<T>::max())) {
      m.fail(fmt::format("holds {}, which {} cannot represent", value, base::dtype_name(to_.dtype())));
    }
    store(static_cast<T>(value));
  }
  template <class T>
  void store(T value) {
    std::memcpy(data_ + static_cast<size_t>(at_) * sizeof(T), &value, sizeof(T));
    ++at_;
  }

  Tensor& to_;
  uint8_t* data_;
  int64_t entries_;
  int64_t at_ = 0;
};

Tensor read_typed(const TensorSource& source, Bytes message, const TensorHeader& h, DType dtype, int64_t count) {
  int64_t entries = count;
  if (base::is_complex(dtype)) entries = base::checked_mul(count, 2);
  if (base::is_sub_byte(dtype) && base::dtype_bits(dtype) != 6)
    entries = static_cast<int64_t>(base::dtype_bytes(dtype, count));
  // Every entry takes at least a byte of the file, which bounds what is allocated.
  if (entries > static_cast<int64_t>(message.size())) {
    fail(Code::kInvalidModel, "its shape {} needs {} entries of {}, and the file has fewer", base::to_string(h.dims),
         entries, field_name(typed_field(dtype)));
  }
  Tensor tensor(dtype, h.dims, source.budget);
  if (base::is_sub_byte(dtype)) std::memset(tensor.mutable_raw(), 0, tensor.bytes());
  Filler filler(tensor, entries);
  Message m(*source.file, message, "TensorProto");
  while (m.next()) {
    if (m.field() != h.typed) {
      m.skip();
    } else if (h.typed == kFloatData) {
      m.fixed(4, [&](Bytes run) { filler.fixed(run, 4); });
    } else if (h.typed == kDoubleData) {
      m.fixed(8, [&](Bytes run) { filler.fixed(run, 8); });
    } else if (h.typed == kStringData) {
      filler.string(m.string());
    } else {
      m.integers([&](int64_t value) { filler.integer(m, value); });
    }
  }
  if (filler.count() != entries) {
    fail(Code::kInvalidModel, "{} has {} entries where shape {} needs {}", field_name(typed_field(dtype)),
         filler.count(), base::to_string(h.dims), entries);
  }
  return dtype == DType::kString ? base::charge_text(std::move(tensor), source.budget) : tensor;
}

// Bytes from which on a piece of a file is not to stay in memory twice.
constexpr size_t kManyBytes = 128 << 10;

Tensor from_bytes(const TensorSource& source, const TensorHeader& h, DType dtype, Bytes bytes,
                  const std::shared_ptr<const void>& owner) {
  const bool aligned = reinterpret_cast<uintptr_t>(bytes.data()) % alignment_of(dtype) == 0;
  bool viewed = owner && aligned && !bytes.empty();
  if (dtype == DType::kBool) {
    for (const char c : bytes) viewed = viewed && (c == 0 || c == 1);
  }
  if (viewed) {
    return Tensor(dtype, h.dims, base::Buffer::wrap(const_cast<char*>(bytes.data()), bytes.size(), owner));
  }
  // Large weights are mostly read once, to be packed.
  if (owner && base::is_float(dtype) && bytes.size() >= kManyBytes) {
    if (source.budget) source.budget->check_tensor(static_cast<int64_t>(bytes.size()));
    return Tensor(dtype, h.dims, base::Buffer::wrap_unaligned(bytes.data(), bytes.size(), owner, source.budget));
  }
  Tensor tensor(dtype, h.dims, source.budget);
  if (!bytes.empty()) std::memcpy(tensor.mutable_raw(), bytes.data(), bytes.size());
  if (owner && bytes.size() >= kManyBytes) base::forget_pages(owner, bytes.data(), bytes.size());
  if (dtype == DType::kBool) {
    auto* data = static_cast<uint8_t*>(tensor.mutable_raw());
    for (size_t i = 0; i < bytes.size(); ++i) data[i] = data[i] != 0;
  }
  return tensor;
}

Tensor read_elements(const TensorSource& source, Bytes message, const TensorHeader& h) {
  if (!base::is_dtype(h.data_type)) {
    fail(Code::kInvalidModel, "its element type {} is unknown (1 to {} are known)", h.data_type, base::kLastDType);
  }
  const auto dtype = static_cast<DType>(h.data_type);
  for (const int64_t dim : h.dims) {
    if (dim < 0) fail(Code::kInvalidModel, "its shape {} has a negative dim", base::to_string(h.dims));
  }
  const int64_t count = base::element_count(h.dims);
  if (const auto bytes = static_cast<int64_t>(base::dtype_bytes(dtype, count)); bytes > source.limits->max_tensor_bytes)
    base::exceed(fmt::format("a tensor of {} bytes", bytes), source.limits->max_tensor_bytes, "max_tensor");
  if (h.external) {
    if (dtype == DType::kString) fail(Code::kInvalidModel, "strings cannot lie in external data");
    if ((h.raw && !h.raw->empty()) || h.typed != kNoData)
      fail(Code::kInvalidModel, "it has data in the file and external data");
    if (!source.external) fail(Code::kInvalidModel, "it lies in external data, which is not allowed here");
    const auto bytes = static_cast<int64_t>(base::dtype_bytes(dtype, count));
    const ExternalFiles::Range range = source.external->range(parse_external(h.external_data), bytes);
    return from_bytes(source, h, dtype, range.bytes, range.owner);
  }
  if (h.typed != kNoData && h.raw && !h.raw->empty())
    fail(Code::kInvalidModel, "it has both raw_data and {}", field_name(h.typed));
  if (h.typed != kNoData && h.typed != static_cast<uint32_t>(typed_field(dtype))) {
    fail(Code::kInvalidModel, "its elements are in {} where {} belongs in {}", field_name(h.typed),
         base::dtype_name(dtype), field_name(typed_field(dtype)));
  }
  if (h.typed != kNoData || !h.raw) return read_typed(source, message, h, dtype, count);
  if (dtype == DType::kString) fail(Code::kInvalidModel, "strings belong in string_data, not in raw_data");
  const auto bytes = base::dtype_bytes(dtype, count);
  if (h.raw->size() != bytes) {
    fail(Code::kInvalidModel, "raw_data has {} bytes where {} {} needs {}", h.raw->size(), base::dtype_name(dtype),
         base::to_string(h.dims), bytes);
  }
  return from_bytes(source, h, dtype, *h.raw, source.owner);
}

}  // namespace

Tensor read_tensor(const TensorSource& source, Bytes message, std::string* name) {
  const TensorHeader h = read_tensor_header(source, message);
  if (name) *name = h.name;
  try {
    return read_elements(source, message, h);
  } catch (Error& e) {
    throw e.in(h.name.empty() ? std::string("a tensor") : fmt::format("tensor '{}'", h.name.substr(0, 200)));
  }
}

}  // namespace onnxrun::import
