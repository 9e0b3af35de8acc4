// Finds where somebody speaks in a WAV file with silero-vad, piece by piece as from a microphone; the network's state stays in one buffer.
//
//   find_speech silero_vad.onnx RECORDING.wav
//
// 16-bit PCM of any rate; several channels are averaged. Prints the beginning and end of each stretch of speech in seconds.
#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr int64_t kRate = 16000;
constexpr size_t kPiece = 512;   // samples a step: 32 ms
constexpr size_t kContext = 64;  // of the step before, which the network wants in front

struct Sound {
  int64_t rate = 0;
  std::vector<float> samples;  // -1..1, one channel
};

template <class T>
T read_at(const std::vector<char>& bytes, size_t at) {
  T value{};
  if (at + sizeof value > bytes.size()) throw std::runtime_error("the WAV file ends too early");
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

Sound read_wav(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read '" + path + "'");
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 12 || std::memcmp(bytes.data(), "RIFF", 4) != 0 || std::memcmp(bytes.data() + 8, "WAVE", 4) != 0)
    throw std::runtime_error("'" + path + "' is no WAV file");
  Sound sound;
  uint16_t channels = 0;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const auto length = read_at<uint32_t>(bytes, at + 4);
    const char* const name = bytes.data() + at;
    at += 8;
    if (std::memcmp(name, "fmt ", 4) == 0) {
      channels = read_at<uint16_t>(bytes, at + 2);
      sound.rate = read_at<uint32_t>(bytes, at + 4);
      if (read_at<uint16_t>(bytes, at) != 1 || read_at<uint16_t>(bytes, at + 14) != 16 || channels == 0 ||
          sound.rate == 0)
        throw std::runtime_error("only 16-bit PCM is read");
    } else if (std::memcmp(name, "data", 4) == 0) {
      if (channels == 0) throw std::runtime_error("the samples come before their format");
      // Programs that write to a pipe do not know how long the file becomes.
      const size_t end = std::min<size_t>(bytes.size(), at + length);
      for (; at + size_t{2} * channels <= end; at += size_t{2} * channels) {
        float sum = 0;
        for (size_t c = 0; c < channels; ++c) sum += read_at<int16_t>(bytes, at + 2 * c);
        sound.samples.push_back(sum / static_cast<float>(channels) / 32768);
      }
      return sound;
    }
    at += length + (length & 1);
  }
  throw std::runtime_error("'" + path + "' has no samples");
}

// To 16 kHz by lines between samples, which is all that telling speech from silence needs.
std::vector<float> resample(const Sound& sound) {
  if (sound.rate == kRate || sound.samples.empty()) return sound.samples;
  const double step = static_cast<double>(sound.rate) / static_cast<double>(kRate);
  std::vector<float> result;
  for (double at = 0; at <= static_cast<double>(sound.samples.size() - 1); at += step) {
    const auto low = static_cast<size_t>(at);
    const size_t high = std::min(low + 1, sound.samples.size() - 1);
    const auto part = static_cast<float>(at - static_cast<double>(low));
    result.push_back(sound.samples[low] * (1 - part) + sound.samples[high] * part);
  }
  return result;
}

// Tells how likely each next piece of a stream is speech.
class Detector {
 public:
  explicit Detector(const onnxrun::Session& session) : run_(session) {
    run_.set_input("input", onnxrun::Tensor::wrap<float>({1, kContext + kPiece}, window_));
    run_.set_input("sr", onnxrun::Tensor::scalar(kRate));
    // The new state is written over the old one.
    run_.set_input("state", state_);
    run_.set_output("stateN", state_);
    run_.set_output("output", onnxrun::Tensor::wrap<float>({1, 1}, std::span(&speech_, 1)));
  }

  float next(std::span<const float> piece) {
    std::copy(window_.end() - kContext, window_.end(), window_.begin());
    std::fill(std::copy(piece.begin(), piece.end(), window_.begin() + kContext), window_.end(), 0.0f);
    run_.execute();
    return speech_;
  }

 private:
  std::vector<float> window_ = std::vector<float>(kContext + kPiece);
  onnxrun::Tensor state_{ONNXRUN_DTYPE_FLOAT32, {2, 1, 128}};
  float speech_ = 0;
  onnxrun::Run run_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: find_speech silero_vad.onnx RECORDING.wav\n");
    return 2;
  }
  try {
    const std::vector<float> samples = resample(read_wav(argv[2]));
    const onnxrun::Session session(argv[1], {{"threads", "1"}});
    Detector detector(session);
    // Speech begins above one threshold, ends after a while below another.
    constexpr float kBegins = 0.5f, kEnds = 0.35f;
    constexpr size_t kPause = kRate / 4;
    bool speaking = false;
    size_t begin = 0, last = 0;
    const auto print = [&] {
      std::printf("%.2f %.2f\n", static_cast<double>(begin) / kRate, static_cast<double>(last) / kRate);
    };
    for (size_t at = 0; at < samples.size(); at += kPiece) {
      const size_t end = std::min(at + kPiece, samples.size());
      const float speech = detector.next(std::span(samples).subspan(at, end - at));
      if (!speaking && speech >= kBegins) {
        speaking = true;
        begin = at;
      }
      if (speech >= (speaking ? kEnds : kBegins)) last = end;
      if (speaking && end - last > kPause) {
        print();
        speaking = false;
      }
    }
    if (speaking) print();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
