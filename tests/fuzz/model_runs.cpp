// Inputs made up, runs under limits, and results compared.
#include "fuzz/model_runs.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

namespace onnxrun::fuzz {
namespace {

constexpr int64_t kMostElements = 4096;

bool is_complex(int32_t dtype) { return dtype == ONNXRUN_DTYPE_COMPLEX64 || dtype == ONNXRUN_DTYPE_COMPLEX128; }

Handle<onnxrun_value> make_tensor(int32_t dtype, const std::vector<int64_t>& dims, Random& random, bool extremes) {
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0 || dim > kMostElements) return nullptr;
    count *= dim;
    if (count > kMostElements) return nullptr;
  }
  const auto length = static_cast<size_t>(count);
  if (dtype == ONNXRUN_DTYPE_STRING) {
    static constexpr std::array<const char*, 6> kWords = {"", "a", "b c", "1.5", "\xc3\xa9", "aab"};
    std::vector<const char*> words(length);
    for (const char*& word : words) word = random.pick(kWords);
    return made<onnxrun_value>([&](auto** out) {
      return api().value_create_strings(dims.data(), dims.size(), words.data(), nullptr, length, out);
    });
  }
  auto value =
      made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(dtype, dims.data(), dims.size(), out); });
  if (value == nullptr) return nullptr;
  std::vector<double> numbers(is_complex(dtype) ? 2 * length : length);
  const int64_t low = random.chance(50) ? 0 : -3;
  const bool whole = random.chance(60);
  for (double& number : numbers) {
    if (extremes && random.chance(5))
      number = random.chance(50) ? random.number() : static_cast<double>(random.integer());
    else
      number =
          whole ? static_cast<double>(random.between(low, 3)) : static_cast<double>(random.between(-400, 400)) / 128;
  }
  settle(api().value_from_doubles(value.get(), numbers.data(), numbers.size()));
  return value;
}

// The element type that a port's text names first: "sequence(int64[?])".
int32_t element_type(const char* type) {
  static constexpr std::pair<const char*, int32_t> kNames[] = {
      {"float32", ONNXRUN_DTYPE_FLOAT32}, {"float64", ONNXRUN_DTYPE_FLOAT64}, {"float16", ONNXRUN_DTYPE_FLOAT16},
      {"int64", ONNXRUN_DTYPE_INT64},     {"int32", ONNXRUN_DTYPE_INT32},     {"bool", ONNXRUN_DTYPE_BOOL},
      {"string", ONNXRUN_DTYPE_STRING},   {"uint8", ONNXRUN_DTYPE_UINT8}};
  for (const auto& [name, number] : kNames)
    if (std::strstr(type, name) != nullptr) return number;
  return ONNXRUN_DTYPE_FLOAT32;
}

Handle<onnxrun_value> make_value(const onnxrun_port& port, std::map<std::string, int64_t>& symbols, Random& random,
                                 bool extremes) {
  const auto some_dims = [&] {
    std::vector<int64_t> dims(random.below(5));
    for (int64_t& dim : dims) dim = random.between(0, 4);
    return dims;
  };
  if (port.kind == ONNXRUN_KIND_SEQUENCE) {
    std::vector<Handle<onnxrun_value>> elements;
    std::vector<const onnxrun_value*> pointers;
    const int32_t dtype = element_type(port.type);
    for (size_t i = 0, count = random.below(4); i < count; ++i) {
      elements.push_back(make_tensor(dtype, some_dims(), random, extremes));
      if (elements.back() == nullptr) return nullptr;
      pointers.push_back(elements.back().get());
    }
    return made<onnxrun_value>(
        [&](auto** out) { return api().value_create_sequence(pointers.data(), pointers.size(), out); });
  }
  if (port.kind == ONNXRUN_KIND_OPTIONAL) {
    if (random.chance(50)) return made<onnxrun_value>([](auto** out) { return api().value_create_absent(out); });
    return make_tensor(element_type(port.type), some_dims(), random, extremes);
  }
  if (port.kind != ONNXRUN_KIND_TENSOR) return nullptr;
  std::vector<int64_t> dims = port.rank < 0 ? some_dims() : std::vector<int64_t>(static_cast<size_t>(port.rank));
  for (size_t i = 0; port.rank >= 0 && i < dims.size(); ++i) {
    dims[i] = port.dims[i];
    if (dims[i] >= 0) continue;
    const std::string symbol = port.symbols[i] == nullptr ? "?" : port.symbols[i];
    if (symbol == "?") {
      dims[i] = random.between(0, 4);
      continue;
    }
    dims[i] = symbols.try_emplace(symbol, random.chance(90) ? random.between(1, 5) : 0).first->second;
  }
  return make_tensor(port.dtype == ONNXRUN_DTYPE_NONE ? ONNXRUN_DTYPE_FLOAT32 : port.dtype, dims, random, extremes);
}

std::string text_of(const onnxrun_value* value) {
  const auto blob = made<onnxrun_blob>([&](auto** out) { return api().value_describe(value, out); });
  return blob == nullptr ? std::string() : api().blob_data(blob.get());
}

