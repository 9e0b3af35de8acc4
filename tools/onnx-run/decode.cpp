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

Picture decode_png(std::string_view bytes, const std::string& what, Taken& taken) {
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
  taken.add(PNG_IMAGE_SIZE(image) + uint64_t{image.width} * 24);  // and rows of up to 8 bytes a pixel
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

class JpegReader {
 public:
  JpegReader() {
    info.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_jpeg_error;
    errors_.base.output_message = [](j_common_ptr) {};
    errors_.progress.progress_monitor = on_jpeg_progress;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info); }

  // Throws Failure naming `what` where the library does not get through `step`, which holds nothing that needs destruction.
  template <class Step>
  void attempt(const std::string& what, Step step) {
    if (!through(step)) throw Failure(what + " is no readable JPEG: " + errors_.message);
  }

  void open(std::string_view bytes) {
    jpeg_create_decompress(&info);
    info.progress = &errors_.progress;
    info.mem->max_memory_to_use = kMostJpegMemory;
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    jpeg_read_header(&info, TRUE);
    info.out_color_space = JCS_RGB;
  }

  jpeg_decompress_struct info{};

 private:
  template <class Step>
  bool through(Step& step) {
    if (setjmp(errors_.jump) != 0) return false;
    step();
    return true;
  }

  JpegErrors errors_{};
};

Picture decode_jpeg(std::string_view bytes, const std::string& what, Taken& taken) {
  JpegReader reader;
  auto& info = reader.info;
  reader.attempt(what, [&] { reader.open(bytes); });
  Picture picture{info.image_height, info.image_width, {}};
  // Before anything is kept of the picture, as starting does of a progressive one.
  check_size(picture.width, picture.height, what);
  const auto pixels = static_cast<uint64_t>(picture.height * picture.width);
  constexpr uint64_t kCoefficient = sizeof(JCOEF), kRow = 256;  // rows of blocks are kept as they are decoded
  if (jpeg_has_multiple_scans(&info)) taken.add(pixels * kCoefficient * static_cast<uint64_t>(info.num_components));
  taken.add(pixels * 3 + static_cast<uint64_t>(picture.width) * kRow);
  picture.rgb.resize(pixels * 3);
  reader.attempt(what, [&] { jpeg_start_decompress(&info); });
  while (info.output_scanline < info.output_height) {
    JSAMPROW row =
        picture.rgb.data() + static_cast<size_t>(info.output_scanline) * static_cast<size_t>(picture.width) * 3;
    reader.attempt(what, [&] { jpeg_read_scanlines(&info, &row, 1); });
  }
  reader.attempt(what, [&] { jpeg_finish_decompress(&info); });
  return picture;
}

}  // namespace

Picture decode_picture(std::string_view bytes, const std::string& what, Taken& taken) {
  if (bytes.starts_with("\x89PNG")) return decode_png(bytes, what, taken);
  if (bytes.starts_with("\xff\xd8")) return decode_jpeg(bytes, what, taken);
  throw Failure(what + " is neither a PNG nor a JPEG");
}

}  // namespace cli
