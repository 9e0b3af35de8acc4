// TIFF images through libtiff, from memory and within a bound on each of its allocations.
#include "cpu/content/image.h"

#if ONNXRUN_TIFF
#include <cstdio>
#include <cstring>
#include <memory>

#include <tiffio.h>

#include "base/checked.h"
#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

constexpr tmsize_t kMostMemory = tmsize_t{1} << 30;  // of one allocation

struct Stream {
  Bytes bytes;
  uint64_t at = 0;

  static tmsize_t read(thandle_t handle, void* to, tmsize_t count) {
    auto& stream = *static_cast<Stream*>(handle);
    const uint64_t left = stream.at < stream.bytes.size() ? stream.bytes.size() - stream.at : 0;
    const auto size = count < 0 ? uint64_t{0} : std::min<uint64_t>(left, static_cast<uint64_t>(count));
    if (size > 0) std::memcpy(to, stream.bytes.data() + stream.at, size);
    stream.at += size;
    return static_cast<tmsize_t>(size);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return -1; }
  static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    auto& stream = *static_cast<Stream*>(handle);
    stream.at = offset + (whence == SEEK_CUR ? stream.at : whence == SEEK_END ? stream.bytes.size() : 0);
    return stream.at;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t handle) { return static_cast<Stream*>(handle)->bytes.size(); }
};

struct Closer {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
  void operator()(TIFFOpenOptions* options) const { TIFFOpenOptionsFree(options); }
};

// Of the strips or tiles that are decoded at a time: one, or one of each channel where they lie apart.
int64_t part_bytes(TIFF* tiff) {
  uint16_t layout = PLANARCONFIG_CONTIG, channels = 1;
  TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &layout);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &channels);
  const tmsize_t part = TIFFIsTiled(tiff) != 0 ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
  return base::checked_mul(part, layout == PLANARCONFIG_SEPARATE ? channels : 1);
}

int say_nothing(TIFF*, void*, const char*, const char*, va_list) { return 1; }

}  // namespace

bool decode_tiff(Bytes bytes, Canvas& canvas) {
  Stream stream{bytes};
  const std::unique_ptr<TIFFOpenOptions, Closer> options(TIFFOpenOptionsAlloc());
  if (options == nullptr) return false;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), kMostMemory);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), say_nothing, nullptr);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), say_nothing, nullptr);
  const std::unique_ptr<TIFF, Closer> tiff(TIFFClientOpenExt("image", "rm", &stream, Stream::read, Stream::write,
                                                             Stream::seek, Stream::close, Stream::size, nullptr,
                                                             nullptr, options.get()));
  uint32_t width = 0, height = 0;
  if (tiff == nullptr || TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) == 0 ||
      TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height) == 0)
    return false;
  char why[1024];
  if (width == 0 || height == 0 || TIFFRGBAImageOK(tiff.get(), why) == 0) return false;
  uint8_t* rgb = canvas.open(width, height);
  const auto count = static_cast<size_t>(width) * height;
  base::take_kernel_memory(static_cast<int64_t>(count * sizeof(uint32_t)) + part_bytes(tiff.get()));
  const std::unique_ptr<uint32_t[]> pixels(new uint32_t[count]);
  if (TIFFReadRGBAImageOriented(tiff.get(), width, height, pixels.get(), ORIENTATION_TOPLEFT, 1) == 0) return false;
  for (size_t i = 0; i < count; ++i) {
    *rgb++ = static_cast<uint8_t>(TIFFGetR(pixels[i]));
    *rgb++ = static_cast<uint8_t>(TIFFGetG(pixels[i]));
    *rgb++ = static_cast<uint8_t>(TIFFGetB(pixels[i]));
  }
  return true;
}

}  // namespace onnxrun::cpu::images
#else
namespace onnxrun::cpu::images {
bool decode_tiff(Bytes, Canvas&) { fail_without("libtiff", "TIFF"); }
}  // namespace onnxrun::cpu::images
#endif
