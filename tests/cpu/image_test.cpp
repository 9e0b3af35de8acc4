// Decoding of images in every format and what becomes of damaged ones.
#include "cpu/content/image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/kernel_memory.h"

namespace onnxrun::cpu::images {
namespace {

using Data = std::vector<uint8_t>;

class Picture final : public Canvas {
 public:
  uint8_t* open(int64_t wide, int64_t high) override {
    // What a damaged header may claim, without the memory for it.
    if (wide > (int64_t{1} << 22) / high) base::fail(base::Code::kLimitExceeded, "{} x {} pixels", wide, high);
    width = wide;
    height = high;
    pixels.assign(static_cast<size_t>(wide * high * 3), 0);
    return pixels.data();
  }
  bool cancelled() const noexcept override { return stop; }

  int64_t width = 0, height = 0;
  Data pixels;
  bool stop = false;
};

Data read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::filesystem::path> images() {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : std::filesystem::directory_iterator(ONNXRUN_TEST_DATA "/images"))
    if (entry.path().extension() != ".py" && std::filesystem::exists(entry.path().string() + ".ppm"))
      result.push_back(entry.path());
  return result;
}

bool decode(const Data& data, Picture& picture) {
  const Decoder decoder = find_decoder(data);
  return decoder != nullptr && decoder(data, picture);
}

bool missing(const std::filesystem::path& path) {
  try {
    Picture picture;
    decode(read(path), picture);
    return false;
  } catch (const base::Error& error) {
    return error.code() == base::Code::kUnsupported;
  }
}

TEST(Images, EveryKindAsAnotherDecoderReadsIt) {
  EXPECT_GT(images().size(), 30u);
  for (const auto& path : images()) {
    if (missing(path)) continue;
    Picture picture, expected;
    ASSERT_TRUE(decode(read(path), picture)) << path;
    ASSERT_TRUE(decode(read(path.string() + ".ppm"), expected)) << path;
    ASSERT_EQ(picture.width, expected.width) << path;
    ASSERT_EQ(picture.height, expected.height) << path;
    // Libraries of other versions may round a lossy image differently.
    const std::string extension = path.extension(), name = path.stem();
    const int most = extension == ".jpg" ? (name == "cmyk" ? 3 : 2) : name == "lossy" ? 2 : 0;
    for (size_t i = 0; i < expected.pixels.size(); ++i)
      ASSERT_LE(std::abs(picture.pixels[i] - expected.pixels[i]), most) << path << " at " << i;
  }
}

TEST(Images, WhatLibrariesTakeIsCharged) {
  for (const auto& path : images()) {
    const std::string extension = path.extension();
    if (missing(path) || extension == ".bmp" || extension.starts_with(".p") != (extension == ".png")) continue;
    const auto budget = std::make_shared<base::Budget>(0);
    base::KernelMemory memory(budget);
    const base::KernelMemory::Here here(&memory);
    Picture picture;
    EXPECT_THROW(decode(read(path), picture), base::Error) << path;
  }
}

TEST(Images, CutAnywhereIsNoImage) {
  for (const auto& path : images()) {
    if (missing(path)) continue;
    const Data whole = read(path);
    for (size_t size = 0; size < whole.size(); size += 1 + size / 16) {
      Picture picture;
      try {
        decode(Data(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)), picture);
      } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::Code::kLimitExceeded) << path;
      }
    }
    Picture half;
    // A text image may end between two numbers, an animation behind its first frame.
    if (path.stem() == "text" || path.stem() == "animated") continue;
    EXPECT_FALSE(decode(Data(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(whole.size() / 2)), half))
        << path;
  }
}

TEST(Images, DamagedBytesNeitherCrashNorHang) {
  std::mt19937 random(3);
  for (const auto& path : images()) {
    if (missing(path)) continue;
    const Data whole = read(path);
    for (int trial = 0; trial < 300; ++trial) {
      Data damaged = whole;
      for (int k = 0; k < 1 + trial % 4; ++k)
        damaged[random() % std::min<size_t>(damaged.size(), trial % 2 == 0 ? 80 : damaged.size())] =
            static_cast<uint8_t>(random());
      Picture picture;
      try {
        decode(damaged, picture);
      } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::Code::kLimitExceeded) << path;
      }
    }
  }
}

TEST(Images, UnknownBytesHaveNoDecoder) {
  EXPECT_EQ(find_decoder({}), nullptr);
  EXPECT_EQ(find_decoder(Data{'P'}), nullptr);
  EXPECT_EQ(find_decoder(Data(100, 'x')), nullptr);
}

TEST(Images, CancelledEndsEarly) {
  for (const auto& path : images()) {
    if (missing(path) || path.extension() == ".tif" || path.extension() == ".webp") continue;
    Picture picture;
    picture.stop = true;
    EXPECT_FALSE(decode(read(path), picture)) << path;
  }
}

}  // namespace
}  // namespace onnxrun::cpu::images
