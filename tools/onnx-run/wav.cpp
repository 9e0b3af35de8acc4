// Reading sound files.
#include "wav.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "adapt.h"
#include "dtype_names.h"
#include "outcome.h"

namespace cli {
namespace {

using onnxrun::Port;
using onnxrun::Shape;
using onnxrun::Tensor;

constexpr unsigned kPcm = 1, kFloat = 3, kExtensible = 0xfffe;

struct Sound {
  unsigned form = 0, bits = 0;
  size_t channels = 0;
  std::string_view data;
  size_t samples() const { return data.size() / (bits / 8 * channels); }
};

uint32_t number(std::string_view bytes, size_t at, size_t width) {
  uint32_t value = 0;
  std::memcpy(&value, bytes.data() + at, width);
  return value;
}

void read_format(std::string_view chunk, Sound& sound, const std::string& what) {
  if (chunk.size() < 16) throw Failure(what + ": the format of the sound is cut off");
  sound.form = number(chunk, 0, 2);
  sound.channels = number(chunk, 2, 2);
  sound.bits = number(chunk, 14, 2);
  if (sound.form == kExtensible && chunk.size() >= 26) sound.form = number(chunk, 24, 2);
  const bool pcm = sound.form == kPcm && (sound.bits == 8 || sound.bits == 16 || sound.bits == 24 || sound.bits == 32);
  const bool real = sound.form == kFloat && (sound.bits == 32 || sound.bits == 64);
  if (!pcm && !real)
    throw Failure(what + ": sound of form " + std::to_string(sound.form) + " with " + std::to_string(sound.bits) +
                  " bits cannot be read; use PCM of 8, 16, 24 or 32 bits or floating point of 32 or 64");
  if (sound.channels == 0) throw Failure(what + ": a sound of no channels");
}

Sound read_sound(std::string_view bytes, const std::string& what) {
  if (bytes.size() < 12 || !bytes.starts_with("RIFF") || bytes.substr(8, 4) != "WAVE")
    throw Failure(what + " is no .wav file");
  Sound sound;
  for (std::string_view rest = bytes.substr(12); rest.size() >= 8;) {
    const std::string_view name = rest.substr(0, 4);
    const size_t size = number(rest, 4, 4);
    rest.remove_prefix(8);
    // What wrote to a pipe could not know the length.
    const bool open = name == "data" && size == 0xffffffff;
    if (size > rest.size() && !open) throw Failure(what + " is cut off");
    const std::string_view chunk = rest.substr(0, size);
    if (name == "fmt ") read_format(chunk, sound, what);
    if (name == "data") {
      if (sound.channels == 0) throw Failure(what + ": the sound's format is missing");
      const size_t frame = sound.bits / 8 * sound.channels;
      sound.data = chunk.substr(0, chunk.size() / frame * frame);
      return sound;
    }
    rest.remove_prefix(std::min(rest.size(), size + size % 2));
  }
  throw Failure(what + " has no samples");
}

// As stored: whole numbers for PCM, of which those of 8 bits have no sign in the file.
double sample(const Sound& sound, size_t index) {
  const size_t width = sound.bits / 8;
  const char* at = sound.data.data() + index * width;
  if (sound.form == kFloat) {
    float single = 0;
    double wide = 0;
    if (width == 4) std::memcpy(&single, at, 4);
    else std::memcpy(&wide, at, 8);
    return width == 4 ? static_cast<double>(single) : wide;
  }
  uint32_t bits = 0;
  std::memcpy(&bits, at, width);
  if (width == 1) return static_cast<double>(bits) - 128;
  return static_cast<double>(static_cast<int32_t>(bits << (32 - sound.bits)) >> (32 - sound.bits));
}

// Bits of a signed whole number; 0 for other types.
unsigned whole_bits(onnxrun_dtype dtype) {
  switch (dtype) {
    case ONNXRUN_DTYPE_INT8: return 8;
    case ONNXRUN_DTYPE_INT16: return 16;
    case ONNXRUN_DTYPE_INT32: return 32;
    case ONNXRUN_DTYPE_INT64: return 64;
    default: return 0;
  }
}

struct Layout {
  Shape shape;
  bool separate = false;  // each channel for itself
  bool inner = false;     // channels vary fastest, as in the file
};

Layout layout_of(const Sound& sound, const Port& port, const std::string& what) {
  const auto samples = static_cast<int64_t>(sound.samples()), channels = static_cast<int64_t>(sound.channels);
  const size_t rank = port.rank_known ? port.dims.size() : 2;
  const auto dim = [&](size_t i) { return port.rank_known ? port.dims[i] : -1; };
  if (rank == 1) return {{samples}, false, false};
  if (rank == 2 && channels > 1 && dim(0) == channels) return {{channels, samples}, true, false};
  if (rank == 2 && channels > 1 && dim(1) == channels) return {{samples, channels}, true, true};
  if (rank == 2 && dim(0) <= 1) return {{1, samples}, false, false};
  if (rank == 3 && dim(0) <= 1 && channels > 1 && dim(1) == channels) return {{1, channels, samples}, true, false};
  if (rank == 3 && dim(0) <= 1 && dim(1) <= 1) return {{1, 1, samples}, false, false};
  throw Failure(what + ": " + std::to_string(samples) + " samples of " + std::to_string(channels) +
                " channels do not fit input '" + port.name + "' (" + port.type + "); use .npy");
}

}  // namespace

Tensor wav_tensor(std::string_view bytes, const std::string& what, const Port& port, Taken& taken) {
  const Sound sound = read_sound(bytes, what);
  const bool real =
      is_float(port.dtype) && port.dtype != ONNXRUN_DTYPE_COMPLEX64 && port.dtype != ONNXRUN_DTYPE_COMPLEX128;
  const unsigned room = whole_bits(port.dtype);
  if (!real && (sound.form != kPcm || sound.bits > room))
    throw Failure(what + ": a sound of " + std::to_string(sound.bits) + " bits cannot be the input '" + port.name +
                  "' (" + port.type + ")");
  const Layout layout = layout_of(sound, port, what);
  const double scale = real && sound.form == kPcm ? std::ldexp(1.0, 1 - static_cast<int>(sound.bits)) : 1;
  const size_t samples = sound.samples(), channels = sound.channels;
  taken.add(2 * sizeof(double) * (layout.separate ? samples * channels : samples));  // and once more as a tensor
  std::vector<double> values;
  values.reserve(layout.separate ? samples * channels : samples);
  const auto add = [&](size_t time, size_t channel) {
    values.push_back(sample(sound, time * channels + channel) * scale);
  };
  if (!layout.separate) {
    for (size_t t = 0; t < samples; ++t) {
      double sum = 0;
      for (size_t c = 0; c < channels; ++c) sum += sample(sound, t * channels + c);
      values.push_back(sum / static_cast<double>(channels) * scale);
    }
  } else if (layout.inner) {
    for (size_t t = 0; t < samples; ++t)
      for (size_t c = 0; c < channels; ++c) add(t, c);
  } else {
    for (size_t c = 0; c < channels; ++c)
      for (size_t t = 0; t < samples; ++t) add(t, c);
  }
  return cast(Tensor::from(layout.shape, values), port.dtype);
}

}  // namespace cli
