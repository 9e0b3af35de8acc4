// JPEG 2000 images, as JP2 files or bare code streams, through OpenJPEG.
#include "cpu/content/image.h"

#if ONNXRUN_OPENJPEG
#include <algorithm>
#include <cstring>
#include <memory>

#include <openjpeg.h>

#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

struct Source {
  Bytes bytes;
  size_t at = 0;

  static OPJ_SIZE_T read(void* to, OPJ_SIZE_T count, void* context) {
    auto& source = *static_cast<Source*>(context);
    const size_t size = std::min<size_t>(count, source.bytes.size() - source.at);
    if (size == 0) return static_cast<OPJ_SIZE_T>(-1);
    std::memcpy(to, source.bytes.data() + source.at, size);
    source.at += size;
    return size;
  }
  static OPJ_OFF_T skip(OPJ_OFF_T count, void* context) {
    auto& source = *static_cast<Source*>(context);
    if (count < 0 || static_cast<uint64_t>(count) > source.bytes.size() - source.at) return -1;
    source.at += static_cast<size_t>(count);
    return count;
  }
  static OPJ_BOOL seek(OPJ_OFF_T to, void* context) {
    auto& source = *static_cast<Source*>(context);
    if (to < 0 || static_cast<uint64_t>(to) > source.bytes.size()) return OPJ_FALSE;
    source.at = static_cast<size_t>(to);
    return OPJ_TRUE;
  }
};

// Of one type in the header: codecs and streams are both void**.
struct CodecDeleter {
  void operator()(opj_codec_t* codec) const { opj_destroy_codec(codec); }
};
struct StreamDeleter {
  void operator()(opj_stream_t* stream) const { opj_stream_destroy(stream); }
};
struct ImageDeleter {
  void operator()(opj_image_t* image) const { opj_image_destroy(image); }
};

// One component over the image's grid, as bytes.
struct Plane {
  const opj_image_comp_t& component;
  int64_t x0, y0;  // of the image's area on the reference grid

  int at(int64_t x, int64_t y) const {
    const int64_t column =
        std::clamp<int64_t>((x + x0) / component.dx - (x0 + component.dx - 1) / component.dx, 0, component.w - 1);
    const int64_t row =
        std::clamp<int64_t>((y + y0) / component.dy - (y0 + component.dy - 1) / component.dy, 0, component.h - 1);
    int64_t level = component.data[row * component.w + column];
    const int bits = static_cast<int>(component.prec);
    if (component.sgnd != 0) level += int64_t{1} << (bits - 1);
    level = std::clamp<int64_t>(level, 0, (int64_t{1} << bits) - 1);
    return static_cast<int>(bits > 8 ? level >> (bits - 8) : bits < 8 ? level * 255 / ((1 << bits) - 1) : level);
  }
};

uint8_t rounded(double level) { return static_cast<uint8_t>(std::clamp(level + 0.5, 0.0, 255.0)); }

bool readable(const opj_image_t& image) {
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const auto& component = image.comps[c];
    if (component.data == nullptr || component.w == 0 || component.h == 0 || component.dx == 0 || component.dy == 0)
      return false;
    if (component.prec == 0 || component.prec > 31) return false;
  }
  return true;
}

bool paint(const opj_image_t& image, int64_t width, int64_t height, Canvas& canvas, uint8_t* rgb) {
  const bool colour = image.numcomps >= 3;
  const bool luma = image.color_space == OPJ_CLRSPC_SYCC || image.color_space == OPJ_CLRSPC_EYCC ||
                    (colour && image.comps[0].dx == 1 && image.comps[1].dx > 1);
  const auto plane = [&](int c) { return Plane{image.comps[colour ? c : 0], image.x0, image.y0}; };
  const Plane planes[] = {plane(0), plane(1), plane(2)};
  for (int64_t y = 0; y < height; ++y) {
    if (canvas.cancelled()) return false;
    for (int64_t x = 0; x < width; ++x, rgb += 3) {
      const int a = planes[0].at(x, y), b = planes[1].at(x, y), c = planes[2].at(x, y);
      if (colour && luma) {
        rgb[0] = rounded(a + 1.402 * (c - 128));
        rgb[1] = rounded(a - 0.344136 * (b - 128) - 0.714136 * (c - 128));
        rgb[2] = rounded(a + 1.772 * (b - 128));
      } else {
        rgb[0] = static_cast<uint8_t>(a);
        rgb[1] = static_cast<uint8_t>(b);
        rgb[2] = static_cast<uint8_t>(c);
      }
    }
  }
  return true;
}

}  // namespace

bool decode_jpeg2000(Bytes bytes, Canvas& canvas) {
  Source source{bytes};
  const std::unique_ptr<opj_codec_t, CodecDeleter> codec(
      opj_create_decompress(bytes[0] == 0xff ? OPJ_CODEC_J2K : OPJ_CODEC_JP2));
  const std::unique_ptr<opj_stream_t, StreamDeleter> stream(opj_stream_default_create(OPJ_TRUE));
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  if (codec == nullptr || stream == nullptr || opj_setup_decoder(codec.get(), &parameters) == OPJ_FALSE) return false;
  opj_stream_set_user_data(stream.get(), &source, nullptr);
  opj_stream_set_user_data_length(stream.get(), bytes.size());
  opj_stream_set_read_function(stream.get(), Source::read);
  opj_stream_set_skip_function(stream.get(), Source::skip);
  opj_stream_set_seek_function(stream.get(), Source::seek);

  opj_image_t* header = nullptr;
  const bool opened = opj_read_header(stream.get(), codec.get(), &header) != OPJ_FALSE;
  const std::unique_ptr<opj_image_t, ImageDeleter> image(header);
  if (!opened || image == nullptr || image->numcomps == 0 || image->numcomps > 4 || image->x1 <= image->x0 ||
      image->y1 <= image->y0)
    return false;
  const int64_t width = int64_t{image->x1} - image->x0, height = int64_t{image->y1} - image->y0;
  uint8_t* rgb = canvas.open(width, height);
  constexpr int64_t kSample = 8;  // four bytes in the image and four in the tile that is decoded
  base::take_kernel_memory(width * height * kSample * image->numcomps);
  if (opj_decode(codec.get(), stream.get(), image.get()) == OPJ_FALSE ||
      opj_end_decompress(codec.get(), stream.get()) == OPJ_FALSE)
    return false;
  return image->numcomps <= 4 && readable(*image) && paint(*image, width, height, canvas, rgb);
}

}  // namespace onnxrun::cpu::images
#else
namespace onnxrun::cpu::images {
bool decode_jpeg2000(Bytes, Canvas&) { fail_without("OpenJPEG", "JPEG 2000"); }
}  // namespace onnxrun::cpu::images
#endif
