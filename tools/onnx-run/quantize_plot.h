// A picture of the table of modes.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cli {

// SVG: error of the outputs (logarithmic) against speed, a circle's area the file's size. Takes what quantization_table gives.
std::string plot_of(const nlohmann::ordered_json& table);

}  // namespace cli
