// The instruction set levels of this machine, for tests of each of them.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

inline std::vector<SimdLevel> levels_here() {
  std::vector<SimdLevel> result;
  for (const SimdLevel level : {SimdLevel::kGeneric, SimdLevel::kV2, SimdLevel::kV3, SimdLevel::kV4, SimdLevel::kVnni,
                                SimdLevel::kBf16, SimdLevel::kSpr})
    if (level <= detected_simd_level() &&
        (level == SimdLevel::kGeneric) == (detected_simd_level() == SimdLevel::kGeneric))
      result.push_back(level);
  return result;
}

// A test at the level that is its parameter.
class AtLevel : public testing::TestWithParam<SimdLevel> {
 protected:
  void SetUp() override { limit_simd_level(GetParam()); }
  void TearDown() override { limit_simd_level(detected_simd_level()); }
};

inline std::string name_of_level(const testing::TestParamInfo<SimdLevel>& info) {
  return std::string(simd_level_name(info.param));
}

}  // namespace onnxrun::cpu
