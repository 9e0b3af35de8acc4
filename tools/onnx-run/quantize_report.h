// What quantisation did and cost, for people; and the table of what every mode would.
#pragma once

#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

#include "calibration.h"

namespace cli {

// Bytes of all files together.
uint64_t size_of(const std::vector<std::string>& files);

// What loading and running take before and after: {"before":{"bytes","load_ms","p50_ms","peak_memory"},"after":{...},"speedup"}, or {"why_not"}
// where one cannot be run.
nlohmann::ordered_json measured_change(const onnxrun::Model& before, const onnxrun::Model& after,
                                       const Calibration* calibration, const onnxrun::Options& options);

void print_report(std::ostream& out, const nlohmann::ordered_json& report);

// Tries float32 and every mode that the samples (null: none) allow: {"version","rows":[{"name","bytes","load_ms","p50_ms","peak_memory","error",...}]}.
nlohmann::ordered_json quantization_table(const onnxrun::Model& source, const onnxrun::Quantization::Settings& settings,
                                          const Calibration* calibration, const onnxrun::Options& options);
void print_table(std::ostream& out, const nlohmann::ordered_json& table);

}  // namespace cli
