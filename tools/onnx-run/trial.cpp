// Running, comparing and writing trials.
#include "trial.h"

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "files.h"
#include "outcome.h"

namespace cli {

namespace fs = std::filesystem;

namespace {

// Folders that go with their content.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "onnx-run-XXXXXX").string();
    if (!mkdtemp(pattern.data()))
      throw Failure("no temporary folder can be made in " + fs::temp_directory_path().string(), kRun);
    path_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// A path as the shell reads it.
std::string quoted(const std::string& path) {
  std::string result = "'";
  for (const char c : path) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string with(std::string text, const std::string& part, const std::string& value) {
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += value.size())
    text.replace(at, part.size(), value);
  return text;
}

}  // namespace

onnxrun::Results run_trial(const Trial& trial, const onnxrun::Options& options) {
  return onnxrun::Session(trial.model, options).run(trial.inputs);
}

std::string difference(const onnxrun::Results& actual, const onnxrun::Results& expected, const Tolerance& tolerance) {
  for (const auto& [name, value] : expected)
    if (const std::string what = difference(actual.value(name), value, tolerance); !what.empty())
      return "output '" + name + "': " + what;
  return {};
}

Symptom differs(const onnxrun::Options& plain, const onnxrun::Options& optimised, Tolerance tolerance) {
  return [&plain, &optimised, tolerance](const Trial& trial) -> std::string {
    std::optional<onnxrun::Results> expected;
    try {
      expected = run_trial(trial, plain);
    } catch (const onnxrun::Error&) {
      return {};
    }
    try {
      return difference(run_trial(trial, optimised), *expected, tolerance);
    } catch (const onnxrun::Error& error) {
      return std::string("the optimised model fails: ") + error.what();
    }
  };
}

Symptom fails(const onnxrun::Options& options, std::string part) {
  return [&options, part = std::move(part)](const Trial& trial) -> std::string {
    try {
      run_trial(trial, options);
    } catch (const onnxrun::Error& error) {
      if (std::string_view(error.what()).find(part) != std::string_view::npos) return error.what();
    }
    return {};
  };
}

Symptom satisfies(std::string command) {
  return [command = std::move(command)](const Trial& trial) -> std::string {
    const TemporaryFolder folder;
    write_trial(folder.path(), trial, nullptr);
    const std::string dir = quoted(folder.path().string());
    const std::string model = quoted((folder.path() / "model.onnx").string());
    return std::system(with(with(command, "{dir}", dir), "{}", model).c_str()) == 0 ? "the command succeeds" : "";
  };
}

void write_trial(const fs::path& folder, const Trial& trial, const onnxrun::Results* expected) {
  const fs::path set = folder / "test_data_set_0";
  std::error_code error;
  fs::create_directories(set, error);
  if (error) throw Failure("'" + set.string() + "' cannot be made: " + error.message(), kRun);
  in_phase(kRun, [&] {
    const auto write = [&](const std::string& stem, const std::string& name, const onnxrun::Value& value) {
      if (value.kind() == ONNXRUN_KIND_TENSOR) write_file(set / (stem + ".pb"), onnxrun::Tensor(value).to_proto(name));
    };
    size_t k = 0;
    for (const onnxrun::Port& port : trial.model.inputs()) {
      if (port.has_default) continue;
      for (const auto& [name, value] : trial.inputs)
        if (name == port.name) write("input_" + std::to_string(k), name, value);
      ++k;
    }
    k = 0;
    if (expected)
      for (const auto& [name, value] : *expected) write("output_" + std::to_string(k++), name, value);
    trial.model.save((folder / "model.onnx").string());
  });
}

std::map<std::string, onnxrun::Tensor> record(const Trial& trial, const onnxrun::Options& plain) {
  std::set<std::string> own;
  const auto report = nlohmann::json::parse(trial.model.inspect(ONNXRUN_INSPECT_SHAPES, plain));
  for (const auto& value : report["values"])
    if (!value.contains("graph")) own.insert(value["name"].get<std::string>());
  std::map<std::string, onnxrun::Tensor> values;
  onnxrun::RunOptions run;
  run.tap = [&](std::string_view name, const onnxrun::Value& value) {
    const std::string key(name);
    if (own.contains(key) && value.kind() == ONNXRUN_KIND_TENSOR) values.insert_or_assign(key, onnxrun::Tensor(value));
  };
  try {
    onnxrun::Session(trial.model, plain).run(trial.inputs, run);
  } catch (const onnxrun::Error&) {
    // Up to here.
  }
  return values;
}

}  // namespace cli
