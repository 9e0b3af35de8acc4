// Finding and running test cases.
#include "case.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "files.h"
#include "npy.h"
#include "outcome.h"
#include "proto_values.h"
#include "room.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using onnxrun::Value;

constexpr const char* kModelFile = "model.onnx";
constexpr std::string_view kSet = "test_data_set_";

std::vector<fs::path> data_sets(const fs::path& folder) {
  std::vector<fs::path> sets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (entry.is_directory(error) && entry.path().filename().string().starts_with(kSet)) sets.push_back(entry.path());
  std::sort(sets.begin(), sets.end());
  return sets;
}

bool is_case(const fs::path& folder) {
  std::error_code error;
  return fs::is_regular_file(folder / kModelFile, error) && !data_sets(folder).empty();
}

Case make_case(const fs::path& folder) {
  fs::path absolute = fs::absolute(folder).lexically_normal();
  if (!absolute.has_filename()) absolute = absolute.parent_path();
  return {(absolute.parent_path().filename() / absolute.filename()).string(), folder};
}

std::optional<Value> load(const fs::path& set, const std::string& stem, onnxrun_kind kind, Room& room) {
  std::error_code error;
  const fs::path pb = set / (stem + ".pb"), npy = set / (stem + ".npy");
  if (fs::exists(pb, error)) {
    Value value = read_proto(read_file(pb), kind, pb.string(), room);
    room.take(bytes_of(value), pb.string());
    return value;
  }
  if (fs::exists(npy, error)) return read_npy(read_file(npy), npy.string(), room);
  return std::nullopt;
}

Tolerance read_tolerance(const fs::path& folder) {
  Tolerance tolerance;
  const fs::path file = folder / "data.json";
  std::error_code error;
  if (!fs::exists(file, error)) return tolerance;
  const auto json = nlohmann::json::parse(read_file(file), nullptr, false);
  if (!json.is_object()) throw Failure(file.string() + " holds no JSON object");
  for (const auto& [key, field] : {std::pair{"rtol", &tolerance.rtol}, std::pair{"atol", &tolerance.atol}}) {
    if (!json.contains(key)) continue;
    if (!json[key].is_number()) throw Failure(file.string() + ": " + key + " is no number");
    *field = json[key].get<double>();
    tolerance.given = tolerance.given || field == &tolerance.rtol;
  }
  return tolerance;
}

// What is wrong with the numbers of a set's files `kind`_K, of which there should be `count`; "" when nothing is.
std::string count_problem(const fs::path& set, const std::string& kind, size_t count) {
  size_t found = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(set, error)) {
    const std::string name = entry.path().filename().string();
    found += name.starts_with(kind + "_") && (name.ends_with(".pb") || name.ends_with(".npy")) ? 1 : 0;
  }
  if (found == count) return {};
  return "the folder has " + std::to_string(found) + " files " + kind + "_K, the model " + std::to_string(count) + " " +
         kind + "s";
}

std::string run_set(const onnxrun::Session& session, const fs::path& set, const Tolerance& tolerance) {
  Room room = Room::of(session);
  onnxrun::NamedValues inputs;
  size_t k = 0;
  for (const onnxrun::Port& port : session.inputs()) {
    if (port.has_default) continue;
    if (auto value = load(set, "input_" + std::to_string(k++), port.kind, room))
      inputs.emplace_back(port.name, std::move(*value));
  }
  const auto ports = session.outputs();
  for (const auto& [kind, count] : {std::pair{"input", k}, std::pair{"output", ports.size()}})
    if (const std::string what = count_problem(set, kind, count); !what.empty()) return what;
  const onnxrun::Results results = session.run(inputs);
  size_t index = 0;
  for (const auto& [name, actual] : results) {
    const std::string stem = "output_" + std::to_string(index);
    const auto expected = load(set, stem, ports[index].kind, room);
    if (!expected) return "there is no " + stem + ".pb or .npy for output '" + name + "'";
    ++index;
    if (const std::string what = difference(actual, *expected, tolerance); !what.empty())
      return "output '" + name + "': " + what;
  }
  return {};
}

}  // namespace

std::vector<Case> find_cases(const fs::path& path) {
  std::vector<Case> cases;
  std::error_code error;
  if (!fs::is_directory(path, error)) throw Failure("'" + path.string() + "' is no folder");
  if (is_case(path)) cases.push_back(make_case(path));
  auto walk = fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, error);
  for (const auto& entry : walk)
    if (entry.is_directory(error) && is_case(entry.path())) cases.push_back(make_case(entry.path()));
  if (cases.empty()) throw Failure("'" + path.string() + "' holds no folder with model.onnx and test_data_set_*");
  std::sort(cases.begin(), cases.end(), [](const Case& a, const Case& b) { return a.folder < b.folder; });
  return cases;
}

std::string run_case(const Case& test, const onnxrun::Options& options) {
  const Tolerance tolerance = read_tolerance(test.folder);
  const onnxrun::Session session((test.folder / kModelFile).string(), options);
  for (const fs::path& set : data_sets(test.folder))
    if (const std::string what = run_set(session, set, tolerance); !what.empty())
      return set.filename().string() + ": " + what;
  return {};
}

}  // namespace cli
