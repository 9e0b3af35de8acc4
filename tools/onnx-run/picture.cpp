// Resizing, normalising and laying out pictures.
#include "picture.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "dtype_names.h"
#include "outcome.h"

namespace cli {
namespace {

// Float samples, interleaved.
struct Samples {
  int64_t height, width, channels;
  std::vector<double> data;
  double at(int64_t y, int64_t x, int64_t c) const { return data[static_cast<size_t>((y * width + x) * channels + c)]; }
};

Samples to_samples(const Picture& picture, bool grey, bool bgr) {
  Samples out{picture.height, picture.width, grey ? 1 : 3, {}};
  const size_t pixels = picture.rgb.size() / 3;
  out.data.reserve(pixels * static_cast<size_t>(out.channels));
  for (size_t i = 0; i < pixels; ++i) {
    const uint8_t* p = &picture.rgb[3 * i];
    if (grey)
      out.data.push_back(p[0] == p[1] && p[1] == p[2] ? p[0] : std::round(0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2]));
    else
      for (int c = 0; c < 3; ++c) out.data.push_back(p[bgr ? 2 - c : c]);
  }
  return out;
}

// Source samples and weights of one target sample along an axis.
using Taps = std::vector<std::pair<int64_t, double>>;

std::vector<Taps> make_taps(int64_t from, int64_t to, const std::string& how) {
  std::vector<Taps> all(static_cast<size_t>(to));
  const double ratio = static_cast<double>(from) / static_cast<double>(to);
  for (int64_t i = 0; i < to; ++i) {
    Taps& taps = all[static_cast<size_t>(i)];
    const auto d = static_cast<double>(i);
    if (how == "nearest") {
      taps.emplace_back(std::min(static_cast<int64_t>((d + 0.5) * ratio), from - 1), 1.0);
    } else if (how == "area") {
      const double begin = d * ratio, end = std::min((d + 1) * ratio, static_cast<double>(from));
      for (auto k = static_cast<int64_t>(begin); k < from && static_cast<double>(k) < end; ++k) {
        const double part = std::min(end, static_cast<double>(k + 1)) - std::max(begin, static_cast<double>(k));
        if (part > 0) taps.emplace_back(k, part / (end - begin));
      }
    } else {
      const double x = std::clamp((d + 0.5) * ratio - 0.5, 0.0, static_cast<double>(from - 1));
      const auto low = static_cast<int64_t>(x);
      const double high_part = x - static_cast<double>(low);
      taps.emplace_back(low, 1 - high_part);
      if (high_part > 0) taps.emplace_back(low + 1, high_part);
    }
  }
  return all;
}

Samples resize(Samples from, int64_t height, int64_t width, const std::string& how) {
  if (height == from.height && width == from.width) return from;
  const auto rows = make_taps(from.height, height, how), columns = make_taps(from.width, width, how);
  Samples out{height, width, from.channels, {}};
  out.data.reserve(static_cast<size_t>(height * width * from.channels));
  for (const Taps& row : rows)
    for (const Taps& column : columns)
      for (int64_t c = 0; c < from.channels; ++c) {
        double sum = 0;
        for (const auto& [y, wy] : row)
          for (const auto& [x, wx] : column) sum += wy * wx * from.at(y, x, c);
        out.data.push_back(sum);
      }
  return out;
}

std::string choose_layout(const onnxrun::Shape& dims, const std::string& wanted, const std::string& what) {
  if (wanted != "auto") return wanted;
  const auto is_channels = [](int64_t dim) { return dim == 1 || dim == 3; };
  if (dims.size() == 4) return !is_channels(dims[1]) && is_channels(dims[3]) ? "nhwc" : "nchw";
  if (dims.size() == 3) return !is_channels(dims[0]) && is_channels(dims[2]) ? "hwc" : "chw";
  // A batch of rows has the rank of a grey picture, but one size only.
  if (dims.size() == 2 && (dims[0] < 0) == (dims[1] < 0)) return "hw";
  throw Failure(what + ": the input's shape does not say how a picture lies in it; give --image-layout");
}

int64_t dim_of(const onnxrun::Shape& dims, const std::string& layout, char axis) {
  const size_t at = layout.find(axis);
  return at == std::string::npos || dims.size() != layout.size() ? -1 : dims[at];
}

std::pair<int64_t, int64_t> parse_size(const std::string& text) {
  int64_t height = 0, width = 0;
  const char* end = text.data() + text.size();
  const auto [middle, error] = std::from_chars(text.data(), end, height);
  if (error == std::errc() && middle != end && *middle == 'x') {
    const auto [last, error2] = std::from_chars(middle + 1, end, width);
    if (error2 == std::errc() && last == end && height > 0 && width > 0 && height <= 65536 && width <= 65536)
      return {height, width};
  }
  throw Failure("--image-size: '" + text + "' is no size like 224x224");
}

double channel_value(const std::vector<double>& list, int64_t channel, double otherwise) {
  if (list.empty()) return otherwise;
  return list.size() == 1 ? list[0] : list.at(static_cast<size_t>(channel));
}

}  // namespace

