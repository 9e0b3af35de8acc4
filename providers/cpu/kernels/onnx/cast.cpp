// Cast and CastLike between all types, and BitCast.
#include "ops/attributes/cast.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "base/packed.h"
#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/number_text.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kBlock = 256;

// float8, float8e8m0, float6 and float4: codes that stand for a float.
bool is_minifloat(DType type) { return base::is_float(type) && base::dtype_bits(type) <= 8; }
bool is_packed_integer(DType type) { return base::is_integer(type) && base::is_sub_byte(type); }

// The whole-byte type whose elements a block of `type` is expanded to.
DType expanded(DType type) {
  if (is_minifloat(type)) return DType::kFloat32;
  if (!is_packed_integer(type)) return type;
  return base::is_signed_integer(type) ? DType::kInt8 : DType::kUint8;
}

class Cast {
 public:
  static Acceptance accepts(const Node& node) {
    Acceptance result;
    const DType from = dtype(node.input(0)), to = dtype(node.output(0));
    if (from == to && from != DType::kString) result.alias(0, 0);
    if (base::is_complex(from) || base::is_complex(to)) return Acceptance::decline("no Cast for complex types");
    return result;
  }

  explicit Cast(const Node& node)
      : from_(dtype(node.input(0))),
        to_(dtype(node.output(0))),
        attributes_(ops::read_cast(node)),
        count_(provider::count(node.output(0))) {
    if (from_ == to_ || from_ == DType::kString || to_ == DType::kString) return;
    wide_ = expanded(from_);
    // From double and wide integers a minifloat is rounded once, from a float that remembers what it lost.
    const bool exact_in_float = base::dtype_bits(wide_) <= 16 || wide_ == DType::kFloat32;
    narrow_ = is_minifloat(to_) && !exact_in_float ? DType::kFloat64 : expanded(to_);
    convert_ = converter(wide_, narrow_);
    simple_ = wide_ == from_ && narrow_ == to_;
  }

  void run(RunContext& context) const {
    const void* from = context.input(0).data;
    void* to = context.output(0).data;
    if (from_ == to_) return copy(context, from, to);
    const int64_t grain = from_ == DType::kString || to_ == DType::kString ? kBlock : 64 * kBlock;
    context.parallel(count_, grain, [&](int64_t begin, int64_t end) {
      constexpr int64_t kBetweenPolls = 1024 * kBlock;
      for (int64_t at = begin; at < end; at += kBetweenPolls) {
        if (at != begin) context.check_cancelled();
        range(from, to, at, std::min(at + kBetweenPolls, end));
      }
    });
  }

 private:
  void copy(RunContext& context, const void* from, void* to) const {
    if (from == to) return;
    if (!is_packed(static_cast<int32_t>(from_)))
      return copy_all(context, unit_of(static_cast<int32_t>(from_)), from, to, count_);
    if (count_ > 0) std::memcpy(to, from, base::dtype_bytes(from_, count_));
  }

  // Elements [begin, end), begin a multiple of the block.
  void range(const void* from, void* to, int64_t begin, int64_t end) const {
    if (to_ == DType::kString)
      return format_numbers(from_, from, begin, static_cast<std::string*>(to) + begin, end - begin);
    if (base::is_sub_byte(to_)) std::memset(at(to, to_, begin), 0, base::dtype_bytes(to_, end - begin));
    if (from_ == DType::kString) return parse(static_cast<const std::string*>(from), to, begin, end);
    if (simple_) return convert_(at(from, from_, begin), at(to, to_, begin), end - begin);
    alignas(64) std::byte wide[kBlock * sizeof(double)], narrow[kBlock * sizeof(double)];
    for (int64_t done = begin; done < end; done += kBlock) {
      const int64_t n = std::min(kBlock, end - done);
      const void* source = at(from, from_, done);
      if (wide_ != from_) {
        expand(static_cast<const uint8_t*>(from), wide, done, n);
        source = wide;
      }
      void* result = narrow_ == to_ ? at(to, to_, done) : narrow;
      convert_(source, result, n);
      if (narrow_ != to_) pack(narrow, static_cast<uint8_t*>(to), done, n);
    }
  }

