// WebP images through libwebp; of an animation the first frame.
#include "cpu/content/image.h"

#if ONNXRUN_WEBP
#include <cstring>
#include <memory>

#include <webp/decode.h>
#include <webp/demux.h>

#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

struct Deleter {
  void operator()(WebPAnimDecoder* decoder) const { WebPAnimDecoderDelete(decoder); }
};

bool decode_first_frame(Bytes bytes, int64_t pixels, uint8_t* rgb) {
  const WebPData data{bytes.data(), bytes.size()};
  const std::unique_ptr<WebPAnimDecoder, Deleter> decoder(WebPAnimDecoderNew(&data, nullptr));
  WebPAnimInfo info;
  if (decoder == nullptr || WebPAnimDecoderGetInfo(decoder.get(), &info) == 0) return false;
  uint8_t* rgba = nullptr;
  int time = 0;
  if (int64_t{info.canvas_width} * info.canvas_height != pixels ||
      WebPAnimDecoderGetNext(decoder.get(), &rgba, &time) == 0)
    return false;
  for (int64_t i = 0; i < pixels; ++i) std::memcpy(rgb + 3 * i, rgba + 4 * i, 3);
  return true;
}

}  // namespace

bool decode_webp(Bytes bytes, Canvas& canvas) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(bytes.data(), bytes.size(), &features) != VP8_STATUS_OK || features.width <= 0 ||
      features.height <= 0)
    return false;
  const int64_t width = features.width, height = features.height;
  // Lossless pictures and planes of alpha are decoded as a whole; of animations there are two canvases.
  constexpr int kLossless = 2;
  const int64_t pixel = features.has_animation != 0 ? 16 : features.format == kLossless ? 8 : 2;
  uint8_t* rgb = canvas.open(width, height);
  base::take_kernel_memory(width * height * pixel);
  if (features.has_animation != 0) return decode_first_frame(bytes, width * height, rgb);
  return WebPDecodeRGBInto(bytes.data(), bytes.size(), rgb, static_cast<size_t>(width * height * 3),
                           static_cast<int>(width * 3)) != nullptr;
}

}  // namespace onnxrun::cpu::images
#else
namespace onnxrun::cpu::images {
bool decode_webp(Bytes, Canvas&) { fail_without("libwebp", "WebP"); }
}  // namespace onnxrun::cpu::images
#endif
