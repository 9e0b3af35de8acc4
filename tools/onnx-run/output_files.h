// Outputs of a run, written to files that appear whole or not at all.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <vector>

namespace cli {

// Before anything is computed: no two outputs may go to one file. Throws Failure naming both.
void check_file_names(const std::vector<onnxrun::Port>& outputs);
// Each output as NAME.npy in the folder, which is made; elements of a sequence as NAME_0.npy and so on, a map as NAME_keys.npy and NAME_values.npy. Throws Failure, and
// writes nothing, where two would go to one file.
void write_outputs(const std::string& folder, const onnxrun::Results& results);

// Before anything is computed: the file is a .npz, and all outputs are tensors, or a .json. Throws Failure.
void check_output_file(const std::string& file, const std::vector<onnxrun::Port>& outputs);
void write_output_file(const std::string& file, const onnxrun::Results& results);

}  // namespace cli
