// The reports on what a session has done: as JSON, and in Prometheus' text format.
#include <cmath>
#include <string>

#include "api/functions.h"
#include "api/json.h"
#include "api/status.h"

namespace onnxrun::api {
namespace {

constexpr const char* kLevels[] = {"off", "runs", "tensors"};
constexpr const char* kCodes[] = {"ok",         "invalid_argument", "invalid_model", "unsupported",
                                  "run_failed", "limit_exceeded",   "cancelled",     "deadline",
                                  "io",         "internal"};

const char* name_of(Code code) {
  const auto index = static_cast<size_t>(code);
  return index < std::size(kCodes) ? kCodes[index] : "unknown";
}

double seconds(int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

Json latency_json(const LatencyCounts& counts) {
  Json buckets = Json::array();
  for (size_t i = 0; i < kLatencyBuckets; ++i) {
    if (counts.buckets[i] == 0) continue;
    const Json bound = i + 1 < kLatencyBuckets ? Json(seconds(bucket_end(i))) : Json(nullptr);
    buckets.push_back({bound, counts.buckets[i]});
  }
  const double runs = counts.count == 0 ? 1 : static_cast<double>(counts.count);
  return {{"count", counts.count},         {"mean", seconds(counts.sum_ns) / runs}, {"min", seconds(counts.min_ns)},
          {"max", seconds(counts.max_ns)}, {"p50", counts.quantile(0.5)},           {"p90", counts.quantile(0.9)},
          {"p99", counts.quantile(0.99)},  {"buckets", std::move(buckets)}};
}

Json tensors_json(const Statistics& statistics) {
  Json list = Json::array();
  for (const Statistics::Watched& watched : statistics.watched()) {
    const TensorSummary::Snapshot seen = watched.summary.snapshot();
    const Moments& moments = seen.moments;
    list.push_back({{"name", watched.name},
                    {"kind", watched.kind},
                    {"runs", seen.runs},
                    {"elements", moments.elements},
                    {"nan", moments.nan},
                    {"infinite", moments.infinite},
                    {"min", moments.min},
                    {"max", moments.max},
                    {"mean", moments.mean},
                    {"deviation", moments.deviation()},
                    {"sample", seen.sample}});
  }
  return list;
}

// Lines of the text format; labels of the session go into every one.
class Exposition {
 public:
  explicit Exposition(const char* session) {
    if (session) common_ = label("session", session);
  }

  void family(const char* name, const char* type, const char* help) {
    text_ += std::string("# HELP ") + name + ' ' + help + "\n# TYPE " + name + ' ' + type + '\n';
  }
  void line(const std::string& name, const std::string& labels, double value) {
    const std::string all = common_ + (common_.empty() || labels.empty() ? "" : ",") + labels;
    text_ += name + (all.empty() ? "" : '{' + all + '}') + ' ' + number(value) + '\n';
  }
  static std::string label(const std::string& name, const std::string& value) {
    std::string text = name + "=\"";
    for (const char c : value) {
      if (c == '\n') text += "\\n";
      else if (c == '"' || c == '\\') (text += '\\') += c;
      else text += c;
    }
    return text + '"';
  }
  static std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string common_, text_;
};

void write_latency(const LatencyCounts& counts, Exposition& out) {
  out.family("onnxrun_run_errors_total", "counter", "Runs that failed, by the code of their error.");
  for (size_t i = 1; i < std::size(kCodes); ++i) {
    const auto found = counts.errors.find(static_cast<Code>(i));
    out.line("onnxrun_run_errors_total", Exposition::label("code", kCodes[i]),
             found == counts.errors.end() ? 0 : static_cast<double>(found->second));
  }
  out.family("onnxrun_run_seconds", "histogram", "Time of successful runs, waiting for a stream included.");
  int64_t below = 0;
  for (size_t i = 0; i < kLatencyBuckets; ++i) {
    below += counts.buckets[i];
    const bool last = i + 1 == kLatencyBuckets;
    if (i % 2 != 0 && !last) continue;  // powers of two are enough
    out.line("onnxrun_run_seconds_bucket",
             Exposition::label("le", last ? "+Inf" : Exposition::number(seconds(bucket_end(i)))),
             static_cast<double>(below));
  }
  out.line("onnxrun_run_seconds_sum", "", seconds(counts.sum_ns));
  out.line("onnxrun_run_seconds_count", "", static_cast<double>(counts.count));
}

void write_tensors(const Statistics& statistics, Exposition& out) {
  struct Series {
    const char* name;
    const char* type;
    const char* help;
    double (*read)(const TensorSummary::Snapshot&);
  };
  constexpr Series kSeries[] = {
      {"onnxrun_tensor_elements_total", "counter", "Elements looked at.",
       [](const auto& seen) { return static_cast<double>(seen.moments.elements); }},
      {"onnxrun_tensor_nan_total", "counter", "Elements that were NaN.",
       [](const auto& seen) { return static_cast<double>(seen.moments.nan); }},
      {"onnxrun_tensor_infinite_total", "counter", "Elements that were infinite.",
       [](const auto& seen) { return static_cast<double>(seen.moments.infinite); }},
      {"onnxrun_tensor_min", "gauge", "Smallest element so far.", [](const auto& seen) { return seen.moments.min; }},
      {"onnxrun_tensor_max", "gauge", "Largest element so far.", [](const auto& seen) { return seen.moments.max; }},
      {"onnxrun_tensor_mean", "gauge", "Mean of the finite elements so far.",
       [](const auto& seen) { return seen.moments.mean; }},
      {"onnxrun_tensor_deviation", "gauge", "Standard deviation of the finite elements so far.",
       [](const auto& seen) { return seen.moments.deviation(); }},
  };
  std::vector<TensorSummary::Snapshot> seen;
  for (const Statistics::Watched& watched : statistics.watched()) seen.push_back(watched.summary.snapshot());
  for (const Series& series : kSeries) {
    out.family(series.name, series.type, series.help);
    for (size_t i = 0; i < seen.size(); ++i) {
      const Statistics::Watched& watched = statistics.watched()[i];
      out.line(series.name, Exposition::label("tensor", watched.name) + ',' + Exposition::label("kind", watched.kind),
               series.read(seen[i]));
    }
  }
}

}  // namespace

onnxrun_status* session_stats(const onnxrun_session* session, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    const Session& inner = *need(session, "session").session;
    const Statistics* const statistics = inner.statistics.get();
    const auto level = statistics ? statistics->options().level : StatisticsLevel::kOff;
    Json report{{"version", 1}, {"statistics", kLevels[static_cast<size_t>(level)]}};
    if (statistics) {
      const LatencyCounts counts = statistics->latency().counts();
      Json errors = Json::object();
      int64_t failed = 0;
      for (const auto& [code, count] : counts.errors) {
        errors[name_of(code)] = count;
        failed += count;
      }
      report["runs"] = counts.count + failed;
      report["errors"] = std::move(errors);
      report["latency"] = latency_json(counts);
      if (level == StatisticsLevel::kTensors) report["tensors"] = tensors_json(*statistics);
    }
    report["memory"] = memory_json(inner.session);
    *out = make_blob(report);
  });
}

onnxrun_status* session_prometheus(const onnxrun_session* session, const char* name, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    const Session& inner = *need(session, "session").session;
    Exposition text(name);
    if (const Statistics* const statistics = inner.statistics.get()) {
      const LatencyCounts counts = statistics->latency().counts();
      int64_t runs = counts.count;
      for (const auto& [code, count] : counts.errors) runs += count;
      text.family("onnxrun_runs_total", "counter", "Runs, failed ones included.");
      text.line("onnxrun_runs_total", "", static_cast<double>(runs));
      write_latency(counts, text);
      if (statistics->options().level == StatisticsLevel::kTensors) write_tensors(*statistics, text);
    }
    text.family("onnxrun_memory_bytes", "gauge", "Bytes held, by what for.");
    const Json memory = memory_json(inner.session);
    for (const auto& [what, bytes] : memory.items())
      text.line("onnxrun_memory_bytes", Exposition::label("kind", what), bytes.get<double>());
    *out = new onnxrun_blob{text.take()};
  });
}

}  // namespace onnxrun::api
