// Decoding of PNG and JPEG.
#include <png.h>

#include <jpeglib.h>
#include <csetjmp>
#include <cstdio>

#include "outcome.h"
#include "picture.h"

namespace cli {
namespace {

bool is_fit(int64_t width, int64_t height) { return width > 0 && height > 0 && width <= kMostPixels / height; }

void check_size(int64_t width, int64_t height, const std::string& what) {
  if (!is_fit(width, height))
    throw Failure(what + ": a picture of " + std::to_string(width) + "x" + std::to_string(height) +
                  " pixels is too large; at most " + std::to_string(kMostPixels) + " are read");
}

Picture decode_png(std::string_view bytes, const std::string& what) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (!png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()))
    throw Failure(what + " is no readable PNG: " + image.message);
  struct Free {
    png_image* image;
    ~Free() { png_image_free(image); }
  } free{&image};
  check_size(image.width, image.height, what);
  image.format = PNG_FORMAT_RGB;
  Picture picture{image.height, image.width, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
  const png_color white{255, 255, 255};
  if (!png_image_finish_read(&image, &white, picture.rgb.data(), 0, nullptr))
    throw Failure(what + " is no readable PNG: " + image.message);
  return picture;
}

constexpr long kMostJpegMemory = 1L << 30;  // beside the picture, for the coefficients of a progressive one
constexpr int kMostScans = 1000;            // progressive files name any number of them, each of the cost of a picture

struct JpegErrors {
  jpeg_error_mgr base;
  jpeg_progress_mgr progress;
  std::jmp_buf jump;
  char message[JMSG_LENGTH_MAX];
};

void on_jpeg_error(j_common_ptr info) {
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  errors->base.format_message(info, errors->message);
  std::longjmp(errors->jump, 1);
}

void on_jpeg_progress(j_common_ptr info) {
  if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kMostScans) return;
  auto* errors = reinterpret_cast<JpegErrors*>(info->err);
  std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMostScans);
  std::longjmp(errors->jump, 1);
}

// Nothing with a destructor may live across the jump: the picture belongs to the caller. False: see errors.message.
bool read_jpeg(jpeg_decompress_struct& info, JpegErrors& errors, std::string_view bytes, Picture& picture) {
  info.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = on_jpeg_error;
  errors.base.output_message = [](j_common_ptr) {};
  if (setjmp(errors.jump)) return false;
  jpeg_create_decompress(&info);
  errors.progress.progress_monitor = on_jpeg_progress;
  info.progress = &errors.progress;
  info.mem->max_memory_to_use = kMostJpegMemory;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&info, TRUE);
  // Before anything is kept of the picture, as starting does of a progressive one.
  picture.height = info.image_height;
  picture.width = info.image_width;
  if (!is_fit(picture.width, picture.height)) return true;
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  picture.rgb.resize(static_cast<size_t>(picture.height * picture.width) * 3);
  while (info.output_scanline < info.output_height) {
    JSAMPROW row =
        picture.rgb.data() + static_cast<size_t>(info.output_scanline) * static_cast<size_t>(picture.width) * 3;
    jpeg_read_scanlines(&info, &row, 1);
  }
  jpeg_finish_decompress(&info);
  return true;
}

Picture decode_jpeg(std::string_view bytes, const std::string& what) {
  jpeg_decompress_struct info{};
  JpegErrors errors{};
  Picture picture;
  const bool good = read_jpeg(info, errors, bytes, picture);
  jpeg_destroy_decompress(&info);
  if (!good) throw Failure(what + " is no readable JPEG: " + errors.message);
  check_size(picture.width, picture.height, what);
  return picture;
}

}  // namespace

Picture decode_picture(std::string_view bytes, const std::string& what) {
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, what);
  if (bytes.starts_with("\xff\xd8")) return decode_jpeg(bytes, what);
  throw Failure(what + " is neither a PNG nor a JPEG");
}

}  // namespace cli
