// onnx-run debug dump-tensors: every intermediate value of a run, in files.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "debug.h"
#include "dtype_names.h"
#include "files.h"
#include "npy.h"
#include "numbers.h"
#include "outcome.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

// What can be said of the numbers of a tensor.
nlohmann::ordered_json statistics(const onnxrun::Tensor& tensor) {
  nlohmann::ordered_json result = nlohmann::ordered_json::object();
  if (tensor.dtype() == ONNXRUN_DTYPE_STRING || tensor.dtype() == ONNXRUN_DTYPE_COMPLEX64 ||
      tensor.dtype() == ONNXRUN_DTYPE_COMPLEX128)
    return result;
  double low = INFINITY, high = -INFINITY, sum = 0;
  int64_t nans = 0, infinities = 0, finite = 0;
  each_double(tensor, [&](double number) {
    nans += std::isnan(number);
    infinities += std::isinf(number);
    if (!std::isfinite(number)) return;
    ++finite;
    low = std::min(low, number);
    high = std::max(high, number);
    sum += number;
  });
  if (finite != 0) result = {{"min", low}, {"max", high}, {"mean", sum / static_cast<double>(finite)}};
  if (is_float(tensor.dtype())) {
    result["nans"] = nans;
    result["infinities"] = infinities;
  }
  return result;
}

class Dump {
 public:
  explicit Dump(fs::path folder) : folder_(std::move(folder)) {
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) throw Failure("'" + folder_.string() + "' cannot be made: " + error.message(), kRun);
  }

  void add(const std::string& name, const onnxrun::Value& value) {
    nlohmann::ordered_json entry{{"name", name}, {"value", value.describe()}};
    const int64_t time = seen_[name]++;
    if (time != 0) entry["time"] = time;
    if (value.kind() == ONNXRUN_KIND_TENSOR) {
      const onnxrun::Tensor tensor(value);
      const std::string file = fresh(time == 0 ? name : name + "." + std::to_string(time)) + ".npy";
      write_file(folder_ / file, write_npy(tensor));
      entry["file"] = file;
      entry.update(statistics(tensor));
    }
    index_.push_back(std::move(entry));
  }

  size_t finish() {
    write_file(folder_ / "index.json", nlohmann::ordered_json{{"version", 1}, {"values", index_}}.dump(1));
    return index_.size();
  }

 private:
  std::string fresh(const std::string& name) {
    const std::string stem = file_name_of(name);
    std::string file = stem;
    if (files_.insert(file).second) return file;
    int64_t& number = numbers_.try_emplace(stem, 1).first->second;
    do file = stem + "_" + std::to_string(++number);
    while (!files_.insert(file).second);
    return file;
  }

  fs::path folder_;
  nlohmann::ordered_json index_ = nlohmann::ordered_json::array();
  std::map<std::string, int64_t> seen_;
  std::set<std::string> files_;
  std::map<std::string, int64_t> numbers_;  // by name of a file that several values have: the last that was added to it
};

}  // namespace

int dump_tensors(const DebugFlags& flags) {
  const onnxrun::Options options = flags.options("0");
  const Trial trial = flags.trial(options);
  Dump dump(flags.output);
  onnxrun::RunOptions run;
  run.taps = flags.tensors;
  run.tap = [&](std::string_view name, const onnxrun::Value& value) { dump.add(std::string(name), value); };
  std::optional<Failure> failure;
  try {
    const onnxrun::Session session = in_phase(kModel, [&] { return onnxrun::Session(trial.model, options); });
    in_phase(kRun, [&] { return session.run(trial.inputs, run); });
  } catch (const Failure& error) {
    failure = error;
  }
  std::cout << dump.finish() << " values in " << flags.output << ", listed in index.json\n";
  if (failure) throw *failure;
  return kOk;
}

}  // namespace cli