std::string compare_tensors(const onnxrun_value* a, const onnxrun_value* b, double tolerance) {
  int32_t dtype = 0;
  int64_t count = 0;
  settle(api().value_tensor_info(a, &dtype, nullptr, nullptr, &count));
  if (text_of(a) != text_of(b)) return text_of(a) + " and " + text_of(b);
  if (dtype == ONNXRUN_DTYPE_STRING) {
    for (int64_t i = 0; i < count; ++i) {
      const char *first = nullptr, *second = nullptr;
      size_t length = 0, other = 0;
      settle(api().value_string(a, i, &first, &length));
      settle(api().value_string(b, i, &second, &other));
      if (std::string(first, length) != std::string(second, other)) return "other text";
    }
    return {};
  }
  std::vector<double> x(static_cast<size_t>(count) * (is_complex(dtype) ? 2 : 1)), y(x.size());
  settle(api().value_to_doubles(a, x.data(), x.size()));
  settle(api().value_to_doubles(b, y.data(), y.size()));
  double largest = 1e-3;
  for (const double each : y)
    if (std::isfinite(each)) largest = std::max(largest, std::abs(each));
  const bool narrow = dtype == ONNXRUN_DTYPE_FLOAT16 || dtype == ONNXRUN_DTYPE_BFLOAT16;
  const bool exact = dtype != ONNXRUN_DTYPE_FLOAT32 && dtype != ONNXRUN_DTYPE_FLOAT64 && !narrow && !is_complex(dtype);
  const double allowed = exact ? 0 : largest * tolerance * (narrow ? 50 : 1);
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) && std::isnan(y[i])) continue;
    if (x[i] == y[i] || std::abs(x[i] - y[i]) <= allowed) continue;
    return text_of(a) + ", element " + std::to_string(i) + ": " + std::to_string(x[i]) + " and " + std::to_string(y[i]);
  }
  return {};
}

std::string compare(const onnxrun_value* a, const onnxrun_value* b, double tolerance) {
  int32_t kind = 0, other = 0;
  settle(api().value_kind(a, &kind));
  settle(api().value_kind(b, &other));
  if (kind != other) return "values of different kinds";
  if (kind == ONNXRUN_KIND_TENSOR) return compare_tensors(a, b, tolerance);
  if (kind == ONNXRUN_KIND_SEQUENCE) {
    size_t length = 0, second = 0;
    settle(api().value_sequence_length(a, &length));
    settle(api().value_sequence_length(b, &second));
    if (length != second) return "sequences of different lengths";
    for (size_t i = 0; i < length; ++i) {
      const auto x = made<onnxrun_value>([&](auto** out) { return api().value_sequence_element(a, i, out); });
      const auto y = made<onnxrun_value>([&](auto** out) { return api().value_sequence_element(b, i, out); });
      if (const std::string found = compare(x.get(), y.get(), tolerance); !found.empty()) return found;
    }
  }
  return {};
}

}  // namespace

Handle<onnxrun_options> settings(const std::vector<std::pair<const char*, std::string>>& more) {
  auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  for (const auto& [key, value] : {std::pair<const char*, std::string>{"max_memory", "256M"},
                                   {"max_tensor", "64M"},
                                   {"threads", "1"},
                                   {"timeout", "3"},
                                   {"max_loop_iterations", "1000"}})
    settle(api().options_set(options.get(), key, value.c_str()));
  for (const auto& [key, value] : more) settle(api().options_set(options.get(), key, value.c_str()));
  return options;
}

Handle<onnxrun_model> load(std::span<const uint8_t> bytes, const onnxrun_options* options) {
  return made<onnxrun_model>(
      [&](auto** out) { return api().model_load_bytes(bytes.data(), bytes.size(), options, out); });
}

bool make_feeds(const onnxrun_model* model, Random& random, bool extremes, std::vector<Feed>& feeds) {
  std::map<std::string, int64_t> symbols;
  size_t count = 0;
  settle(api().model_input_count(model, &count));
  for (size_t i = 0; i < count; ++i) {
    const onnxrun_port* port = nullptr;
    settle(api().model_input(model, i, &port));
    if (port->has_default != 0 && random.chance(80)) continue;
    Feed feed{port->name, make_value(*port, symbols, random, extremes)};
    if (feed.value == nullptr) return false;
    feeds.push_back(std::move(feed));
  }
  return true;
}

Outcome run(const onnxrun_model* model, const onnxrun_options* options, const std::vector<Feed>& feeds, onnxrun_tap tap,
            void* context) {
  Outcome outcome;
  const auto session = made<onnxrun_session>([&](auto** out) { return api().session_create(model, options, out); },
                                             &outcome.code, &outcome.message);
  if (session == nullptr) return outcome;
  const auto run = made<onnxrun_run>([&](auto** out) { return api().run_create(session.get(), out); });
  if (tap != nullptr) settle(api().run_set_tap(run.get(), nullptr, tap, context));
  for (const Feed& feed : feeds) settle(api().run_set_input(run.get(), feed.name.c_str(), feed.value.get()));
  outcome.code = settle(api().run_execute(run.get()), &outcome.message);
  if (outcome.code != ONNXRUN_OK) return outcome;
  size_t count = 0;
  settle(api().run_output_count(run.get(), &count));
  for (size_t i = 0; i < count; ++i)
    outcome.outputs.push_back(made<onnxrun_value>([&](auto** out) { return api().run_output(run.get(), i, out); }));
  return outcome;
}

std::string difference(const Outcome& outcome, const Outcome& reference, double tolerance) {
  if (reference.code != ONNXRUN_OK) return {};
  if (outcome.code != ONNXRUN_OK) return "fails: " + outcome.message;
  if (outcome.outputs.size() != reference.outputs.size()) return "another number of results";
  for (size_t i = 0; i < outcome.outputs.size(); ++i)
    if (const std::string found = compare(outcome.outputs[i].get(), reference.outputs[i].get(), tolerance);
        !found.empty())
      return "result " + std::to_string(i) + ": " + found;
  return {};
}

}  // namespace onnxrun::fuzz
