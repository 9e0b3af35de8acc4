// Reading and writing .safetensors.
#include "safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <set>

#include "dtype_names.h"
#include "outcome.h"

namespace cli {
namespace {

using nlohmann::json;
using onnxrun::Shape;
using onnxrun::Tensor;

constexpr uint64_t kMaxHeader = 100'000'000;  // the format's own limit
constexpr size_t kAlignment = 8;
constexpr size_t kMaxRank = 64;

struct Kind {
  const char* name;
  onnxrun_dtype dtype;
  uint64_t bytes;
};

constexpr Kind kKinds[] = {{"F64", ONNXRUN_DTYPE_FLOAT64, 8},
                           {"F32", ONNXRUN_DTYPE_FLOAT32, 4},
                           {"F16", ONNXRUN_DTYPE_FLOAT16, 2},
                           {"BF16", ONNXRUN_DTYPE_BFLOAT16, 2},
                           {"I64", ONNXRUN_DTYPE_INT64, 8},
                           {"I32", ONNXRUN_DTYPE_INT32, 4},
                           {"I16", ONNXRUN_DTYPE_INT16, 2},
                           {"I8", ONNXRUN_DTYPE_INT8, 1},
                           {"U64", ONNXRUN_DTYPE_UINT64, 8},
                           {"U32", ONNXRUN_DTYPE_UINT32, 4},
                           {"U16", ONNXRUN_DTYPE_UINT16, 2},
                           {"U8", ONNXRUN_DTYPE_UINT8, 1},
                           {"BOOL", ONNXRUN_DTYPE_BOOL, 1},
                           {"C64", ONNXRUN_DTYPE_COMPLEX64, 8},
                           {"F8_E4M3", ONNXRUN_DTYPE_FLOAT8E4M3FN, 1},
                           {"F8_E5M2", ONNXRUN_DTYPE_FLOAT8E5M2, 1},
                           {"F8_E8M0", ONNXRUN_DTYPE_FLOAT8E8M0, 1}};

// Where a tensor lies behind the header.
struct Entry {
  std::string name;
  Kind kind;
  Shape shape;
  uint64_t begin = 0, end = 0;
};

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  NamedTensors read() {
    const json header = read_header();
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items())
      if (name != "__metadata__") entries.push_back(entry(name, value));
    check_places(entries);
    NamedTensors tensors;
    std::ranges::sort(entries, {}, &Entry::name);
    for (const Entry& each : entries) tensors.emplace_back(each.name, tensor(each));
    return tensors;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const { throw Failure(what_ + ": " + problem, kModel); }

  json read_header() {
    uint64_t length = 0;
    if (bytes_.size() < sizeof length) fail("no .safetensors file: it is shorter than its header's length");
    std::memcpy(&length, bytes_.data(), sizeof length);
    if (length > kMaxHeader || length > bytes_.size() - sizeof length)
      fail("no .safetensors file: its header would have " + std::to_string(length) + " bytes");
    const std::string_view text = bytes_.substr(sizeof length, length);
    data_ = bytes_.substr(sizeof length + length);
    std::set<std::string> names;
    std::string repeated;
    const auto notice = [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth > 4) fail("its header is nested too deeply");
      if (event == json::parse_event_t::key && depth == 1 && !names.insert(parsed.get<std::string>()).second)
        repeated = parsed.get<std::string>();
      return true;
    };
    json header;
    try {
      header = json::parse(text, notice);
    } catch (const json::exception& error) {
      fail(std::string("its header is no JSON: ") + error.what());
    }
    if (!header.is_object()) fail("its header is no JSON object");
    if (!repeated.empty()) fail("'" + repeated + "' is there twice");
    return header;
  }

