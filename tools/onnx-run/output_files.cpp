// Writing outputs.
#include "output_files.h"

#include <filesystem>
#include <map>

#include "files.h"
#include "json_values.h"
#include "npy.h"
#include "npz.h"
#include "outcome.h"

namespace cli {
namespace {

void write_value(const std::filesystem::path& folder, const std::string& stem, const onnxrun::Value& value) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return write_file(folder / (stem + ".npy"), write_npy(onnxrun::Tensor(value)));
    case ONNXRUN_KIND_SEQUENCE: {
      size_t i = 0;
      for (const onnxrun::Value& element : value.elements())
        write_value(folder, stem + "_" + std::to_string(i++), element);
      return;
    }
    case ONNXRUN_KIND_MAP:
      write_value(folder, stem + "_keys", value.keys());
      return write_value(folder, stem + "_values", value.values());
    default: return;  // nothing to write for an absent optional
  }
}

}  // namespace

void check_file_names(const std::vector<onnxrun::Port>& outputs) {
  std::map<std::string, std::string> used;
  for (const onnxrun::Port& port : outputs) {
    const std::string stem = file_name_of(port.name);
    if (const auto [place, is_new] = used.emplace(stem, port.name); !is_new)
      throw Failure("outputs '" + place->second + "' and '" + port.name + "' would both be written to " + stem +
                        ".npy; rename one (onnx-run edit --rename) or leave --output-dir out",
                    kRun);
  }
}

void write_outputs(const std::string& folder, const onnxrun::Results& results) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure("'" + folder + "' cannot be made: " + error.message(), kRun);
  for (const auto& [name, value] : results) write_value(folder, file_name_of(name), value);
}

void check_output_file(const std::string& file, const std::vector<onnxrun::Port>& outputs) {
  if (file.ends_with(".json")) return;
  if (!file.ends_with(".npz")) throw Failure("--output: '" + file + "' is neither a .npz nor a .json");
  for (const onnxrun::Port& port : outputs)
    if (port.kind != ONNXRUN_KIND_TENSOR && port.kind != ONNXRUN_KIND_UNKNOWN)
      throw Failure("--output: output '" + port.name + "' is a " + port.type + ", which no .npz can hold; use .json");
}

void write_output_file(const std::string& file, const onnxrun::Results& results) {
  if (file.ends_with(".json")) {
    nlohmann::ordered_json json;
    for (const auto& [name, value] : results) json[name] = json_of_value(value);
    return write_file(file, json.dump() + "\n");
  }
  std::vector<std::pair<std::string, onnxrun::Tensor>> tensors;
  for (const auto& [name, value] : results) {
    if (!value.is_tensor()) throw Failure("output '" + name + "' is a " + value.describe() + "; use .json", kRun);
    tensors.emplace_back(name, onnxrun::Tensor(value));
  }
  write_file(file, write_npz(tensors));
}

}  // namespace cli
