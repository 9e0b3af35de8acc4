// The inputs of a run: read from files, or made up from a seed.
#pragma once

#include <CLI/CLI.hpp>
#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "picture.h"
#include "room.h"

namespace cli {

struct InputFlags {
  std::vector<std::string> files;   // NAME=FILE, or FILE.npz for all arrays in it
  std::vector<std::string> shapes;  // NAME=1x3x224x224
  std::optional<int64_t> batch;     // of first dimensions that are free
  bool repeat_rows = false;         // given inputs, too, get `batch` rows where that dimension is free
  uint64_t seed = 0;
  PictureFlags picture;

  void add_to(CLI::App& command);
  void add_without_batch(CLI::App& command);
};

// The flags of pictures.
void add_picture_flags(CLI::App& command, PictureFlags& flags);

// What help says about the flags of inputs.
extern const char* const kInputsHelp;

// A value for every input without a default. Symbolic dims take the size that a given input or shape binds them to, first ones then that of the batch, otherwise 1. Throws Failure naming
// the input, also where all together do not fit into `room`.
onnxrun::NamedValues make_inputs(const std::vector<onnxrun::Port>& ports, const InputFlags& flags, Room room);

// What to try when a run fails on inputs that nobody gave: "" when all were given.
std::string hint_on_made_up(const onnxrun::NamedValues& inputs, const InputFlags& flags);

}  // namespace cli
