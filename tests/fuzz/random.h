// The draws of a fuzzer: small numbers, extreme ones, and choices among what is there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>

namespace onnxrun::fuzz {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  // Lets `decisions` choose as long as they last, so that a fuzzer that changes a byte changes one choice.
  explicit Random(std::span<const uint8_t> decisions) : engine_(1), decisions_(decisions) {}

  bool decided() const { return decisions_.empty(); }
  // In [0, bound), 0 for a bound of 0.
  size_t below(size_t bound) { return bound == 0 ? 0 : static_cast<size_t>(bits(bound <= 256 ? 1 : 4) % bound); }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<size_t>(high - low) + 1));
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class Range>
  auto& pick(Range& range) {
    return range[below(std::size(range))];
  }

  // A number as attributes, axes and dims have it, sometimes one that nothing has.
  int64_t integer() {
    static constexpr std::array<int64_t, 18> kExtremes = {
        -1000,
        64,
        65,
        127,
        255,
        1000,
        (int64_t{1} << 31) - 1,
        int64_t{1} << 31,
        -(int64_t{1} << 31),
        int64_t{1} << 32,
        (int64_t{1} << 33) + 1,
        int64_t{1} << 40,
        int64_t{1} << 62,
        -(int64_t{1} << 62),
        std::numeric_limits<int64_t>::max(),
        std::numeric_limits<int64_t>::min(),
        std::numeric_limits<int64_t>::min() + 1,
        17,
    };
    return chance(80) ? between(-3, 5) : pick(kExtremes);
  }

  double number() {
    static constexpr std::array<double, 12> kExtremes = {0.0,
                                                         -0.0,
                                                         1e-45,
                                                         1e30,
                                                         -1e30,
                                                         3e38,
                                                         std::numeric_limits<double>::infinity(),
                                                         65504,
                                                         1e300,
                                                         -std::numeric_limits<double>::infinity(),
                                                         std::numeric_limits<double>::quiet_NaN(),
                                                         1e-12};
    return chance(80) ? static_cast<double>(between(-16, 16)) / 4 : pick(kExtremes);
  }

 private:
  uint64_t bits(size_t bytes) {
    if (decisions_.empty()) return engine_();
    uint64_t result = 0;
    for (size_t i = 0; i < bytes && !decisions_.empty(); ++i) {
      result = result << 8 | decisions_.front();
      decisions_ = decisions_.subspan(1);
    }
    return result;
  }

  std::mt19937_64 engine_;
  std::span<const uint8_t> decisions_;
};

}  // namespace onnxrun::fuzz
