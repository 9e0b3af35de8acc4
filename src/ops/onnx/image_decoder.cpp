// ImageDecoder (ONNX, opset 20).
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

void infer_image_decoder(ir::InferContext& c) {
  const std::string format = c.attributes().get_string("pixel_format", "RGB");
  if (format != "RGB" && format != "BGR" && format != "Grayscale")
    c.fail("pixel_format must be RGB, BGR or Grayscale, got '{}'", format);
  if (const ir::Shape* shape = c.shape(0); shape != nullptr && shape->size() != 1)
    c.fail("'encoded_stream' must have rank 1, got {}", c.input(0).to_string());
  c.set(0, ir::DType::kUint8, ir::Shape{ir::Dim(), ir::Dim(), format == "Grayscale" ? 1 : 3});
}

}  // namespace

void define_onnx_image_decoder(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "ImageDecoder",
       .versions = {20},
       .signature = {.inputs = "encoded_stream:uint8", .outputs = "image:uint8", .attributes = "pixel_format:string"},
       .flags = ir::kDataShape,
       .infer = infer_image_decoder});
}

}  // namespace onnxrun::ops
