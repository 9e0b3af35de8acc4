// ImageDecoder: what cannot be decoded gives an image of no rows and columns, as the operator is defined.
#include <memory>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/kernel_memory.h"
#include "cpu/content/image.h"
#include "cpu/cpu.h"

namespace onnxrun::cpu {
namespace {

class OutputCanvas final : public images::Canvas {
 public:
  OutputCanvas(RunContext& context, bool gray) : context_(context), gray_(gray) {}

  uint8_t* open(int64_t width, int64_t height) override {
    if (width > images::kMostPixels / height)
      base::fail(base::Code::kLimitExceeded, "the image of {} x {} pixels is larger than the {} that are decoded",
                 width, height, images::kMostPixels);
    pixels_ = width * height;
    const int64_t dims[] = {height, width, gray_ ? 1 : 3};
    context_.allocate_output(0, dims);
    if (!gray_) return context_.out<uint8_t>(0);
    base::take_kernel_memory(pixels_ * 3);
    colours_.reset(new uint8_t[static_cast<size_t>(pixels_) * 3]);
    return colours_.get();
  }
  bool cancelled() const noexcept override { return context_.cancelled(); }

  int64_t pixels() const { return pixels_; }
  const uint8_t* colours() const { return colours_.get(); }

 private:
  RunContext& context_;
  bool gray_;
  int64_t pixels_ = 0;
  std::unique_ptr<uint8_t[]> colours_;
};

class ImageDecoder {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit ImageDecoder(const Node& node) : format_(node.get_string("pixel_format", "RGB")) {}

  void run(RunContext& context) const {
    const bool gray = format_ == "Grayscale";
    const images::Bytes bytes(context.in<uint8_t>(0), static_cast<size_t>(provider::count(context.input(0))));
    OutputCanvas canvas(context, gray);
    const images::Decoder decode = images::find_decoder(bytes);
    const bool decoded = decode != nullptr && decode(bytes, canvas);
    context.check_cancelled();
    if (!decoded) {
      const int64_t none[] = {0, 0, gray ? 1 : 3};
      context.allocate_output(0, none);
      return;
    }
    auto* image = context.out<uint8_t>(0);
    if (format_ == "BGR") {
      for (int64_t i = 0; i < canvas.pixels(); ++i) std::swap(image[3 * i], image[3 * i + 2]);
    } else if (gray) {
      // ITU-R 601-2 luma in 16-bit fixed point.
      for (int64_t i = 0; i < canvas.pixels(); ++i) {
        const uint8_t* c = canvas.colours() + 3 * i;
        image[i] = static_cast<uint8_t>((c[0] * 19595u + c[1] * 38470u + c[2] * 7471u + 0x8000u) >> 16);
      }
    }
  }

 private:
  std::string format_;
};

}  // namespace

void kernels_onnx_image_decoder(provider::KernelTable& table) {
  table.add<ImageDecoder>("", "ImageDecoder", "reference");
}

}  // namespace onnxrun::cpu
