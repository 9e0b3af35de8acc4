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

// Calls visit(stem, tensor) for each file that a value is written to.
template <class Visit>
void each_file(const std::string& stem, const onnxrun::Value& value, const Visit& visit) {
  switch (value.kind()) {
    case ONNXRUN_KIND_TENSOR: return visit(stem, value);
    case ONNXRUN_KIND_SEQUENCE: {
      size_t i = 0;
      for (const onnxrun::Value& element : value.elements())
        each_file(stem + "_" + std::to_string(i++), element, visit);
      return;
    }
    case ONNXRUN_KIND_MAP:
      each_file(stem + "_keys", value.keys(), visit);
      return each_file(stem + "_values", value.values(), visit);
    default: return;  // nothing to write for an absent optional
  }
}

// Stems of files, and the output that each is of.
class Stems {
 public:
  void add(const std::string& stem, const std::string& output) {
    const auto [place, is_new] = used_.emplace(stem, output);
    if (is_new) return;
    const std::string others = place->second == output ? "parts of output '" + output + "'"
                                                       : "outputs '" + place->second + "' and '" + output + "'";
    throw Failure(others + " would both be written to " + stem +
                      ".npy; rename one (onnx-run edit --rename) or leave --output-dir out",
                  kRun);
  }

 private:
  std::map<std::string, std::string> used_;
};

}  // namespace

void check_file_names(const std::vector<onnxrun::Port>& outputs) {
  Stems stems;
  for (const onnxrun::Port& port : outputs) stems.add(file_name_of(port.name), port.name);
}

void write_outputs(const std::string& folder, const onnxrun::Results& results) {
  Stems stems;
  for (const auto& [name, value] : results)
    each_file(file_name_of(name), value,
              [&, &output = name](const std::string& stem, const onnxrun::Value&) { stems.add(stem, output); });
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Failure("'" + folder + "' cannot be made: " + error.message(), kRun);
  for (const auto& [name, value] : results)
    each_file(file_name_of(name), value, [&](const std::string& stem, const onnxrun::Value& part) {
      write_file(std::filesystem::path(folder) / (stem + ".npy"), write_npy(onnxrun::Tensor(part)));
    });
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
    auto json = nlohmann::ordered_json::object();
    // json[name] would compare with all before.
    auto& members = json.get_ref<nlohmann::ordered_json::object_t&>();
    for (const auto& [name, value] : results) members.emplace_back(name, json_of_value(value));
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
