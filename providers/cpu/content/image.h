// Encoded images to rows of RGB bytes, one file a format.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace onnxrun::cpu::images {

using Bytes = std::span<const uint8_t>;

// Where a decoder puts its pixels.
class Canvas {
 public:
  virtual ~Canvas() = default;

  // Memory for `height` rows, top down, of `width` pixels of R, G and B, a byte each. To be called once, before anything of that size is
  // allocated or decoded. Throws when the image is larger than kMostPixels or than the caller's budget.
  virtual uint8_t* open(int64_t width, int64_t height) = 0;
  // To be polled between rows; safe to call from a library's callbacks.
  virtual bool cancelled() const noexcept = 0;
};

// 400 MB as RGB. What a few bytes of a hostile file can make a decoder spend is proportional to this.
inline constexpr int64_t kMostPixels = int64_t{1} << 27;

// Decodes the first picture of `bytes`, what the library takes beside its pixels charged to the kernel at work: false when they are damaged, cut short or of a kind that is not read (or the canvas was cancelled, for
// the caller to see). Alpha is dropped, palettes and grey levels become RGB, 16 bits become 8. Throws kUnsupported in a build without the library.
using Decoder = bool (*)(Bytes bytes, Canvas& canvas);

bool decode_bmp(Bytes bytes, Canvas& canvas);
bool decode_jpeg(Bytes bytes, Canvas& canvas);
bool decode_jpeg2000(Bytes bytes, Canvas& canvas);
bool decode_png(Bytes bytes, Canvas& canvas);
bool decode_pnm(Bytes bytes, Canvas& canvas);
bool decode_tiff(Bytes bytes, Canvas& canvas);
bool decode_webp(Bytes bytes, Canvas& canvas);

// By the signature at the begin; null when it is of no format known here.
Decoder find_decoder(Bytes bytes);

// Throws that this build lacks `library`, which reads `format`.
[[noreturn]] void fail_without(std::string_view library, std::string_view format);

}  // namespace onnxrun::cpu::images
