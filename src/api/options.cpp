// Option functions of the C interface: text keys into typed settings.
#include <charconv>
#include <functional>
#include <string_view>
#include <utility>

#include "api/functions.h"
#include "api/handles.h"
#include "api/provider_library.h"
#include "api/shared_library.h"
#include "api/status.h"
#include "base/checked.h"

namespace onnxrun::api {
namespace {

int64_t parse_integer(std::string_view key, std::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high)
    fail(Code::kInvalidArgument, "option {}: '{}' is no number from {} to {}", key, text, low, high);
  return value;
}

bool parse_flag(std::string_view key, std::string_view text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  fail(Code::kInvalidArgument, "option {}: '{}' is neither 0 nor 1", key, text);
}

// A number of bytes, with K, M, G or T for powers of 1024.
int64_t parse_bytes(std::string_view key, std::string_view text) {
  int64_t unit = 1;
  constexpr std::string_view kUnits = "KMGT";
  if (!text.empty()) {
    const size_t power = kUnits.find(static_cast<char>(text.back() & ~0x20));
    if (power != std::string_view::npos && text.back() >= 'A') {
      unit = int64_t{1} << (10 * (power + 1));
      text.remove_suffix(1);
    }
  }
  return base::checked_mul(parse_integer(key, text, 1, INT64_MAX), unit);
}

double parse_seconds(std::string_view key, std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0))
    fail(Code::kInvalidArgument, "option {}: '{}' is no number of seconds", key, text);
  return value;
}

std::vector<std::string> parse_list(std::string_view key, std::string_view text) {
  std::vector<std::string> result;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    if (name.empty()) fail(Code::kInvalidArgument, "option {}: an empty name", key);
    result.emplace_back(name);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  if (result.empty()) fail(Code::kInvalidArgument, "option {}: no name given", key);
  return result;
}

// ONNX Runtime's names and numbers.
int parse_level(std::string_view key, std::string_view text) {
  constexpr std::pair<std::string_view, int> kLevels[] = {{"0", 0},
                                                          {"none", 0},
                                                          {"disable", 0},
                                                          {"ORT_DISABLE_ALL", 0},
                                                          {"1", 1},
                                                          {"basic", 1},
                                                          {"ORT_ENABLE_BASIC", 1},
                                                          {"2", 2},
                                                          {"extended", 2},
                                                          {"ORT_ENABLE_EXTENDED", 2},
                                                          {"3", 3},
                                                          {"layout", 3},
                                                          {"ORT_ENABLE_LAYOUT", 3},
                                                          {"99", 99},
                                                          {"all", 99},
                                                          {"ORT_ENABLE_ALL", 99}};
  for (const auto& [name, level] : kLevels)
    if (text == name) return level;
  fail(Code::kInvalidArgument, "option {}: '{}' is not 0 (none), 1 (basic), 2 (extended), 3 (layout) or 99 (all)", key,
       text);
}

int parse_precision(std::string_view key, std::string_view text) {
  if (text == "highest") return ONNXRUN_PRECISION_HIGHEST;
  if (text == "high") return ONNXRUN_PRECISION_HIGH;
  if (text == "medium") return ONNXRUN_PRECISION_MEDIUM;
  fail(Code::kInvalidArgument, "option {}: '{}' is not highest, high or medium", key, text);
}

StatisticsLevel parse_statistics(std::string_view key, std::string_view text) {
  if (text == "off") return StatisticsLevel::kOff;
  if (text == "runs") return StatisticsLevel::kRuns;
  if (text == "tensors") return StatisticsLevel::kTensors;
  fail(Code::kInvalidArgument, "option {}: '{}' is not off, runs or tensors", key, text);
}

struct Key {
  std::string_view name;
  void (*set)(onnxrun_options& options, std::string_view key, std::string_view text);
};

