// Summing up profile events.
#include "steps.h"

#include <algorithm>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "amounts.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

// Of so much in so many microseconds; empty for nothing.
std::string rate(double amount, double us, const char* unit) {
  std::ostringstream text;
  if (amount > 0 && us > 0) text << std::fixed << std::setprecision(1) << amount / us / 1e3 << " G" << unit << "/s";
  return text.str();
}

// The largest first.
std::vector<StepSums::Sum> sorted(const std::map<std::string, StepSums::Sum>& sums) {
  std::vector<StepSums::Sum> rows;
  for (const auto& [key, sum] : sums) rows.push_back(sum);
  std::stable_sort(rows.begin(), rows.end(),
                   [](const StepSums::Sum& a, const StepSums::Sum& b) { return a.us > b.us; });
  return rows;
}

void add_to(StepSums::Sum& sum, const Event& event) {
  ++sum.count;
  sum.us += event.own_us;
  sum.bytes += event.bytes;
  sum.operations += event.operations.value_or(0);
  sum.counts &= event.operations.has_value();
}

std::string name_of(const Event& event) {
  std::string text = event.node;
  text.append("  ").append(event.op).append("  ").append(event.kernel);
  if (event.origin.size() > 1) {
    text += "  made of";
    for (size_t i = 0; i < std::min<size_t>(event.origin.size(), 4); ++i)
      text.append(i == 0 ? " " : ", ").append(event.origin[i]);
    if (event.origin.size() > 4) text += ", ...";
  }
  return text;
}

void print(std::ostream& out, const std::vector<StepSums::Sum>& rows, int runs, size_t most) {
  double all = 0;
  for (const StepSums::Sum& row : rows) all += row.us;
  out << std::fixed;
  for (size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const StepSums::Sum& row = rows[i];
    const double times = static_cast<double>(row.count) / runs;
    out << std::setprecision(4) << std::setw(11) << row.us / 1e3 / runs << " ms" << std::setprecision(1) << std::setw(6)
        << (all > 0 ? 100 * row.us / all : 0) << " %" << std::setprecision(row.count % runs == 0 ? 0 : 1)
        << std::setw(7) << times << " x" << std::setw(15) << rate(row.counts ? row.operations : 0, row.us, "FLOP")
        << std::setw(12) << rate(row.bytes, row.us, "B") << "  " << row.name << '\n';
  }
  if (rows.size() > most) out << "  and " << rows.size() - most << " more\n";
  out << std::defaultfloat << std::setprecision(6);
}

Event event_of(const Json& json, std::vector<double>& within) {
  Event event;
  event.node = json["node"];
  event.op = json["op"];
  event.kernel = json["provider"].get<std::string>() + "/" + json["kernel"].get<std::string>();
  event.origin = json["origin"].get<std::vector<std::string>>();
  event.begin_us = json["begin_ns"].get<double>() / 1e3;
  event.us = json["end_ns"].get<double>() / 1e3 - event.begin_us;
  event.depth = json["depth"];
  if (!json["operations"].is_null()) event.operations = json["operations"].get<double>();
  event.bytes = json["bytes"];
  event.live_bytes = json["live_bytes"];
  const auto depth = static_cast<size_t>(std::max(event.depth, 0));
  if (within.size() < depth + 2) within.resize(depth + 2);
  event.own_us = event.us - within[depth + 1];
  within[depth + 1] = 0;
  within[depth] += event.us;
  return event;
}

}  // namespace

Profile events_of(const std::string& text) {
  Profile profile;
  std::vector<double> within;  // by depth: time of steps whose parent has not ended
  // Each event is taken as it is read and kept as no JSON.
  const auto take = [&](int depth, Json::parse_event_t kind, Json& json) {
    if (depth != 2 || kind != Json::parse_event_t::object_end) return true;
    profile.events.push_back(event_of(json, within));
    return false;
  };
  const Json rest = Json::parse(text, take);
  profile.left_out = rest.value("left_out", int64_t{0});
  return profile;
}

void StepSums::add(const Event& event) {
  const std::string kernel = event.op + "  " + event.kernel;
  const auto [of_kernel, first_of_kernel] = operators_.try_emplace(kernel);
  if (first_of_kernel) of_kernel->second.name = kernel;
  add_to(of_kernel->second, event);
  const auto [of_node, first_of_node] = nodes_.try_emplace(event.node + '\n' + event.op);
  if (first_of_node) of_node->second.name = name_of(event);
  add_to(of_node->second, event);
}

void StepSums::print_by_operator(std::ostream& out, int runs) const { print(out, sorted(operators_), runs, SIZE_MAX); }

void StepSums::print_by_node(std::ostream& out, int runs, size_t most) const { print(out, sorted(nodes_), runs, most); }

std::string chrome_trace(const std::vector<Event>& events) {
  const auto text = [](const Json& json) { return json.dump(-1, ' ', true, Json::error_handler_t::replace); };
  std::string out = R"({"displayTimeUnit":"ms","traceEvents":[)";
  for (const Event& event : events) {
    if (out.back() == '}') out += ',';
    out += text({{"name", event.op},
                 {"cat", event.kernel},
                 {"ph", "X"},
                 {"ts", event.begin_us},
                 {"dur", event.us},
                 {"pid", 1},
                 {"tid", 1},
                 {"args", {{"node", event.node}, {"kernel", event.kernel}, {"origin", event.origin}}}});
    out += ',' + text({{"name", "memory of values"},
                       {"ph", "C"},
                       {"ts", event.begin_us + event.us},
                       {"pid", 1},
                       {"args", {{"bytes", event.live_bytes}}}});
  }
  return out + "]}";
}

void print_left_out(std::ostream& out, const Profile& profile) {
  if (profile.left_out == 0) return;
  out << "only the first " << profile.events.size() << " steps of a run are listed, " << profile.left_out
      << " are left out\n";
}

void print_memory(std::ostream& out, const std::string& json) {
  const Json parsed = Json::parse(json);
  out << "memory  " << bytes(parsed["packed"]) << " of packed weights, " << bytes(parsed["blocks"])
      << " of activations, at most " << bytes(parsed["peak"]) << " at once; limit " << bytes(parsed["limit"]) << '\n';
}

}  // namespace cli
