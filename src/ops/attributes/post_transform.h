// The post transform of ai.onnx.ml's models: what becomes of the scores of a row.
#pragma once

#include <string>

#include "base/error.h"

namespace onnxrun::ops {

enum class PostTransform { kNone, kSoftmax, kLogistic, kSoftmaxZero, kProbit };

// Throws kInvalidModel for an unknown name.
template <class Source>
PostTransform read_post_transform(const Source& source) {
  const std::string name = source.get_string("post_transform", "NONE");
  if (name == "NONE") return PostTransform::kNone;
  if (name == "SOFTMAX") return PostTransform::kSoftmax;
  if (name == "LOGISTIC") return PostTransform::kLogistic;
  if (name == "SOFTMAX_ZERO") return PostTransform::kSoftmaxZero;
  if (name == "PROBIT") return PostTransform::kProbit;
  base::fail(base::Code::kInvalidModel,
             "'post_transform' is \"{}\", but must be NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT", name);
}

}  // namespace onnxrun::ops
