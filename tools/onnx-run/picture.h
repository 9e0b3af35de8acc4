// Pictures as input tensors.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "room.h"

namespace cli {

struct PictureFlags {
  std::string layout = "auto";  // nchw, nhwc, chw, hwc, hw, auto
  std::string size;             // HEIGHTxWIDTH
  std::string resize = "bilinear";
  std::optional<double> scale;
  std::vector<double> mean, std;
  bool grey = false;
  bool bgr = false;
};

// What a picture may have, as it is given and as the model takes it: each takes up to 48 bytes here.
inline constexpr int64_t kMostPixels = int64_t{1} << 26;

// 8-bit RGB, rows from the top.
struct Picture {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> rgb;
};

// Decodes PNG (transparency laid on white) or JPEG by content. Throws Failure naming `what`. `taken` grows by what decoding takes before it is taken.
Picture decode_picture(std::string_view bytes, const std::string& what, Taken& taken);

// The picture as a tensor of `dtype`. `dims` are those of the input, -1 where free: they say where channels, height and width lie unless the flags do.
// An element is (pixel * scale - mean[c]) / std[c].
onnxrun::Tensor picture_tensor(std::string_view bytes, const std::string& what, onnxrun_dtype dtype,
                               const onnxrun::Shape& dims, const PictureFlags& flags, Taken& taken);

}  // namespace cli
