// Values of inputs from files of every kind that can be read.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <functional>
#include <string>
#include <vector>

#include "picture.h"
#include "room.h"

namespace cli {

// "'a', 'b'", or "none".
std::string names_of(const std::vector<onnxrun::Port>& ports);

// The value of one input, by the ending of the file's name. `shape` (null: none was given) says what a picture is made to fit; `raw_shape` is asked for the shape of a raw
// file. Throws Failure naming the input and the file, also where arrays do not fit into `room`.
onnxrun::Value read_input(const onnxrun::Port& port, const std::string& file, const PictureFlags& picture,
                          const onnxrun::Shape* shape, const std::function<onnxrun::Shape()>& raw_shape, Room& room);

// Whether a file of this name can hold several inputs by name: .npz, .json, and .csv or .tsv with a heading.
bool holds_several(const std::string& file);
// Throws Failure naming the file and what in it is not an input.
onnxrun::NamedValues read_inputs(const std::string& file, const std::vector<onnxrun::Port>& ports, Room& room);

}  // namespace cli
