// The report on a model, for people.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

namespace cli {

using Report = nlohmann::ordered_json;

void print_summary(std::ostream& out, const Report& report);
void print_values(std::ostream& out, const Report& report);
void print_weights(std::ostream& out, const Report& report);
void print_steps(std::ostream& out, const Report& report);
// The graphs that --print-after asks for.
void print_graphs(std::ostream& out, const Report& report);
void print_passes(std::ostream& out, const Report& report);

}  // namespace cli
