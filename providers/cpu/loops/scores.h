// What becomes of the scores of a row in ai.onnx.ml's models.
#pragma once

#include <cstdint>

#include "ops/attributes/post_transform.h"

namespace onnxrun::cpu {

// Replaces the scores by their post transform. SOFTMAX_ZERO leaves out scores within 1e-7 of 0; where it leaves all out, and for PROBIT (by the
// approximation with two logarithms that the ONNX reference and ONNX Runtime use), the result is theirs.
void transform_scores(ops::PostTransform transform, float* scores, int64_t count);
void transform_scores(ops::PostTransform transform, double* scores, int64_t count);

// The position of the largest score; the first of equal ones.
template <class T>
int64_t largest_score(const T* scores, int64_t count) {
  int64_t best = 0;
  for (int64_t i = 1; i < count; ++i)
    if (scores[i] > scores[best]) best = i;
  return best;
}

}  // namespace onnxrun::cpu
