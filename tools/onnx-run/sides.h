// Models side by side: what one takes and gives, fitted to another.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <utility>
#include <vector>

#include "agreement.h"
#include "room.h"

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

// An expected output and what a side gave for it.
struct ComparedOutput {
  std::string name;   // as the reference has it
  std::string given;  // as the side has it; "" where it has none
  Agreement agreement;
};

// For each expected output, how what a side gave agrees with it: by name, else by position.
std::vector<ComparedOutput> agreements(const onnxrun::Results& got, const onnxrun::NamedValues& expected,
                                       const Tolerance& tolerance);

// Names of outputs that were not compared.
std::vector<std::string> left_out(const std::vector<onnxrun::Port>& outputs,
                                  const std::vector<ComparedOutput>& compared);

// The arrays of an .npz that a model's outputs are to be, by name; arr_0, arr_1, ..., as numpy.savez calls them, by position. Throws Failure for an array that is no
// output, where there is none, and where they do not fit into `room`.
onnxrun::NamedValues expected_arrays(const std::string& file, const std::vector<onnxrun::Port>& outputs, Room room);

}  // namespace cli
