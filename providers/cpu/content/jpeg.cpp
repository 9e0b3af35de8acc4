// JPEG images through libjpeg, whose errors end in a jump of ours instead of an exit.
#include "cpu/content/image.h"

#if ONNXRUN_JPEG
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// After jpeglib.h, which it builds upon.
#include <jerror.h>

#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

constexpr long kMostMemory = 1L << 30;
constexpr int kMostScans = 1000;  // progressive files name any number of them, each of the cost of an image

class Reader {
 public:
  explicit Reader(const Canvas& canvas) : canvas_(canvas) {
    info.err = jpeg_std_error(&errors_);
    info.client_data = this;
    errors_.error_exit = [](j_common_ptr common) { std::longjmp(of(common).jump_, 1); };
    errors_.output_message = [](j_common_ptr) {};
    errors_.emit_message = [](j_common_ptr common, int level) {
      const int code = common->err->msg_code;
      if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) std::longjmp(of(common).jump_, 1);
    };
    progress_.progress_monitor = [](j_common_ptr common) {
      const auto* decompress = reinterpret_cast<j_decompress_ptr>(common);
      if (decompress->input_scan_number > kMostScans || of(common).canvas_.cancelled())
        std::longjmp(of(common).jump_, 1);
    };
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { jpeg_destroy_decompress(&info); }

  // Whether the library got through `step`, which holds nothing that needs destruction.
  template <class F>
  bool attempt(F step) {
    if (setjmp(jump_) != 0) return false;
    step();
    return true;
  }

  void create() {
    jpeg_create_decompress(&info);
    info.progress = &progress_;
    info.mem->max_memory_to_use = kMostMemory;
  }

  jpeg_decompress_struct info = {};

 private:
  static Reader& of(j_common_ptr common) { return *static_cast<Reader*>(common->client_data); }

  const Canvas& canvas_;
  jpeg_error_mgr errors_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_ = {};
};

// Adobe's files hold inverted inks.
void cmyk_to_rgb(const uint8_t* cmyk, int64_t count, bool inverted, uint8_t* rgb) {
  for (int64_t i = 0; i < count; ++i)
    for (int c = 0; c < 3; ++c) {
      const int ink = inverted ? cmyk[4 * i + c] : 255 - cmyk[4 * i + c],
                black = inverted ? cmyk[4 * i + 3] : 255 - cmyk[4 * i + 3];
      rgb[3 * i + c] = static_cast<uint8_t>((ink * black + 127) / 255);
    }
}

}  // namespace

bool decode_jpeg(Bytes bytes, Canvas& canvas) {
  Reader reader(canvas);
  auto& info = reader.info;
  const bool opened = reader.attempt([&] {
    reader.create();
    jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
    jpeg_read_header(&info, TRUE);
  });
  if (!opened || info.image_width == 0 || info.image_height == 0) return false;
  const bool cmyk = info.num_components == 4;
  info.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  const auto width = static_cast<int64_t>(info.image_width);
  uint8_t* rgb = canvas.open(width, info.image_height);
  constexpr int64_t kRow = 256;  // rows of blocks are kept as they are decoded; of several scans all coefficients
  const int64_t coefficients = jpeg_has_multiple_scans(&info) ? info.image_height * int64_t{sizeof(JCOEF)} : 0;
  base::take_kernel_memory(width * (kRow + coefficients * info.num_components));
  if (!reader.attempt([&] { jpeg_start_decompress(&info); })) return false;
  std::vector<uint8_t> inks(cmyk ? static_cast<size_t>(width) * 4 : 0);
  while (info.output_scanline < info.output_height) {
    if (canvas.cancelled()) return false;
    uint8_t* line = rgb + static_cast<int64_t>(info.output_scanline) * width * 3;
    JSAMPROW row = cmyk ? inks.data() : line;
    if (!reader.attempt([&] { jpeg_read_scanlines(&info, &row, 1); })) return false;
    if (cmyk) cmyk_to_rgb(inks.data(), width, info.saw_Adobe_marker != 0, line);
  }
  return true;
}

}  // namespace onnxrun::cpu::images
#else
namespace onnxrun::cpu::images {
bool decode_jpeg(Bytes, Canvas&) { fail_without("libjpeg", "JPEG"); }
}  // namespace onnxrun::cpu::images
#endif
