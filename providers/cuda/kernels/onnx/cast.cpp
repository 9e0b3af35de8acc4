// Cast and CastLike between all numeric types, and BitCast.
#include "ops/attributes/cast.h"

#include <optional>

#include "cuda/device/coded.h"
#include "cuda/kernels/coded.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/scratch_layout.h"

namespace onnxrun::cuda {
namespace {

class Cast {
 public:
  static Acceptance accepts(const Node& node) {
    if (find(node) != nullptr) return {};
    return Acceptance::decline(fmt::format("no conversion from {} to {}", base::dtype_name(dtype(node.input(0))),
                                           base::dtype_name(dtype(node.output(0)))));
  }
  explicit Cast(const Node& node) : launch_(find(node)), count_(provider::count(node.output(0))) {}
  void run(RunContext& context) const {
    launch_(queue_of(context), context.input(0).data, context.output(0).data, count_);
  }

 private:
  static CastLaunch find(const Node& node) {
    const DType from = dtype(node.input(0)), to = dtype(node.output(0));
    if (const CastLaunch launch = find_cast(from, to)) return launch;
    return find_float8_cast(from, to, ops::read_cast(node).saturate == base::Saturate::kYes);
  }
  CastLaunch launch_;
  int64_t count_;
};

// From or to types of codes: by way of float32, which holds every code's value, and a byte for each code.
class CodedCast {
 public:
  static Acceptance accepts(const Node& node) {
    const DType from = dtype(node.input(0)), to = dtype(node.output(0));
    const auto known = [](DType type) { return is_coded(type) || find_cast(type, DType::kFloat32) != nullptr; };
    if (!is_coded(from) && !is_coded(to)) return Acceptance::decline("no type of codes");
    if (known(from) && known(to)) return {};
    return Acceptance::decline(
        fmt::format("no conversion from {} to {}", base::dtype_name(from), base::dtype_name(to)));
  }

  explicit CodedCast(const Node& node)
      : from_(dtype(node.input(0))), to_(dtype(node.output(0))), count_(provider::count(node.output(0))) {
    const ops::CastAttributes attributes = ops::read_cast(node);
    if (from_ == to_ || count_ == 0) return;
    if (is_coded(from_)) decoder_.emplace(from_, tables_);
    if (is_coded(to_) && base::is_float(to_)) encoder_.emplace(to_, attributes.saturate, attributes.round, tables_);
    layout_.reserve(tables_.bytes());
    floats_ = layout_.reserve(count_, 4), bytes_ = layout_.reserve(count_, 1);
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    if (count_ == 0) return;
    Stream& stream = stream_of(context);
    const void* x = context.input(0).data;
    void* y = context.output(0).data;
    if (from_ == to_) return stream.move(x, y, base::dtype_bytes(to_, count_));
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    tables_.send(stream, scratch);
    DType type = from_;
    if (decoder_) {
      auto* floats = reinterpret_cast<float*>(scratch + floats_);
      decoder_->run(queue, scratch, x, floats, count_);
      x = floats, type = DType::kFloat32;
    }
    if (!is_coded(to_)) return find_cast(type, to_)(queue, x, y, count_);
    const int bits = base::dtype_bits(to_);
    auto* codes = bits == 8 ? static_cast<uint8_t*>(y) : reinterpret_cast<uint8_t*>(scratch + bytes_);
    if (encoder_) encode(queue, type, x, scratch, codes);
    else find_cast(type, base::is_signed_integer(to_) ? DType::kInt8 : DType::kUint8)(queue, x, codes, count_);
    if (bits != 8) launch_pack(queue, bits, codes, static_cast<uint8_t*>(y), count_);
  }

 private:
  void encode(const Queue& queue, DType type, const void* x, char* scratch, uint8_t* codes) const {
    auto* floats = reinterpret_cast<float*>(scratch + floats_);
    if (const OddLaunch odd = find_odd(type)) odd(queue, x, floats, count_);
    else if (x != floats && type != DType::kFloat32) find_cast(type, DType::kFloat32)(queue, x, floats, count_);
    encoder_->run(queue, scratch, type == DType::kFloat32 ? static_cast<const float*>(x) : floats, codes, count_);
  }

  DType from_, to_;
  int64_t count_;
  Tables tables_;
  std::optional<Decoder> decoder_;
  std::optional<Encoder> encoder_;
  ScratchLayout layout_;
  size_t floats_ = 0, bytes_ = 0;
};

class BitCast {
 public:
  static Acceptance accepts(const Node& node) {
    return dtype(node.input(0)) == DType::kString ? Acceptance::decline("strings") : Acceptance();
  }
  explicit BitCast(const Node& node)
      : bytes_(base::dtype_bytes(dtype(node.output(0)), provider::count(node.output(0)))) {}
  void run(RunContext& context) const {
    stream_of(context).move(context.input(0).data, context.output(0).data, bytes_);
  }

 private:
  size_t bytes_;
};

}  // namespace

void kernels_onnx_cast(provider::KernelTable& table) {
  for (const char* op : {"Cast", "CastLike"}) {
    add<Cast>(table, "", op, "map");
    add<CodedCast>(table, "", op, "codes");
  }
  add<BitCast>(table, "", "BitCast", "copy");
}

}  // namespace onnxrun::cuda
