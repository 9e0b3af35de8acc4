// Summing up profile events.
#include "steps.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "amounts.h"

namespace cli {
namespace {

struct Sum {
  std::string name;
  double us = 0;
  int64_t count = 0;
  double operations = 0, bytes = 0;
  bool counts = true;  // the operations of all are known
};

// Of so much in so many microseconds; empty for nothing.
std::string rate(double amount, double us, const char* unit) {
  std::ostringstream text;
  if (amount > 0 && us > 0) text << std::fixed << std::setprecision(1) << amount / us / 1e3 << " G" << unit << "/s";
  return text.str();
}

template <class Key, class Name>
std::vector<Sum> sums(const std::vector<Event>& events, Key&& key_of, Name&& name_of) {
  std::map<std::string, Sum> by_key;
  for (const Event& event : events) {
    Sum& sum = by_key[key_of(event)];
    if (sum.count++ == 0) sum.name = name_of(event);
    sum.us += event.own_us;
    sum.bytes += event.bytes;
    sum.operations += event.operations.value_or(0);
    sum.counts &= event.operations.has_value();
  }
  std::vector<Sum> rows;
  for (auto& [key, sum] : by_key) rows.push_back(std::move(sum));
  std::stable_sort(rows.begin(), rows.end(), [](const Sum& a, const Sum& b) { return a.us > b.us; });
  return rows;
}

void print(std::ostream& out, const std::vector<Sum>& rows, int runs, size_t most) {
  double all = 0;
  for (const Sum& row : rows) all += row.us;
  out << std::fixed;
  for (size_t i = 0; i < std::min(most, rows.size()); ++i) {
    const Sum& row = rows[i];
    const double times = static_cast<double>(row.count) / runs;
    out << std::setprecision(4) << std::setw(11) << row.us / 1e3 / runs << " ms" << std::setprecision(1) << std::setw(6)
        << (all > 0 ? 100 * row.us / all : 0) << " %" << std::setprecision(row.count % runs == 0 ? 0 : 1)
        << std::setw(7) << times << " x" << std::setw(15) << rate(row.counts ? row.operations : 0, row.us, "FLOP")
        << std::setw(12) << rate(row.bytes, row.us, "B") << "  " << row.name << '\n';
  }
  if (rows.size() > most) out << "  and " << rows.size() - most << " more\n";
  out << std::defaultfloat << std::setprecision(6);
}

}  // namespace

std::vector<Event> events_of(const std::string& profile) {
  std::vector<Event> events;
  std::vector<double> within;  // by depth: time of steps whose parent has not ended
  const auto parsed = nlohmann::json::parse(profile);
  for (const auto& json : parsed["events"]) {
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
    events.push_back(std::move(event));
  }
  return events;
}

void print_by_operator(std::ostream& out, const std::vector<Event>& events, int runs) {
  const auto name = [](const Event& event) { return event.op + "  " + event.kernel; };
  print(out, sums(events, name, name), runs, SIZE_MAX);
}

void print_by_node(std::ostream& out, const std::vector<Event>& events, int runs, size_t most) {
  const auto key = [](const Event& event) { return event.node + '\n' + event.op; };
  const auto name = [](const Event& event) {
    std::string text = event.node;
    text.append("  ").append(event.op).append("  ").append(event.kernel);
    if (event.origin.size() > 1) {
      text += "  made of";
      for (size_t i = 0; i < std::min<size_t>(event.origin.size(), 4); ++i)
        text.append(i == 0 ? " " : ", ").append(event.origin[i]);
      if (event.origin.size() > 4) text += ", ...";
    }
    return text;
  };
  print(out, sums(events, key, name), runs, most);
}

std::string chrome_trace(const std::vector<Event>& events) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Event& event : events) {
    list.push_back({{"name", event.op},
                    {"cat", event.kernel},
                    {"ph", "X"},
                    {"ts", event.begin_us},
                    {"dur", event.us},
                    {"pid", 1},
                    {"tid", 1},
                    {"args", {{"node", event.node}, {"kernel", event.kernel}, {"origin", event.origin}}}});
    list.push_back({{"name", "memory of values"},
                    {"ph", "C"},
                    {"ts", event.begin_us + event.us},
                    {"pid", 1},
                    {"args", {{"bytes", event.live_bytes}}}});
  }
  using Json = nlohmann::ordered_json;
  return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(list)}}.dump(-1, ' ', true,
                                                                                Json::error_handler_t::replace);
}

void print_memory(std::ostream& out, const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json);
  out << "memory  " << bytes(parsed["packed"]) << " of packed weights, " << bytes(parsed["blocks"])
      << " of activations, at most " << bytes(parsed["peak"]) << " at once; limit " << bytes(parsed["limit"]) << '\n';
}

}  // namespace cli
