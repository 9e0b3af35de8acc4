// Models side by side: what one takes and gives, fitted to another.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <utility>
#include <vector>

#include "agreement.h"

namespace cli {

// One of the computations that are compared.
struct Side {
  std::string label;
  std::string path;
  onnxrun::Model model;
  onnxrun::Options options;
  onnxrun::Session session;
};

// Inputs that were made for another side: by name, else by position, cast to the type that this one takes. Throws Failure naming an input that it does not have.
onnxrun::NamedValues fitted(const onnxrun::NamedValues& inputs, const Side& side);

// For each expected output, how what a side gave agrees with it: by name, else by position.
std::vector<std::pair<std::string, Agreement>> agreements(const onnxrun::Results& got,
                                                          const onnxrun::NamedValues& expected,
                                                          const Tolerance& tolerance);

}  // namespace cli
