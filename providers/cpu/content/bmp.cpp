// Windows and OS/2 bitmaps: 1 to 32 bits a pixel, palettes, bit fields and run lengths.
#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "cpu/content/image.h"

namespace onnxrun::cpu::images {
namespace {

uint32_t load(Bytes bytes, size_t at, int size) {
  uint32_t value = 0;
  for (int i = size; i-- > 0;) value = value << 8 | bytes[at + static_cast<size_t>(i)];
  return value;
}

enum Compression : uint32_t { kNone = 0, kRle8 = 1, kRle4 = 2, kFields = 3, kAlphaFields = 6 };

using Colour = std::array<uint8_t, 3>;

struct Bitmap {
  int64_t width = 0, height = 0;
  bool top_down = false;
  uint32_t bits = 0, compression = kNone;
  std::array<uint32_t, 3> masks = {};
  std::array<Colour, 256> palette = {};
  size_t pixels = 0;  // where they start
};

bool read_palette(Bytes bytes, size_t at, uint32_t count, size_t entry, Bitmap& bitmap) {
  if (count == 0 || count > 256) count = 1u << bitmap.bits;
  // A palette that runs into the pixels is cut there.
  count = std::min<uint32_t>(count, 1u << bitmap.bits);
  for (uint32_t i = 0; i < count; ++i, at += entry) {
    if (at + entry > bytes.size()) return false;
    bitmap.palette[i] = {bytes[at + 2], bytes[at + 1], bytes[at]};
  }
  return true;
}

bool read_header(Bytes bytes, Bitmap& bitmap) {
  if (bytes.size() < 26) return false;
  bitmap.pixels = load(bytes, 10, 4);
  const size_t size = load(bytes, 14, 4), end = 14 + size;
  if (size == 12) {
    bitmap.width = load(bytes, 18, 2);
    bitmap.height = load(bytes, 20, 2);
    bitmap.bits = load(bytes, 24, 2);
    if (bitmap.bits <= 8 && !read_palette(bytes, end, 0, 3, bitmap)) return false;
  } else {
    if (size < 40 || size > bytes.size() || end > bytes.size()) return false;
    bitmap.width = static_cast<int32_t>(load(bytes, 18, 4));
    bitmap.height = static_cast<int32_t>(load(bytes, 22, 4));
    bitmap.bits = load(bytes, 28, 2);
    bitmap.compression = load(bytes, 30, 4);
    bitmap.top_down = bitmap.height < 0;
    if (bitmap.top_down) bitmap.height = -bitmap.height;
    const bool fields = bitmap.compression == kFields || bitmap.compression == kAlphaFields;
    // Newer headers hold the masks, the oldest is followed by them; both end up at the same place.
    if (fields && bytes.size() < 66) return false;
    const size_t masks = size == 40 && fields ? (bitmap.compression == kFields ? 12 : 16) : 0;
    for (size_t c = 0; c < 3; ++c) {
      if (fields) bitmap.masks[c] = load(bytes, 54 + 4 * c, 4);
      else bitmap.masks[c] = bitmap.bits == 16 ? 0x7c00u >> (5 * c) : 0xff0000u >> (8 * c);
    }
    if (bitmap.bits <= 8 && !read_palette(bytes, end + masks, load(bytes, 46, 4), 4, bitmap)) return false;
  }
  if (bitmap.width <= 0 || bitmap.height <= 0 || bitmap.pixels >= bytes.size()) return false;
  switch (bitmap.bits) {
    case 1:
    case 24: return bitmap.compression == kNone;
    case 4: return bitmap.compression == kNone || bitmap.compression == kRle4;
    case 8: return bitmap.compression == kNone || bitmap.compression == kRle8;
    case 16:
    case 32: return bitmap.compression != kRle4 && bitmap.compression != kRle8 && bitmap.compression <= kAlphaFields;
    default: return false;
  }
}

uint8_t field(uint32_t pixel, uint32_t mask) {
  if (mask == 0) return 0;
  const int shift = std::countr_zero(mask);
  const uint64_t most = mask >> shift;
  return static_cast<uint8_t>(uint64_t{(pixel & mask) >> shift} * 255 / most);
}

class Painter {
 public:
  Painter(const Bitmap& bitmap, uint8_t* rgb) : bitmap_(bitmap), rgb_(rgb) {}

