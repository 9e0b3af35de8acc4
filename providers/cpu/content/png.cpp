// PNG images through libpng, whose errors end in a jump of ours.
#include "cpu/content/image.h"

#if ONNXRUN_PNG
#include <csetjmp>
#include <cstring>

#include <png.h>

#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

class Reader {
 public:
  explicit Reader(Bytes bytes) : left_(bytes) {
    png = png_create_read_struct(
        PNG_LIBPNG_VER_STRING, this,
        [](png_structp at, png_const_charp) { std::longjmp(static_cast<Reader*>(png_get_error_ptr(at))->jump_, 1); },
        [](png_structp, png_const_charp) {});
    if (png != nullptr) info = png_create_info_struct(png);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }

  // Whether the library got through `step`, which holds nothing that needs destruction.
  template <class F>
  bool attempt(F step) {
    if (setjmp(jump_) != 0) return false;
    step();
    return true;
  }

  static void read(png_structp at, png_bytep to, size_t count) {
    auto& left = static_cast<Reader*>(png_get_io_ptr(at))->left_;
    if (count > left.size()) png_error(at, "cut short");
    std::memcpy(to, left.data(), count);
    left = left.subspan(count);
  }

  png_structp png = nullptr;
  png_infop info = nullptr;

 private:
  Bytes left_;
  std::jmp_buf jump_ = {};
};

}  // namespace

bool decode_png(Bytes bytes, Canvas& canvas) {
  Reader reader(bytes);
  png_structp png = reader.png;
  png_infop info = reader.info;
  if (info == nullptr) return false;
  int passes = 1;
  const bool opened = reader.attempt([&] {
    png_set_read_fn(png, &reader, Reader::read);
    png_set_user_limits(png, 1u << 20, 1u << 20);
    png_set_chunk_malloc_max(png, 8u << 20);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
  });
  if (!opened || png_get_channels(png, info) != 3 || png_get_bit_depth(png, info) != 8) return false;
  const int64_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
  constexpr int64_t kPixel = 8, kRows = 4;  // of 16 bits a channel, alpha included, before they are made 8
  base::take_kernel_memory(width * kPixel * kRows);
  uint8_t* rgb = canvas.open(width, height);
  for (int pass = 0; pass < passes; ++pass)
    for (int64_t y = 0; y < height; ++y) {
      if (canvas.cancelled()) return false;
      // Of an interlaced image each pass changes some pixels of a row.
      if (!reader.attempt([&] { png_read_row(png, rgb + y * width * 3, nullptr); })) return false;
    }
  return true;
}

}  // namespace onnxrun::cpu::images
#else
namespace onnxrun::cpu::images {
bool decode_png(Bytes, Canvas&) { fail_without("libpng", "PNG"); }
}  // namespace onnxrun::cpu::images
#endif
