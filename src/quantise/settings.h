// Settings: what is to become of a model's numbers, as callers write it and as the parts of this room read it.
#pragma once

#include <cstdint>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "base/dtype.h"
#include "quantise/allowance.h"

namespace onnxrun::quantise {

enum class Mode {
  kWeights,  // constants are stored with few bits; arithmetic stays that of float32
  kDynamic,  // products of matrices compute in 8 bits; what comes in is measured in each run
  kStatic,   // operators compute in 8 bits, with ranges that calibration found
  kFloat,    // all is stored and computed in a 16-bit floating-point type
};

// How the range of an activation follows from what calibration saw.
enum class Method { kMinmax, kPercentile, kMse, kEntropy };

// How a weight becomes a code.
enum class Rounding {
  kNearest,      // the range of the block decides
  kRefined,      // scale and zero point are those of the least squared error
  kAware,        // the same, each error weighed by what calibration saw multiply it
  kCompensated,  // one after the other, later weights making up for earlier errors in what calibration saw
};

struct Settings {
  Mode mode = Mode::kWeights;
  base::DType type = base::DType::kInt8;  // int8, uint8 or int4; float16 or bfloat16 where the mode is kFloat
  int64_t block = -1;  // of weights along the summed axis; 0: one scale an output channel; -1: as the type wants
  bool symmetric = false;
  bool per_channel = true;
  bool standard = false;         // only operators that ONNX defines
  bool keep_io = false;          // of kFloat: inputs and outputs stay float32
  std::optional<Method> method;  // none: the better of mse and minmax
  std::optional<Rounding> rounding;
  double percentile = 99.99;
  double smooth = -1;        // how much of a place's range goes to the weights; 0: nothing, -1: as the mode wants
  bool equalise = false;     // scale channels between convolutions to a like size
  bool correct_bias = true;  // of kDynamic and kStatic: biases make up for the mean error of the weights
  double target_error = 0;   // 0: none
  int64_t samples = 0;       // at most so many; 0: all
  std::optional<std::regex> include, exclude;
  std::string include_text, exclude_text;
  Allowance allowance;  // of one change of the model

  int bits() const { return base::dtype_bits(type); }
  // Weights with zero points.
  bool with_zeros() const { return !symmetric && (type == base::DType::kUint8 || block_size() > 0); }
  // Along the summed axis; 0: none.
  int64_t block_size() const;
  bool needs_samples() const;  // to be carried out at all
};

// From texts "key=value": mode, type, block, symmetric, per_channel, standard, keep_io, method, rounding, percentile, smooth, equalize, correct_bias, target_error,
// samples, include, exclude. Throws kInvalidArgument naming what it cannot read or what cannot go together.
Settings parse_settings(const std::vector<std::string>& texts);

const char* mode_name(Mode mode);
const char* rounding_name(Rounding rounding);
const char* method_name(Method method);

}  // namespace onnxrun::quantise
