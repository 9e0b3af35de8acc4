// The inputs of ai.onnx.ml's models: rows of features.
#pragma once

#include <optional>
#include <string_view>

#include "base/dtype.h"
#include "ir/infer.h"

namespace onnxrun::ops {

struct FeatureRows {
  ir::Dim rows, features;
};

// N and F of an input 0 of shape [N,F], or [F] for one row; unknown dims where its rank is. Throws kInvalidModel for other ranks.
FeatureRows feature_rows(const ir::InferContext& c);

// Checks that an attribute of `length` elements has one a feature of input 0 (its last axis), or a single one for all. Throws kInvalidModel.
void check_per_feature(const ir::InferContext& c, std::string_view attribute, size_t length);

// Elements of a list attribute, without copying it; 0 where it is absent or no list.
size_t attribute_length(const ir::InferContext& c, std::string_view attribute);

// Sets the outputs of a classifier: labels of type `labels`, and scores [N,columns] of float32.
void set_classes(ir::InferContext& c, base::DType labels, const ir::Dim& rows, const ir::Dim& columns);

}  // namespace onnxrun::ops
