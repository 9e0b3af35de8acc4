// QuantizeLinear and DequantizeLinear of float4 and the integers of 2 and 4 bits: by way of float32 or whole bytes.
#include <optional>

#include "cuda/device/elementwise.h"
#include "cuda/kernels/coded.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/quantization.h"
#include "cuda/scratch_layout.h"

namespace onnxrun::cuda {
namespace {

Acceptance accept_codes(const Node& node, DType coded, DType real) {
  if (is_coded(coded) && find_quantize(real, DType::kFloat32) != nullptr && has_float_scale(node)) return {};
  return Acceptance::decline(is_coded(coded) ? "a real type without conversion" : "no type of codes");
}

class FromCodes {
 public:
  static Acceptance accepts(const Node& node) {
    return accept_codes(node, dtype(node.input(0)), dtype(node.output(0)));
  }
  explicit FromCodes(const Node& node)
      : decoder_(dtype(node.input(0)), tables_),
        launch_(find_dequantize(DType::kFloat32, dtype(node.output(0)))),
        how_(quantization_of(node)),
        zeros_(node.has_input(2) ? provider::count(node.input(2)) : 0) {
    layout_.reserve(tables_.bytes());
    values_at_ = layout_.reserve(how_.count, sizeof(float));
    zeros_at_ = layout_.reserve(zeros_, sizeof(float));
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    auto *values = reinterpret_cast<float*>(scratch + values_at_),
         *zeros = reinterpret_cast<float*>(scratch + zeros_at_);
    tables_.send(stream, scratch);
    decoder_.run(queue, scratch, context.input(0).data, values, how_.count);
    Quantization how = how_;
    how.scale = context.input(1).data;
    if (zeros_ > 0) {
      decoder_.run(queue, scratch, context.input(2).data, zeros, zeros_);
      how.zero = zeros;
    }
    launch_(queue, how, values, context.output(0).data);
  }

 private:
  Tables tables_;
  Decoder decoder_;
  QuantizeLaunch launch_;
  Quantization how_;
  int64_t zeros_;
  ScratchLayout layout_;
  size_t values_at_, zeros_at_;
};

// Float types are quantised as float32 and encoded; integers as whole bytes, of which the low bits are kept.
class ToCodes {
 public:
  static Acceptance accepts(const Node& node) {
    return accept_codes(node, dtype(node.output(0)), dtype(node.input(0)));
  }
  explicit ToCodes(const Node& node)
      : real_(dtype(node.input(0))),
        coded_(dtype(node.output(0))),
        made_(base::is_float(coded_)            ? DType::kFloat32
              : base::is_signed_integer(coded_) ? DType::kInt8
                                                : DType::kUint8),
        decoder_(coded_, tables_),
        how_(quantization_of(node)),
        zeros_(node.has_input(2) ? provider::count(node.input(2)) : 0) {
    const auto saturate = node.get_int("saturate", 1) != 0 ? base::Saturate::kYes : base::Saturate::kNo;
    if (made_ == DType::kFloat32) encoder_.emplace(coded_, saturate, base::RoundMode::kUp, tables_);
    set_bounds(how_, coded_);
    layout_.reserve(tables_.bytes());
    if (encoder_) values_at_ = layout_.reserve(how_.count, sizeof(float));
    if (base::dtype_bits(coded_) != 8) codes_at_ = layout_.reserve(how_.count, 1);
    zeros_at_ = layout_.reserve(zeros_, sizeof(float));
    if (!encoder_) made_zeros_at_ = layout_.reserve(zeros_, 1);
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    tables_.send(stream, scratch);
    Quantization how = how_;
    how.scale = context.input(1).data;
    if (zeros_ > 0) how.zero = zeros_of(queue, context.input(2).data, scratch);
    const int bits = base::dtype_bits(coded_);
    auto* y = static_cast<uint8_t*>(context.output(0).data);
    auto* codes = bits == 8 ? y : reinterpret_cast<uint8_t*>(scratch + codes_at_);
    if (encoder_) {
      auto* values = reinterpret_cast<float*>(scratch + values_at_);
      find_quantize(real_, DType::kFloat32)(queue, how, context.input(0).data, values);
      encoder_->run(queue, scratch, values, codes, how.count);
    } else {
      find_quantize(real_, made_)(queue, how, context.input(0).data, codes);
    }
    if (bits != 8) launch_pack(queue, bits, codes, y, how.count);
  }

 private:
  const void* zeros_of(const Queue& queue, const void* coded, char* scratch) const {
    auto* floats = reinterpret_cast<float*>(scratch + zeros_at_);
    decoder_.run(queue, scratch, coded, floats, zeros_);
    if (encoder_) return floats;
    find_cast(DType::kFloat32, made_)(queue, floats, scratch + made_zeros_at_, zeros_);
    return scratch + made_zeros_at_;
  }

  DType real_, coded_, made_;
  Tables tables_;
  Decoder decoder_;
  std::optional<Encoder> encoder_;
  Quantization how_;
  int64_t zeros_;
  ScratchLayout layout_;
  size_t values_at_, codes_at_, zeros_at_, made_zeros_at_;
};

}  // namespace

void kernels_onnx_quantize_coded(provider::KernelTable& table) {
  add<ToCodes>(table, "", "QuantizeLinear", "codes");
  add<FromCodes>(table, "", "DequantizeLinear", "codes");
}

}  // namespace onnxrun::cuda