constexpr Key kKeys[] = {
    {"load",
     [](auto& o, auto key, auto text) {
       if (text == "map") o.load = import::LoadMode::kMap;
       else if (text == "copy") o.load = import::LoadMode::kCopy;
       else fail(Code::kInvalidArgument, "option {}: '{}' is neither map nor copy", key, text);
     }},
    {"strict", [](auto& o, auto key, auto text) { o.strict = parse_flag(key, text); }},
    {"external_root", [](auto& o, auto, auto text) { o.external_root = text; }},
    {"allow_links", [](auto& o, auto key, auto text) { o.allow_links = parse_flag(key, text); }},
    {"providers", [](auto& o, auto key, auto text) { o.providers = parse_list(key, text); }},
    {"level", [](auto& o, auto key, auto text) { o.level = parse_level(key, text); }},
    {"passes", [](auto& o, auto key, auto text) { o.passes = parse_list(key, text); }},
    {"disable_passes", [](auto& o, auto key, auto text) { o.disabled_passes = parse_list(key, text); }},
    {"print_after", [](auto& o, auto key, auto text) { o.print_after = parse_list(key, text); }},
    {"max_patches", [](auto& o, auto key, auto text) { o.max_patches = parse_integer(key, text, 0, INT64_MAX); }},
    {"optimized_model", [](auto& o, auto, auto text) { o.optimized_model = text; }},
    {"threads", [](auto& o, auto key, auto text) { o.threads = static_cast<int>(parse_integer(key, text, 0, 1024)); }},
    {"streams", [](auto& o, auto key, auto text) { o.streams = static_cast<int>(parse_integer(key, text, 1, 1024)); }},
    {"float32_matmul_precision", [](auto& o, auto key, auto text) { o.precision = parse_precision(key, text); }},
    {"kernels",
     [](auto& o, auto key, auto text) {
       if (text != "fastest" && text != "reference")
         fail(Code::kInvalidArgument, "option {}: '{}' is neither fastest nor reference", key, text);
       o.reference_kernels = text == "reference";
     }},
    {"denormals",
     [](auto& o, auto key, auto text) {
       if (text != "flush" && text != "keep")
         fail(Code::kInvalidArgument, "option {}: '{}' is neither flush nor keep", key, text);
       o.flush_denormals = text == "flush";
     }},
    {"record_operators",
     [](auto& o, auto key, auto text) {
       if (!parse_flag(key, text)) return;
       auto ops = std::make_shared<CustomOps>(o.ops);
       ops->record();
       o.ops = std::move(ops);
     }},
    {"statistics", [](auto& o, auto key, auto text) { o.statistics.level = parse_statistics(key, text); }},
    {"statistics_every",
     [](auto& o, auto key, auto text) { o.statistics.every = parse_integer(key, text, 1, INT64_MAX); }},
    {"statistics_values", [](auto& o, auto key, auto text) { o.statistics.values = parse_list(key, text); }},
    {"statistics_sample",
     [](auto& o, auto key, auto text) { o.statistics.sample = parse_integer(key, text, 0, 65536); }},
    {"opset", [](auto& o, auto key, auto text) { o.opset = parse_integer(key, text, 0, INT32_MAX); }},
    {"portable", [](auto& o, auto key, auto text) { o.portable = parse_flag(key, text); }},
    {"external_data", [](auto& o, auto, auto text) { o.external_data = text; }},
    {"external_threshold", [](auto& o, auto key, auto text) { o.external_threshold = parse_bytes(key, text); }},
    {"timeout", [](auto& o, auto key, auto text) { o.set_timeout = parse_seconds(key, text); }},
};

void set_option(onnxrun_options& options, std::string_view key, std::string_view text) {
  constexpr std::string_view kDim = "dim.";
  if (key.starts_with(kDim) && key.size() > kDim.size()) {
    options.dims[std::string(key.substr(kDim.size()))] = parse_integer(key, text, 0, INT64_MAX);
    return;
  }
  for (const base::NamedLimit& limit : base::named_limits())
    if (limit.option == key) {
      options.set_limits.emplace_back(limit.value,
                                      limit.bytes ? parse_bytes(key, text) : parse_integer(key, text, 0, INT64_MAX));
      return;
    }
  std::string known = "dim.NAME";
  for (const Key& candidate : kKeys) {
    if (candidate.name == key) return candidate.set(options, key, text);
    known += ", ";
    known += candidate.name;
  }
  for (const base::NamedLimit& limit : base::named_limits()) known += ", " + std::string(limit.option);
  fail(Code::kInvalidArgument, "there is no option '{}'; there are {}", key, known);
}

}  // namespace

onnxrun_status* options_create(onnxrun_options** out) {
  return guard([&] {
    need(out, "out");
    *out = new onnxrun_options;
  });
}

onnxrun_status* options_set(onnxrun_options* options, const char* key, const char* value) {
  return guard([&] { set_option(need(options, "options"), &need(key, "key"), &need(value, "value")); });
}

onnxrun_status* options_add_provider_library(onnxrun_options* options, const char* path, const char* const* settings,
                                             size_t setting_count) {
  return guard([&] {
    need(options, "options");
    need(path, "path");
    check_settings(settings, setting_count);
    options->plugins.push_back(load_provider_library(path, settings, setting_count));
  });
}

onnxrun_status* options_set_log(onnxrun_options* options, int32_t level, onnxrun_log log,
                                void (*release)(void* context), void* context) {
  return guard([&] {
    need(options, "options");
    if (log == nullptr) {
      options->log = nullptr;
      return;
    }
    if (level < ONNXRUN_LOG_ERROR || level > ONNXRUN_LOG_INFO)
      fail(Code::kInvalidArgument, "{} is no level of messages; they are {} to {}", level,
           static_cast<int>(ONNXRUN_LOG_ERROR), static_cast<int>(ONNXRUN_LOG_INFO));
    auto made = std::make_shared<Log>();
    made->level = level;
    made->write = log;
    made->context = owned_context(context, release);
    options->log = std::move(made);
  });
}

onnxrun_status* options_set_allocator(onnxrun_options* options, onnxrun_allocate allocate,
                                      onnxrun_deallocate deallocate, void (*release)(void* context), void* context) {
  return guard([&] {
    need(options, "options");
    if ((allocate == nullptr) != (deallocate == nullptr))
      fail(Code::kInvalidArgument, "an allocator needs both functions, or neither for the system's heap");
    if (allocate == nullptr) {
      options->allocator = nullptr;
      return;
    }
    auto made = std::make_shared<base::Allocator>();
    made->allocate = allocate;
    made->deallocate = deallocate;
    made->context = owned_context(context, release);
    options->allocator = std::move(made);
  });
}

void options_free(onnxrun_options* options) { delete options; }

}  // namespace onnxrun::api
