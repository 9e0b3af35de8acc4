// The report on a model, for people.
#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

namespace cli {

using Report = nlohmann::json;  // finds members of an object by an index

void print_summary(std::ostream& out, const Report& report);
void print_values(std::ostream& out, const Report& report);
void print_weights(std::ostream& out, const Report& report);
void print_steps(std::ostream& out, const Report& report);
// What each pass that changed a graph took out of its text and put in; `text` is the graph before all.
void print_changes(std::ostream& out, const Report& report, const std::string& text);
// The graphs that --print-after asks for.
void print_graphs(std::ostream& out, const Report& report);
void print_passes(std::ostream& out, const Report& report);

}  // namespace cli