  void expand(const uint8_t* from, void* wide, int64_t first, int64_t count) const {
    const int bits = base::dtype_bits(from_);
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t code = bits == 8 ? from[first + i] : base::packed_get(from, bits, first + i);
      if (is_minifloat(from_)) static_cast<float*>(wide)[i] = base::decode_minifloat(from_, code);
      else static_cast<int8_t*>(wide)[i] = static_cast<int8_t>(base::packed_integer(from_, code));
    }
  }

  void pack(const void* narrow, uint8_t* to, int64_t first, int64_t count) const {
    const int bits = base::dtype_bits(to_);
    for (int64_t i = 0; i < count; ++i) {
      uint8_t code;
      if (!is_minifloat(to_)) code = static_cast<const uint8_t*>(narrow)[i];
      else if (narrow_ == DType::kFloat64) code = encode(base::round_to_odd(static_cast<const double*>(narrow)[i]));
      else code = encode(static_cast<const float*>(narrow)[i]);
      if (bits == 8) to[first + i] = code;
      else base::packed_set(to, bits, first + i, code);
    }
  }

  uint8_t encode(float value) const {
    return base::encode_minifloat(to_, value, attributes_.saturate, attributes_.round);
  }

  void parse(const std::string* from, void* to, int64_t begin, int64_t end) const {
    for (int64_t i = begin; i < end; ++i) {
      const std::string& text = from[i];
      if (to_ == DType::kFloat32) static_cast<float*>(to)[i] = parse_float(text);
      else if (to_ == DType::kBool) static_cast<bool*>(to)[i] = parse_bool(text);
      else if (is_minifloat(to_) || is_packed_integer(to_)) {
        const int bits = base::dtype_bits(to_);
        const uint8_t code = is_minifloat(to_) ? encode(base::round_to_odd(parse_double(text)))
                                               : static_cast<uint8_t>(parse_integer(text));
        if (bits == 8) static_cast<uint8_t*>(to)[i] = code;
        else base::packed_set(static_cast<uint8_t*>(to), bits, i, code);
      } else if (base::is_float(to_)) {
        const double value = parse_double(text);
        converter(DType::kFloat64, to_)(&value, at(to, to_, i), 1);
      } else {
        const int64_t value = parse_integer(text);
        converter(DType::kInt64, to_)(&value, at(to, to_, i), 1);
      }
    }
  }

  static const void* at(const void* data, DType type, int64_t index) {
    return static_cast<const char*>(data) + index * base::dtype_bits(type) / 8;
  }
  static void* at(void* data, DType type, int64_t index) {
    return static_cast<char*>(data) + index * base::dtype_bits(type) / 8;
  }

  DType from_, to_;
  ops::CastAttributes attributes_;
  int64_t count_;
  DType wide_ = DType::kNone, narrow_ = DType::kNone;
  Converter convert_ = nullptr;
  bool simple_ = false;
};

// The same bits under another type.
class BitCast {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(0, 0); }
  explicit BitCast(const Node& node)
      : bytes_(base::dtype_bytes(dtype(node.output(0)), provider::count(node.output(0)))) {}

  void run(RunContext& context) const {
    if (context.input(0).data == context.output(0).data) return;
    copy_all(context, Unit{1, false}, context.input(0).data, context.output(0).data, static_cast<int64_t>(bytes_));
  }

 private:
  size_t bytes_;
};

}  // namespace

void kernels_onnx_cast(provider::KernelTable& table) {
  table.add<Cast>("", "Cast", "reference");
  table.add<Cast>("", "CastLike", "reference");
  table.add<BitCast>("", "BitCast", "reference");
}

}  // namespace onnxrun::cpu
