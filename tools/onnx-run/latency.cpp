// Percentiles and lists of times.
#include "latency.h"

#include <algorithm>
#include <cmath>
#include <sstream>

namespace cli {

nlohmann::ordered_json summary(const std::vector<Latency>& latencies, const std::vector<double>& percentiles) {
  std::vector<double> sorted;
  double sum = 0;
  for (const Latency& latency : latencies) {
    sorted.push_back(latency.ms);
    sum += latency.ms;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  nlohmann::ordered_json result = {{"min", sorted.front()}, {"mean", sum / count}};
  for (const double percentile : percentiles) {
    std::ostringstream name;
    name << 'p' << percentile;
    const auto rank = static_cast<size_t>(std::max(std::ceil(percentile / 100 * count), 1.0));
    result[name.str()] = sorted[std::min(rank, sorted.size()) - 1];
  }
  result["max"] = sorted.back();
  return result;
}

std::string csv(const std::vector<Latency>& latencies) {
  std::ostringstream text;
  text.precision(9);
  text << "begin_ms,latency_ms,caller\n";
  for (const Latency& latency : latencies)
    text << latency.begin_ms << ',' << latency.ms << ',' << latency.caller << '\n';
  return text.str();
}

}  // namespace cli
