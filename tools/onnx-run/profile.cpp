// Summing up profile events.
#include "profile.h"

#include <algorithm>
#include <iomanip>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "amounts.h"

namespace cli {

void print_profile(std::ostream& out, const std::string& json) {
  struct Sum {
    int64_t ns = 0;
    int64_t count = 0;
  };
  std::map<std::string, Sum> sums;
  const auto parsed = nlohmann::json::parse(json);
  for (const auto& event : parsed["events"]) {
    Sum& sum = sums[event["op"].get<std::string>() + "  " + event["provider"].get<std::string>() + "/" +
                    event["kernel"].get<std::string>()];
    sum.ns += event["end_ns"].get<int64_t>() - event["begin_ns"].get<int64_t>();
    ++sum.count;
  }
  std::vector<std::pair<std::string, Sum>> rows(sums.begin(), sums.end());
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.second.ns > b.second.ns; });
  out << "steps of the last run, by operator:\n" << std::fixed << std::setprecision(3);
  for (const auto& [name, sum] : rows)
    out << std::setw(12) << static_cast<double>(sum.ns) / 1e6 << " ms  " << std::setw(6) << sum.count << " x  " << name
        << '\n';
  out << std::defaultfloat << std::setprecision(6);
}

void print_memory(std::ostream& out, const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json);
  out << "memory  " << bytes(parsed["packed"]) << " of packed weights, " << bytes(parsed["blocks"])
      << " of activations, at most " << bytes(parsed["peak"]) << " at once; limit " << bytes(parsed["limit"]) << '\n';
}

}  // namespace cli
