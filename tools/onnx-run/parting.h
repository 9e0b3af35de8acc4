// Where two computations part, and what is likely behind it.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <vector>

#include "agreement.h"
#include "sides.h"

namespace cli {

// A value of the reference's main graph that the other side computes, too.
struct SharedValue {
  std::string name, node, op;  // of the reference; "" for what no node makes
  Agreement agreement;
};

// Runs both and holds against each other what has the same name in both, in the order in which the reference computes it. Values that an optimisation took away are
// not there, so models that differ are best opened unoptimised. Holds every value of the reference in memory. Throws what either run throws.
std::vector<SharedValue> shared_values(const Side& reference, const onnxrun::NamedValues& reference_inputs,
                                       const Side& side, const onnxrun::NamedValues& inputs,
                                       const Tolerance& tolerance);

inline bool differ(const SharedValue& value) { return !value.agreement.agrees; }

// The first of the values that differ, and how many do.
std::string in_words(const std::vector<SharedValue>& values);

// Likely causes, from what was seen at one batch size: the error of the run ("" for none), the outputs, and what check says of the model.
std::vector<std::string> likely_causes(const Side& side, const std::string& error,
                                       const std::vector<Agreement>& outputs);

}  // namespace cli
