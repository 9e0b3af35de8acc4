// Attributes of Cast, CastLike and BitCast.
#pragma once

#include "base/floats.h"

namespace onnxrun::ops {

struct CastAttributes {
  base::Saturate saturate = base::Saturate::kYes;
  base::RoundMode round = base::RoundMode::kUp;
};

// `round_mode` was checked by inference; another text counts as "up".
template <class Source>
CastAttributes read_cast(const Source& source) {
  CastAttributes result;
  if (source.get_int("saturate", 1) == 0) result.saturate = base::Saturate::kNo;
  const auto mode = source.get_string("round_mode", "up");
  if (mode == "down") result.round = base::RoundMode::kDown;
  if (mode == "nearest") result.round = base::RoundMode::kNearest;
  return result;
}

}  // namespace onnxrun::ops
