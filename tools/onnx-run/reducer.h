// Shrinking a model that shows something, as long as it shows it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "trial.h"

namespace cli {

// Cuts a model down: to one output, at the end, at the beginning, then node by node. Where a part goes whose results the rest reads, these become inputs with
// the values that they have in an unoptimised run.
class Reducer {
 public:
  // `symptom` must outlive the reducer; at most `max_tests` models are tried. `progress` is told the number of nodes after each step.
  Reducer(const Symptom& symptom, int64_t max_tests, std::function<void(const std::string&)> progress)
      : symptom_(symptom), max_tests_(max_tests), progress_(std::move(progress)) {}

  // `known`: values of the main graph's nodes for these inputs.
  Trial reduce(Trial start, const std::map<std::string, onnxrun::Tensor>& known);

  int64_t tests() const { return tests_; }
  // What the smallest model shows.
  const std::string& shown() const { return shown_; }

 private:
  using Change = std::function<void(onnxrun::Editor&)>;

  // Changes the model where it then still shows the symptom; whether it does.
  bool attempt(const Change& change);
  void one_output();
  void cut_end();
  void cut_beginning();
  bool drop_nodes();
  void say(const char* what);

  const Symptom& symptom_;
  int64_t max_tests_, tests_ = 0;
  std::function<void(const std::string&)> progress_;
  const std::map<std::string, onnxrun::Tensor>* known_ = nullptr;
  std::optional<Trial> best_;
  std::string shown_;
};

}  // namespace cli
