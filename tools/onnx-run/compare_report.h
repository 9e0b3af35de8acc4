// What a comparison of models found, for people and as JSON.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "parting.h"

namespace cli {

// One side at one batch size.
struct Row {
  std::optional<int64_t> batch;
  std::string side, error;
  std::vector<ComparedOutput> outputs;
  std::vector<std::string> left_out;  // outputs of the side with which nothing was compared
  std::optional<double> reference_ms, ms;
  bool agrees() const {
    return error.empty() &&
           std::all_of(outputs.begin(), outputs.end(), [](const auto& output) { return output.agreement.agrees; });
  }
  std::vector<Agreement> all() const {
    std::vector<Agreement> result;
    for (const ComparedOutput& output : outputs) result.push_back(output.agreement);
    return result;
  }
};

struct Comparison {
  std::string reference;
  std::vector<Row> rows;
  std::optional<SharedValue> first;
  std::string parting;  // in words
  std::vector<std::string> causes;
  std::vector<SharedValue> tensors;  // --all-tensors
  std::string tensors_of;

  bool agrees() const {
    return std::all_of(rows.begin(), rows.end(), [](const Row& row) { return row.agrees(); });
  }
};

nlohmann::ordered_json to_json(const Comparison& found);
void print_comparison(std::ostream& out, const Comparison& found);

}  // namespace cli