onnxrun::Tensor picture_tensor(std::string_view bytes, const std::string& what, onnxrun_dtype dtype,
                               const onnxrun::Shape& dims, const PictureFlags& flags, Taken& taken) {
  if (!is_float(dtype) && !is_integer(dtype))
    throw Failure(what + ": a picture cannot be given as " + std::string(dtype_name(dtype)));
  const std::string layout = choose_layout(dims, flags.layout, what);
  const Picture picture = decode_picture(bytes, what, taken);
  const bool grey = flags.grey || layout == "hw" || dim_of(dims, layout, 'c') == 1;
  int64_t height = dim_of(dims, layout, 'h'), width = dim_of(dims, layout, 'w');
  if (!flags.size.empty()) std::tie(height, width) = parse_size(flags.size);
  const auto check_size = [&] {
    if (height == 0 || width == 0 || std::max(height, width) > kMostPixels || height * width > kMostPixels)
      throw Failure(what + ": cannot be resized to " + (height < 0 ? "?" : std::to_string(height)) + "x" +
                    (width < 0 ? "?" : std::to_string(width)) + "; at most " + std::to_string(kMostPixels) +
                    " pixels are made");
  };
  check_size();
  if (height < 0 && width < 0) height = picture.height, width = picture.width;
  else if (width < 0) width = std::max<int64_t>(1, (height * picture.width + picture.height - 1) / picture.height);
  else if (height < 0) height = std::max<int64_t>(1, (width * picture.height + picture.width - 1) / picture.width);
  check_size();
  // The samples as they are decoded, resized and normalised.
  const auto bytes_of_samples = [&](int64_t rows, int64_t columns) {
    return static_cast<uint64_t>(rows * columns) * (grey ? 1 : 3) * sizeof(double);
  };
  taken.add(bytes_of_samples(picture.height, picture.width) + 2 * bytes_of_samples(height, width));
  const Samples samples = resize(to_samples(picture, grey, flags.bgr), height, width, flags.resize);
  for (const auto& [name, list] : {std::pair{"--image-mean", &flags.mean}, std::pair{"--image-std", &flags.std}})
    if (list->size() > 1 && list->size() != static_cast<size_t>(samples.channels))
      throw Failure(std::string(name) + ": give one number, or one for each of the " +
                    std::to_string(samples.channels) + " channels");

  if (flags.scale == 0.0) throw Failure("--image-scale: a factor of 0 leaves nothing of the picture");
  for (const double divisor : flags.std)
    if (divisor == 0) throw Failure("--image-std: cannot divide by 0");

  const double scale = flags.scale.value_or(is_float(dtype) ? 1.0 / 255 : 1.0);
  onnxrun::Shape shape;
  for (const char axis : layout)
    shape.push_back(axis == 'n' ? 1 : axis == 'c' ? samples.channels : axis == 'h' ? height : width);
  std::vector<double> values(samples.data.size());
  const bool planar = layout.find('c') != std::string::npos && layout.find('c') < layout.find('h');
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < samples.channels; ++c) {
        const int64_t at = planar ? (c * height + y) * width + x : (y * width + x) * samples.channels + c;
        const double value =
            (samples.at(y, x, c) * scale - channel_value(flags.mean, c, 0)) / channel_value(flags.std, c, 1);
        values[static_cast<size_t>(at)] = is_integer(dtype) ? std::round(value) : value;
      }
  onnxrun::Tensor tensor(dtype, shape);
  tensor.set(values);
  return tensor;
}

}  // namespace cli
