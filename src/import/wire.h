// Reading the wire format: a cursor over one message that checks wire types, 64-bit lengths, nesting and UTF-8, and says where a file is wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"

namespace onnxrun::import {

using Bytes = std::string_view;

// The bytes a message comes from, for the offsets in errors.
struct WireFile {
  Bytes bytes;
  std::string name;
  int64_t max_string_bytes = INT64_MAX;
};

using base::is_utf8;

// A cursor over the fields of one message. It views the bytes of the file. Every read throws kInvalidModel naming the kind of message, the byte offset
// and what is wrong.
class Message {
 public:
  // `kind` is the message's name in the format, e.g. "NodeProto"; it must outlive the cursor.
  Message(const WireFile& file, Bytes bytes, std::string_view kind)
      : file_(&file), kind_(kind), reader_(bytes.data(), bytes.size()) {}

  // Moves to the next field; false at the end. The field must then be read by exactly one of the calls below.
  bool next();
  uint32_t field() const { return reader_.tag(); }

  void skip();
  Bytes bytes();            // a bytes or message field
  Bytes string();           // a string field of any bytes, within the file's limit
  std::string_view text();  // one checked to be UTF-8
  int64_t integer();
  float float32();

  // Whether the current field is a length of 0.
  bool is_empty() const;
  // Bytes of a field that may come only once.
  void once(std::optional<Bytes>& slot);

  // Repeated numbers, packed or not: calls `visit` with each.
  template <class Visit>
  void integers(Visit&& visit) {
    if (reader_.wire_type() != protozero::pbf_wire_type::length_delimited) return visit(integer());
    const Bytes packed = bytes();
    const char* position = packed.data();
    const char* const end = position + packed.size();
    while (position != end) visit(static_cast<int64_t>(varint(position, end)));
  }
  // Repeated numbers of `width` bytes, packed or not: calls `visit` with each run of little-endian bytes.
  template <class Visit>
  void fixed(size_t width, Visit&& visit) {
    visit(fixed_bytes(width));
  }

  [[noreturn]] void fail(std::string_view what) const;

 private:
  void expect(protozero::pbf_wire_type type);
  uint64_t varint(const char*& position, const char* end) const;
  Bytes fixed_bytes(size_t width);
  [[noreturn]] void fail_at(const char* position, std::string_view what) const;

  const WireFile* file_;
  std::string_view kind_;
  protozero::pbf_reader reader_;
};

}  // namespace onnxrun::import
