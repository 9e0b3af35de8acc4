// What a message decodes to at most, and decoding it.
#include "proto_values.h"

#include <algorithm>

#include "outcome.h"

namespace cli {
namespace {

constexpr uint64_t kValue = 512;  // a value of a sequence, beside its elements
constexpr uint64_t kNumber = 8;   // an element that is stored as a varint
constexpr uint64_t kText = 48;    // a string, beside its text
constexpr uint64_t kKey = 64;     // a number that is a key, in lists that grow and are sorted
constexpr uint64_t kTextKey = 3 * kText;
constexpr int kDepth = 100;  // the library reads no deeper

// The fields of a message, as far as it is sound: what is wrong with it the library says.
class Fields {
 public:
  explicit Fields(std::string_view rest) : rest_(rest) {}

  bool next() {
    uint64_t tag = 0, size = 0;
    if (!varint(tag)) return false;
    number = tag >> 3;
    const size_t before = rest_.size();
    if ((tag & 7) == 2) {
      if (!varint(size) || size > rest_.size()) return false;
    } else if ((tag & 7) == 0) {
      if (!varint(tag)) return false;
      content = {};
      single = true;
      length = before - rest_.size() + 1;
      return true;
    } else {
      size = (tag & 7) == 1 ? 8 : 4;
      if (size > rest_.size()) return false;
    }
    content = rest_.substr(0, size);
    single = false;
    rest_.remove_prefix(size);
    length = before - rest_.size() + 1;
    return true;
  }

  // Of a field that holds one or many of them: each ends with a byte of less than 128.
  uint64_t varints() const {
    const auto last = [](char byte) { return static_cast<unsigned char>(byte) < 0x80; };
    return single ? 1 : static_cast<uint64_t>(std::ranges::count_if(content, last));
  }

  uint64_t number = 0;
  std::string_view content;
  bool single = false;  // a varint
  uint64_t length = 0;  // with the field's tag

 private:
  bool varint(uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  std::string_view rest_;
};

uint64_t tensor_bytes(std::string_view message) {
  uint64_t bytes = kValue;
  for (Fields fields(message); fields.next();) {
    const bool as_stored = fields.number == 4 || fields.number == 9 || fields.number == 10;  // floats, raw, doubles
    const bool numbers = fields.number == 1 || fields.number == 5 || fields.number == 7 || fields.number == 11;
    bytes += as_stored ? fields.length : numbers ? fields.varints() * kNumber : fields.length + kText;
  }
  return bytes;
}

// Of its values and their places, as far as the message holds them.
uint64_t sparse_bytes(std::string_view message) {
  uint64_t bytes = kValue;
  for (Fields fields(message); fields.next();)
    bytes += fields.number == 3 ? fields.varints() * kNumber : 2 * tensor_bytes(fields.content);
  return bytes;
}

// Of a sequence, an optional or a map, whose values are a sequence.
uint64_t container_bytes(std::string_view message, bool map, int depth = 0) {
  uint64_t bytes = kValue;
  for (Fields fields(message); fields.next();) {
    if (map && fields.number == 3) bytes += fields.varints() * kKey;
    else if (map && fields.number == 4) bytes += 2 * fields.length + kTextKey;
    else if (fields.number == 3) bytes += tensor_bytes(fields.content);
    else if (fields.number == 4) bytes += sparse_bytes(fields.content);
    else if (fields.number >= 5 && fields.number <= 7 && depth < kDepth)
      bytes += container_bytes(fields.content, fields.number == 6, depth + 1);
    else bytes += fields.length + kText;
  }
  return bytes;
}

uint64_t bytes_of(std::string_view message, onnxrun_kind kind) {
  switch (kind) {
    case ONNXRUN_KIND_TENSOR:
    case ONNXRUN_KIND_UNKNOWN: return tensor_bytes(message);
    case ONNXRUN_KIND_SPARSE_TENSOR: return sparse_bytes(message);
    default: return container_bytes(message, kind == ONNXRUN_KIND_MAP);
  }
}

}  // namespace

onnxrun::Value read_proto(std::string_view bytes, onnxrun_kind kind, const std::string& what, Room& room) {
  const Taken taken(room, bytes_of(bytes, kind), what);
  try {
    return onnxrun::Value::from_proto(bytes, kind);
  } catch (const onnxrun::Error& error) {
    throw Failure(what + ": " + error.what());
  }
}

}  // namespace cli