  Entry entry(const std::string& name, const json& value) const {
    const auto bad = [&](const char* part) { fail("'" + name + "' has no valid " + part); };
    if (!value.is_object()) bad("entry");
    for (const char* part : {"dtype", "shape", "data_offsets"})
      if (!value.contains(part)) bad(part);
    Entry entry{name, {}, {}, 0, 0};
    if (!value["dtype"].is_string()) bad("dtype");
    const auto& type = value["dtype"].get_ref<const std::string&>();
    const auto kind = std::ranges::find_if(kKinds, [&](const Kind& known) { return type == known.name; });
    if (kind == std::end(kKinds))
      fail("'" + name + "' has the element type '" + type + "', which has no counterpart here");
    entry.kind = *kind;
    uint64_t bytes = kind->bytes;
    if (!value["shape"].is_array() || value["shape"].size() > kMaxRank) bad("shape");
    for (const json& dim : value["shape"]) {
      if (!dim.is_number_unsigned() || dim.get<uint64_t>() > INT64_MAX ||
          __builtin_mul_overflow(bytes, dim.get<uint64_t>(), &bytes))
        bad("shape");
      entry.shape.push_back(static_cast<int64_t>(dim.get<uint64_t>()));
    }
    const json& offsets = value["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned())
      bad("data_offsets");
    entry.begin = offsets[0].get<uint64_t>();
    entry.end = offsets[1].get<uint64_t>();
    if (entry.begin > entry.end || entry.end > data_.size()) fail("'" + name + "' lies beyond the end of the file");
    if (entry.end - entry.begin != bytes)
      fail("'" + name + "' has " + std::to_string(entry.end - entry.begin) + " bytes where its type and shape take " +
           std::to_string(bytes));
    return entry;
  }

  void check_places(std::vector<Entry>& entries) const {
    std::ranges::sort(
        entries, [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    uint64_t end = 0;
    for (const Entry& entry : entries) {
      if (entry.begin < end) fail("'" + entry.name + "' overlaps another tensor");
      if (entry.begin > end) fail("there is a gap before '" + entry.name + "'");
      end = entry.end;
    }
    if (end != data_.size()) fail("bytes follow the last tensor");
  }

  Tensor tensor(const Entry& entry) const {
    const std::string_view from = data_.substr(entry.begin, entry.end - entry.begin);
    if (entry.kind.dtype == ONNXRUN_DTYPE_BOOL &&
        std::ranges::any_of(from, [](char byte) { return byte != 0 && byte != 1; }))
      fail("'" + entry.name + "' holds what is neither true nor false");
    Tensor result(entry.kind.dtype, entry.shape);
    if (!from.empty()) std::memcpy(result.mutable_bytes().data(), from.data(), from.size());
    return result;
  }

  std::string_view bytes_, data_;
  const std::string& what_;
};

const Kind* kind_of(int dtype) {
  const auto kind = std::ranges::find_if(kKinds, [&](const Kind& known) { return known.dtype == dtype; });
  return kind == std::end(kKinds) ? nullptr : kind;
}

}  // namespace

NamedTensors read_safetensors(std::string_view bytes, const std::string& what) { return Reader(bytes, what).read(); }

bool has_safetensors_type(int dtype) { return kind_of(dtype) != nullptr; }

std::string write_safetensors(const NamedTensors& tensors) {
  // Wide elements first, so that each begins at a multiple of its size.
  std::vector<const NamedTensors::value_type*> order;
  for (const auto& named : tensors) {
    if (!has_safetensors_type(named.second.dtype()))
      throw Failure("'" + named.first + "' is of " + std::string(dtype_name(named.second.dtype())) +
                    ", which .safetensors files do not have");
    order.push_back(&named);
  }
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) {
    return kind_of(a->second.dtype())->bytes > kind_of(b->second.dtype())->bytes;
  });
  json header = json::object();
  uint64_t at = 0;
  for (const auto* named : order) {
    const uint64_t end = at + named->second.bytes().size();
    header[named->first] = {
        {"dtype", kind_of(named->second.dtype())->name}, {"shape", named->second.shape()}, {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + kAlignment - 1) / kAlignment * kAlignment, ' ');
  const uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes.reserve(bytes.size() + text.size() + at);
  bytes += text;
  for (const auto* named : order) {
    const auto data = named->second.bytes();
    bytes.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  return bytes;
}

}  // namespace cli
