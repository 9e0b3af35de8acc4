// The wire cursor: protozero's reader with checks of its own in front of every read.
#include "import/wire.h"

#include "base/limits.h"

#include <protozero/exception.hpp>
#include <protozero/varint.hpp>

namespace onnxrun::import {
namespace {

std::string_view wire_name(protozero::pbf_wire_type type) {
  switch (type) {
    case protozero::pbf_wire_type::varint: return "a varint";
    case protozero::pbf_wire_type::fixed64: return "8 fixed bytes";
    case protozero::pbf_wire_type::length_delimited: return "a length and bytes";
    case protozero::pbf_wire_type::fixed32: return "4 fixed bytes";
    default: return "an unknown form";
  }
}

}  // namespace

bool Message::next() {
  try {
    return reader_.next();
  } catch (const protozero::end_of_buffer_exception&) {
    fail("ends inside a field: the file is truncated");
  } catch (const protozero::exception&) {
    fail("holds a malformed field: the file is damaged or no ONNX file");
  }
}

void Message::expect(protozero::pbf_wire_type type) {
  if (reader_.wire_type() == type) return;
  fail(fmt::format("field {} is stored as {} where {} belongs: the file is damaged or no ONNX file", reader_.tag(),
                   wire_name(reader_.wire_type()), wire_name(type)));
}

uint64_t Message::varint(const char*& position, const char* end) const {
  try {
    return protozero::decode_varint(&position, end);
  } catch (const protozero::exception&) {
    fail_at(position, "holds a truncated or overlong number");
  }
}

Bytes Message::bytes() {
  expect(protozero::pbf_wire_type::length_delimited);
  // protozero keeps 32 bits of a length: the whole number is checked before.
  const protozero::data_view rest = reader_.data();
  const char* position = rest.data();
  const char* const end = position + rest.size();
  const uint64_t length = varint(position, end);
  if (length > static_cast<uint64_t>(end - position)) {
    fail(fmt::format("field {} claims {} bytes where {} are left: the file is truncated or damaged", reader_.tag(),
                     length, end - position));
  }
  if (length > UINT32_MAX) fail(fmt::format("field {} is longer than 4 GiB", reader_.tag()));
  const protozero::data_view view = reader_.get_view();
  return {view.data(), view.size()};
}

Bytes Message::string() {
  const Bytes result = bytes();
  if (result.size() > static_cast<uint64_t>(file_->max_string_bytes))
    base::exceed(fmt::format("a string of {} bytes in field {} of {}", result.size(), reader_.tag(), kind_),
                 file_->max_string_bytes, "max_string");
  return result;
}

std::string_view Message::text() {
  const Bytes result = string();
  if (!is_utf8(result)) fail_at(result.data(), fmt::format("field {} is not UTF-8 text", reader_.tag()));
  return result;
}

int64_t Message::integer() {
  expect(protozero::pbf_wire_type::varint);
  try {
    return reader_.get_int64();
  } catch (const protozero::exception&) {
    fail("holds a truncated or overlong number");
  }
}

float Message::float32() {
  expect(protozero::pbf_wire_type::fixed32);
  try {
    return reader_.get_float();
  } catch (const protozero::exception&) {
    fail("ends inside a number: the file is truncated");
  }
}

bool Message::is_empty() const {
  const protozero::data_view rest = reader_.data();
  return reader_.wire_type() == protozero::pbf_wire_type::length_delimited && rest.size() > 0 && *rest.data() == 0;
}

void Message::once(std::optional<Bytes>& slot) {
  if (slot) fail(fmt::format("field {} is present twice", reader_.tag()));
  slot = bytes();
}

Bytes Message::fixed_bytes(size_t width) {
  if (reader_.wire_type() == protozero::pbf_wire_type::length_delimited) {
    const Bytes packed = bytes();
    if (packed.size() % width != 0)
      fail(fmt::format("field {} has {} bytes, no multiple of {}", reader_.tag(), packed.size(), width));
    return packed;
  }
  expect(width == 4 ? protozero::pbf_wire_type::fixed32 : protozero::pbf_wire_type::fixed64);
  const char* const start = reader_.data().data();
  skip();
  return {start, width};
}

void Message::skip() {
  if (reader_.wire_type() == protozero::pbf_wire_type::length_delimited) {
    bytes();
    return;
  }
  try {
    reader_.skip();
  } catch (const protozero::exception&) {
    fail("ends inside a field: the file is truncated");
  }
}

void Message::fail(std::string_view what) const { fail_at(reader_.data().data(), what); }

void Message::fail_at(const char* position, std::string_view what) const {
  const char* const begin = file_->bytes.data();
  const auto offset = static_cast<uint64_t>(position - begin);
  base::fail(base::Code::kInvalidModel, "{}: the {} at byte {} {}", file_->name.empty() ? "model" : file_->name, kind_,
             offset, what);
}

}  // namespace onnxrun::import