  // Row `y` counted as the file does: from below unless top down.
  uint8_t* row(int64_t y) const { return rgb_ + (bitmap_.top_down ? y : bitmap_.height - 1 - y) * bitmap_.width * 3; }
  void set(int64_t x, int64_t y, const Colour& colour) const {
    std::copy(colour.begin(), colour.end(), row(y) + 3 * x);
  }

 private:
  const Bitmap& bitmap_;
  uint8_t* rgb_;
};

bool paint_rows(Bytes bytes, const Bitmap& bitmap, const Painter& painter, const Canvas& canvas) {
  const int64_t stride = (bitmap.width * bitmap.bits + 31) / 32 * 4;
  for (int64_t y = 0; y < bitmap.height; ++y) {
    if (canvas.cancelled()) return false;
    const auto begin = bitmap.pixels + static_cast<size_t>(y * stride);
    for (int64_t x = 0; x < bitmap.width; ++x) {
      const auto at = begin + static_cast<size_t>(x * bitmap.bits / 8);
      if (bitmap.bits <= 8) {
        const uint32_t shift = 8 - bitmap.bits - static_cast<uint32_t>(x * bitmap.bits % 8);
        painter.set(x, y, bitmap.palette[(bytes[at] >> shift) & ((1u << bitmap.bits) - 1)]);
      } else if (bitmap.bits == 24) {
        painter.set(x, y, {bytes[at + 2], bytes[at + 1], bytes[at]});
      } else {
        const uint32_t pixel = load(bytes, at, static_cast<int>(bitmap.bits / 8));
        painter.set(x, y,
                    {field(pixel, bitmap.masks[0]), field(pixel, bitmap.masks[1]), field(pixel, bitmap.masks[2])});
      }
    }
  }
  return true;
}

// Pixels that are skipped keep the first colour of the palette.
bool paint_runs(Bytes bytes, const Bitmap& bitmap, const Painter& painter, const Canvas& canvas) {
  const bool nibbles = bitmap.compression == kRle4;
  for (int64_t y = 0; y < bitmap.height; ++y)
    for (int64_t x = 0; x < bitmap.width; ++x) painter.set(x, y, bitmap.palette[0]);
  int64_t x = 0, y = 0;
  const auto put = [&](uint32_t index) {
    if (x < bitmap.width && y < bitmap.height) painter.set(x, y, bitmap.palette[index]);
    ++x;
  };
  size_t at = bitmap.pixels;
  while (at + 1 < bytes.size()) {
    if (canvas.cancelled()) return false;
    const uint32_t count = bytes[at], value = bytes[at + 1];
    at += 2;
    if (count > 0) {
      for (uint32_t i = 0; i < count; ++i) put(!nibbles ? value : i % 2 == 0 ? value >> 4 : value & 15);
    } else if (value == 0) {
      x = 0;
      if (++y > bitmap.height) return false;
    } else if (value == 1) {
      return true;
    } else if (value == 2) {
      if (at + 1 >= bytes.size()) return false;
      x += bytes[at];
      y += bytes[at + 1];
      at += 2;
      if (x > bitmap.width || y > bitmap.height) return false;
    } else {
      const size_t size = nibbles ? (value + 1) / 2 : value;
      if (size > bytes.size() - at) return false;
      for (uint32_t i = 0; i < value; ++i)
        put(!nibbles ? bytes[at + i] : i % 2 == 0 ? bytes[at + i / 2] >> 4 : bytes[at + i / 2] & 15);
      at += (size + 1) & ~size_t{1};
    }
  }
  return false;
}

}  // namespace

bool decode_bmp(Bytes bytes, Canvas& canvas) {
  Bitmap bitmap;
  if (!read_header(bytes, bitmap)) return false;
  const bool runs = bitmap.compression == kRle8 || bitmap.compression == kRle4;
  if (!runs) {
    const int64_t stride = (bitmap.width * bitmap.bits + 31) / 32 * 4;
    // The last row may come without its padding.
    const int64_t last = (bitmap.width * bitmap.bits + 7) / 8,
                  there = static_cast<int64_t>(bytes.size() - bitmap.pixels);
    if (there < last || (there - last) / stride < bitmap.height - 1) return false;
  }
  const Painter painter(bitmap, canvas.open(bitmap.width, bitmap.height));
  return runs ? paint_runs(bytes, bitmap, painter, canvas) : paint_rows(bytes, bitmap, painter, canvas);
}

}  // namespace onnxrun::cpu::images
