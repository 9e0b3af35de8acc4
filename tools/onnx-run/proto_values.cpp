// What a message decodes to at most, and decoding it.
#include "proto_values.h"

#include "outcome.h"

namespace cli {
namespace {

constexpr uint64_t kValue = 512;  // a value of a sequence, beside its elements
constexpr uint64_t kNumber = 8;   // of a field that holds numbers as varints
constexpr uint64_t kText = 16;    // of others: text of no characters takes two bytes and becomes a string
constexpr uint64_t kKey = 64;     // of those of a map
constexpr int kDepth = 100;       // the library reads no deeper

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
      length = before - rest_.size() + 1;
      return true;
    } else {
      size = (tag & 7) == 1 ? 8 : 4;
      if (size > rest_.size()) return false;
    }
    content = rest_.substr(0, size);
    rest_.remove_prefix(size);
    length = before - rest_.size() + 1;
    return true;
  }

  uint64_t number = 0;
  std::string_view content;
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
    const bool numbers = fields.number == 5 || fields.number == 7 || fields.number == 11;
    bytes += fields.length * (as_stored ? 1 : numbers ? kNumber : kText);
  }
  return bytes;
}

// Of a sequence, an optional or a map, whose values are a sequence.
uint64_t container_bytes(std::string_view message, bool map, int depth = 0) {
  uint64_t bytes = kValue;
  for (Fields fields(message); fields.next();) {
    if (fields.number == 3 && !map) bytes += tensor_bytes(fields.content);
    else if (fields.number >= 5 && fields.number <= 7 && depth < kDepth)
      bytes += container_bytes(fields.content, fields.number == 6, depth + 1);
    else bytes += fields.length * (map ? kKey : kText);
  }
  return bytes;
}

}  // namespace

onnxrun::Value read_proto(std::string_view bytes, onnxrun_kind kind, const std::string& what, Room& room) {
  const bool plain = kind == ONNXRUN_KIND_TENSOR || kind == ONNXRUN_KIND_UNKNOWN || kind == ONNXRUN_KIND_SPARSE_TENSOR;
  const Taken taken(room, plain ? tensor_bytes(bytes) : container_bytes(bytes, kind == ONNXRUN_KIND_MAP), what);
  try {
    return onnxrun::Value::from_proto(bytes, kind);
  } catch (const onnxrun::Error& error) {
    throw Failure(what + ": " + error.what());
  }
}

}  // namespace cli
