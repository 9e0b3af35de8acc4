// Every function of the C interface: what it does, and that null and misuse give errors.
#include <gtest/gtest.h>
#include <onnxrun/onnxrun.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "model_bytes.h"

namespace {

const onnxrun_api& api() { return *onnxrun_get_api(ONNXRUN_API_VERSION); }

// Code and message of a call; frees the status.
struct Outcome {
  explicit Outcome(onnxrun_status* status) : code(api().status_code(status)), message(api().status_message(status)) { api().status_free(status); }
  onnxrun_code code;
  std::string message;
};

#define EXPECT_OK(call)                                \
  do {                                                 \
    const Outcome outcome_(call);                      \
    EXPECT_EQ(outcome_.code, ONNXRUN_OK) << outcome_.message; \
  } while (0)
#define ASSERT_OK(call)                                \
  do {                                                 \
    const Outcome outcome_(call);                      \
    ASSERT_EQ(outcome_.code, ONNXRUN_OK) << outcome_.message; \
  } while (0)
#define EXPECT_REFUSED(call, part)                                              \
  do {                                                                          \
    const Outcome outcome_(call);                                               \
    EXPECT_EQ(outcome_.code, ONNXRUN_INVALID_ARGUMENT) << outcome_.message;     \
    EXPECT_NE(outcome_.message.find(part), std::string::npos) << outcome_.message; \
  } while (0)

struct Free {
  void operator()(onnxrun_options* p) const { api().options_free(p); }
  void operator()(onnxrun_model* p) const { api().model_free(p); }
  void operator()(onnxrun_session* p) const { api().session_free(p); }
  void operator()(onnxrun_value* p) const { api().value_free(p); }
  void operator()(onnxrun_run* p) const { api().run_free(p); }
  void operator()(onnxrun_blob* p) const { api().blob_free(p); }
};
template <class T> using Handle = std::unique_ptr<T, Free>;

// Calls `make(out)` and takes over what it gives.
template <class T, class Make>
Handle<T> made(Make&& make) {
  T* out = nullptr;
  const Outcome outcome(make(&out));
  EXPECT_EQ(outcome.code, ONNXRUN_OK) << outcome.message;
  EXPECT_NE(out, nullptr);
  return Handle<T>(out);
}

Handle<onnxrun_model> load_sums() {
  const std::string bytes = model_bytes::sums();
  return made<onnxrun_model>([&](auto** out) { return api().model_load_bytes(bytes.data(), bytes.size(), nullptr, out); });
}

Handle<onnxrun_session> session_of(const onnxrun_model* model) {
  return made<onnxrun_session>([&](auto** out) { return api().session_create(model, nullptr, out); });
}

Handle<onnxrun_value> floats(std::vector<int64_t> dims, const std::vector<double>& values) {
  auto value = made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_FLOAT32, dims.data(), dims.size(), out); });
  EXPECT_OK(api().value_from_doubles(value.get(), values.data(), values.size()));
  return value;
}

std::vector<double> doubles(const onnxrun_value* value) {
  int64_t count = 0;
  EXPECT_OK(api().value_tensor_info(value, nullptr, nullptr, nullptr, &count));
  std::vector<double> result(static_cast<size_t>(count));
  EXPECT_OK(api().value_to_doubles(value, result.data(), result.size()));
  return result;
}

std::string text(const onnxrun_blob* blob) { return {api().blob_data(blob), api().blob_size(blob)}; }

TEST(Table, HasAVersionAndEveryFunction) {
  EXPECT_EQ(onnxrun_get_api(ONNXRUN_API_VERSION + 1), nullptr);
  EXPECT_EQ(api().version, ONNXRUN_API_VERSION);
  EXPECT_EQ(api().size, sizeof(onnxrun_api));
  EXPECT_STRNE(api().library_version(), "");
  const char* const table = reinterpret_cast<const char*>(&api());
  for (size_t at = offsetof(onnxrun_api, library_version); at < sizeof(onnxrun_api); at += sizeof(void*)) {
    void* function = nullptr;
    std::memcpy(&function, table + at, sizeof function);
    EXPECT_NE(function, nullptr) << "at offset " << at;
  }
}

TEST(Table, FreesNull) {
  api().status_free(nullptr);
  api().blob_free(nullptr);
  api().options_free(nullptr);
  api().model_free(nullptr);
  api().value_free(nullptr);
  api().session_free(nullptr);
  api().run_free(nullptr);
  EXPECT_EQ(api().status_code(nullptr), ONNXRUN_OK);
  EXPECT_STREQ(api().status_message(nullptr), "");
  EXPECT_STREQ(api().blob_data(nullptr), "");
  EXPECT_EQ(api().blob_size(nullptr), 0u);
}

TEST(Options, TakeKnownKeysAndRefuseOthers) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{
           {"load", "copy"}, {"load", "map"}, {"strict", "1"}, {"external_root", "/tmp"}, {"allow_links", "0"}, {"dim.batch", "4"}, {"providers", "cpu"},
           {"level", "0"}, {"threads", "2"}, {"streams", "3"}, {"denormals", "keep"}, {"max_memory", "2G"}, {"max_file", "100000"}})
    EXPECT_OK(api().options_set(options.get(), key, value));
  for (const auto& [key, value] : std::vector<std::pair<const char*, const char*>>{
           {"load", "lazy"}, {"strict", "maybe"}, {"allow_links", ""}, {"dim.batch", "-1"}, {"dim.batch", "x"}, {"providers", ""}, {"providers", "cpu,,cpu"},
           {"level", "4"}, {"threads", "-1"}, {"threads", "99999999999999999999"}, {"streams", "0"}, {"denormals", "round"}, {"max_memory", "G"}, {"max_memory", "0"}})
    EXPECT_REFUSED(api().options_set(options.get(), key, value), key);
  EXPECT_REFUSED(api().options_set(options.get(), "speed", "high"), "threads");
  EXPECT_REFUSED(api().options_set(options.get(), "dim.", "1"), "dim.");
  EXPECT_REFUSED(api().options_set(options.get(), nullptr, "1"), "key");
  EXPECT_REFUSED(api().options_set(options.get(), "level", nullptr), "value");
  EXPECT_REFUSED(api().options_set(nullptr, "level", "1"), "options");
  EXPECT_REFUSED(api().options_create(nullptr), "out");
  EXPECT_EQ(Outcome(api().options_set(options.get(), "max_memory", "9000000000000T")).code, ONNXRUN_LIMIT_EXCEEDED);
}

TEST(Options, RefuseLibrariesThatAreNoProviders) {
  const auto options = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  EXPECT_EQ(Outcome(api().options_add_provider_library(options.get(), "/nowhere/provider.so", nullptr, 0)).code, ONNXRUN_IO);
  EXPECT_REFUSED(api().options_add_provider_library(options.get(), nullptr, nullptr, 0), "path");
  EXPECT_REFUSED(api().options_add_provider_library(options.get(), "x", nullptr, 1), "settings");
  EXPECT_REFUSED(api().options_add_provider_library(nullptr, "x", nullptr, 0), "options");
}

TEST(Model, TellsItsInterface) {
  const auto model = load_sums();
  size_t count = 0;
  ASSERT_OK(api().model_input_count(model.get(), &count));
  EXPECT_EQ(count, 2u);
  ASSERT_OK(api().model_output_count(model.get(), &count));
  EXPECT_EQ(count, 1u);
  const onnxrun_port* port = nullptr;
  ASSERT_OK(api().model_input(model.get(), 1, &port));
  EXPECT_STREQ(port->name, "y");
  EXPECT_STREQ(port->type, "float32[n,3]");
  EXPECT_EQ(port->kind, ONNXRUN_KIND_TENSOR);
  EXPECT_EQ(port->dtype, ONNXRUN_DTYPE_FLOAT32);
  ASSERT_EQ(port->rank, 2);
  EXPECT_EQ(port->dims[0], -1);
  EXPECT_STREQ(port->symbols[0], "n");
  EXPECT_EQ(port->dims[1], 3);
  EXPECT_EQ(port->symbols[1], nullptr);
  EXPECT_EQ(port->has_default, 0);
  ASSERT_OK(api().model_output(model.get(), 0, &port));
  EXPECT_STREQ(port->name, "z");
  EXPECT_REFUSED(api().model_input(model.get(), 2, &port), "input 2");
  EXPECT_REFUSED(api().model_output(model.get(), 1, &port), "output 1");
  const char* found = nullptr;
  ASSERT_OK(api().model_metadata(model.get(), "key", &found));
  EXPECT_STREQ(found, "text");
  ASSERT_OK(api().model_metadata(model.get(), "other", &found));
  EXPECT_EQ(found, nullptr);
}

TEST(Model, RefusesNull) {
  const auto model = load_sums();
  size_t count = 0;
  const onnxrun_port* port = nullptr;
  const char* found = nullptr;
  onnxrun_model* out = nullptr;
  onnxrun_blob* blob = nullptr;
  EXPECT_REFUSED(api().model_load(nullptr, nullptr, &out), "path");
  EXPECT_REFUSED(api().model_load("x", nullptr, nullptr), "out");
  EXPECT_REFUSED(api().model_load_bytes(nullptr, 5, nullptr, &out), "data");
  EXPECT_REFUSED(api().model_load_bytes("x", 1, nullptr, nullptr), "out");
  EXPECT_REFUSED(api().model_input_count(nullptr, &count), "model");
  EXPECT_REFUSED(api().model_output_count(nullptr, &count), "model");
  EXPECT_REFUSED(api().model_input(nullptr, 0, &port), "model");
  EXPECT_REFUSED(api().model_output(nullptr, 0, &port), "model");
  EXPECT_REFUSED(api().model_metadata(nullptr, "key", &found), "model");
  EXPECT_REFUSED(api().model_metadata(model.get(), nullptr, &found), "key");
  EXPECT_REFUSED(api().model_inspect(nullptr, nullptr, 0, &blob), "model");
  EXPECT_REFUSED(api().model_inspect(model.get(), nullptr, 0, nullptr), "out");
  EXPECT_REFUSED(api().model_inspect(model.get(), nullptr, 1u << 20, &blob), "parts");
  EXPECT_REFUSED(api().model_check(nullptr, nullptr, &blob), "path");
  EXPECT_EQ(Outcome(api().model_load("/nowhere/model.onnx", nullptr, &out)).code, ONNXRUN_IO);
  EXPECT_EQ(Outcome(api().model_load_bytes("garbage", 7, nullptr, &out)).code, ONNXRUN_INVALID_MODEL);
  EXPECT_EQ(Outcome(api().model_load_bytes(nullptr, 0, nullptr, &out)).code, ONNXRUN_INVALID_MODEL);
  EXPECT_EQ(out, nullptr);
}

TEST(Model, ReportsEveryPart) {
  const auto model = load_sums();
  const uint32_t all = ONNXRUN_INSPECT_OPS | ONNXRUN_INSPECT_SHAPES | ONNXRUN_INSPECT_WEIGHTS | ONNXRUN_INSPECT_EXPLAIN | ONNXRUN_INSPECT_DIGESTS;
  const auto report = made<onnxrun_blob>([&](auto** out) { return api().model_inspect(model.get(), nullptr, all, out); });
  const std::string json = text(report.get());
  for (const char* part : {"\"ops\"", "\"values\"", "\"weights\"", "\"steps\"", "\"digest\"", "\"known\"", "\"producer\":\"tests\"", "\"opsets\":{\"ai.onnx\":17}"})
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
}

TEST(Value, TensorsOwnMemory) {
  const int64_t dims[] = {2, 3};
  const auto value = made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_INT16, dims, 2, out); });
  int32_t dtype = 0, kind = 0;
  const int64_t* shape = nullptr;
  size_t rank = 0, size = 0;
  int64_t count = 0;
  ASSERT_OK(api().value_tensor_info(value.get(), &dtype, &shape, &rank, &count));
  EXPECT_EQ(dtype, ONNXRUN_DTYPE_INT16);
  ASSERT_EQ(rank, 2u);
  EXPECT_EQ(shape[1], 3);
  EXPECT_EQ(count, 6);
  ASSERT_OK(api().value_kind(value.get(), &kind));
  EXPECT_EQ(kind, ONNXRUN_KIND_TENSOR);
  void* data = nullptr;
  ASSERT_OK(api().value_mutable_data(value.get(), &data, &size));
  EXPECT_EQ(size, 12u);
  static_cast<int16_t*>(data)[5] = -7;
  EXPECT_EQ(doubles(value.get()), (std::vector<double>{0, 0, 0, 0, 0, -7}));
  const auto shared = made<onnxrun_value>([&](auto** out) { return api().value_share(value.get(), out); });
  const void* seen = nullptr;
  ASSERT_OK(api().value_data(shared.get(), &seen, nullptr));
  EXPECT_EQ(seen, data);
  const auto words = made<onnxrun_blob>([&](auto** out) { return api().value_describe(value.get(), out); });
  EXPECT_EQ(text(words.get()), "int16 tensor [2,3]");
}

TEST(Value, RefusesImpossibleTensors) {
  onnxrun_value* out = nullptr;
  const int64_t negative[] = {2, -1}, huge[] = {int64_t{1} << 40, int64_t{1} << 40}, two[] = {2};
  alignas(8) char memory[32] = {};
  EXPECT_REFUSED(api().value_create_tensor(99, two, 1, &out), "99");
  EXPECT_REFUSED(api().value_create_tensor(0, two, 1, &out), "0");
  EXPECT_REFUSED(api().value_create_tensor(1, nullptr, 1, &out), "dims");
  EXPECT_REFUSED(api().value_create_tensor(1, two, 1, nullptr), "out");
  EXPECT_REFUSED(api().value_create_tensor(1, two, 1000000, &out), "rank");
  EXPECT_REFUSED(api().value_create_tensor(1, negative, 2, &out), "-1");
  EXPECT_EQ(Outcome(api().value_create_tensor(1, huge, 2, &out)).code, ONNXRUN_LIMIT_EXCEEDED);
  EXPECT_EQ(Outcome(api().value_create_tensor(1, huge, 1, &out)).code, ONNXRUN_LIMIT_EXCEEDED);
  EXPECT_REFUSED(api().value_wrap_tensor(1, two, 1, memory, 7, 1, nullptr, nullptr, &out), "7 bytes");
  EXPECT_REFUSED(api().value_wrap_tensor(1, two, 1, memory + 1, 8, 1, nullptr, nullptr, &out), "aligned");
  EXPECT_REFUSED(api().value_wrap_tensor(1, two, 1, nullptr, 8, 1, nullptr, nullptr, &out), "data");
  EXPECT_REFUSED(api().value_wrap_tensor(8, two, 1, memory, 32, 1, nullptr, nullptr, &out), "strings");
  EXPECT_EQ(out, nullptr);
}

TEST(Value, WrapsMemoryAndReleasesItOnce) {
  float memory[] = {1, 2};
  const int64_t two[] = {2};
  int released = 0;
  const auto release = [](void* count) { ++*static_cast<int*>(count); };
  onnxrun_value* out = nullptr;
  EXPECT_REFUSED(api().value_wrap_tensor(1, two, 1, memory, 1, 1, release, &released, &out), "too few");
  EXPECT_EQ(released, 0);
  auto value = made<onnxrun_value>([&](auto** o) { return api().value_wrap_tensor(1, two, 1, memory, sizeof memory, 0, release, &released, o); });
  auto shared = made<onnxrun_value>([&](auto** o) { return api().value_share(value.get(), o); });
  memory[1] = 5;
  EXPECT_EQ(doubles(shared.get()), (std::vector<double>{1, 5}));
  void* data = nullptr;
  EXPECT_REFUSED(api().value_mutable_data(value.get(), &data, nullptr), "cannot be written");
  value.reset();
  EXPECT_EQ(released, 0);
  shared.reset();
  EXPECT_EQ(released, 1);
}

TEST(Value, HoldsStrings) {
  const int64_t dims[] = {3};
  const char* const strings[] = {"one", "zwei", "a\0b"};
  const size_t lengths[] = {3, 4, 3};
  const auto value = made<onnxrun_value>([&](auto** out) { return api().value_create_strings(dims, 1, strings, lengths, 3, out); });
  const char* data = nullptr;
  size_t length = 0;
  ASSERT_OK(api().value_string(value.get(), 2, &data, &length));
  EXPECT_EQ(std::string(data, length), std::string("a\0b", 3));
  EXPECT_REFUSED(api().value_string(value.get(), 3, &data, &length), "element 3");
  EXPECT_REFUSED(api().value_string(value.get(), -1, &data, &length), "element -1");
  const void* bytes = nullptr;
  EXPECT_REFUSED(api().value_data(value.get(), &bytes, nullptr), "value_string");
  double number = 0;
  EXPECT_REFUSED(api().value_to_doubles(value.get(), &number, 1), "strings");
  onnxrun_value* out = nullptr;
  EXPECT_REFUSED(api().value_create_strings(dims, 1, strings, lengths, 2, &out), "2 strings");
  EXPECT_REFUSED(api().value_create_strings(dims, 1, nullptr, nullptr, 3, &out), "strings");
  const char* const holes[] = {"a", nullptr, "b"};
  EXPECT_REFUSED(api().value_create_strings(dims, 1, holes, nullptr, 3, &out), "strings");
  const auto numbers = floats({1}, {1});
  EXPECT_REFUSED(api().value_string(numbers.get(), 0, &data, &length), "no strings");
}

TEST(Value, ConvertsEveryNumericType) {
  struct Expected {
    int32_t dtype;
    double given, kept;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [dtype, given, kept] : std::vector<Expected>{
           {ONNXRUN_DTYPE_FLOAT64, 0.1, 0.1},     {ONNXRUN_DTYPE_FLOAT16, 0.1, 0.0999755859375}, {ONNXRUN_DTYPE_BFLOAT16, 3.3, 3.296875},
           {ONNXRUN_DTYPE_INT8, 300, 127},        {ONNXRUN_DTYPE_INT8, -300, -128},              {ONNXRUN_DTYPE_UINT8, -1, 0},
           {ONNXRUN_DTYPE_UINT16, 70000, 65535},  {ONNXRUN_DTYPE_INT32, -2.9, -2},               {ONNXRUN_DTYPE_INT64, 1e300, 9223372036854775807.0},
           {ONNXRUN_DTYPE_UINT64, -5, 0},         {ONNXRUN_DTYPE_INT64, nan, 0},                 {ONNXRUN_DTYPE_BOOL, 0.5, 1},
           {ONNXRUN_DTYPE_INT4, -9, -8},          {ONNXRUN_DTYPE_UINT4, 17, 15},                 {ONNXRUN_DTYPE_INT2, 5, 1},
           {ONNXRUN_DTYPE_UINT2, 5, 3},           {ONNXRUN_DTYPE_FLOAT8E4M3FN, 1000, 448},       {ONNXRUN_DTYPE_FLOAT8E5M2, 1.1, 1.0},
           {ONNXRUN_DTYPE_FLOAT4E2M1, 5.1, 6},    {ONNXRUN_DTYPE_FLOAT6E2M3, 7.4, 7.5}}) {
    const int64_t dims[] = {3};
    const auto value = made<onnxrun_value>([&, type = dtype](auto** out) { return api().value_create_tensor(type, dims, 1, out); });
    const double numbers[] = {0, given, 1};
    ASSERT_OK(api().value_from_doubles(value.get(), numbers, 3));
    EXPECT_EQ(doubles(value.get()), (std::vector<double>{0, kept, 1})) << dtype;
    EXPECT_REFUSED(api().value_from_doubles(value.get(), numbers, 2), "3 numbers");
  }
}

TEST(Value, ComplexNumbersTakeTwo) {
  const int64_t dims[] = {2};
  const auto value = made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_COMPLEX64, dims, 1, out); });
  const double numbers[] = {1, 2, 3, -4};
  ASSERT_OK(api().value_from_doubles(value.get(), numbers, 4));
  double back[4] = {};
  ASSERT_OK(api().value_to_doubles(value.get(), back, 4));
  EXPECT_EQ(back[3], -4);
  EXPECT_REFUSED(api().value_to_doubles(value.get(), back, 2), "4 numbers");
}

TEST(Value, SequencesMapsAndAbsentOnes) {
  const auto one = floats({1}, {1}), two = floats({2}, {2, 3});
  const onnxrun_value* const elements[] = {one.get(), two.get()};
  const auto sequence = made<onnxrun_value>([&](auto** out) { return api().value_create_sequence(elements, 2, out); });
  size_t length = 0;
  ASSERT_OK(api().value_sequence_length(sequence.get(), &length));
  EXPECT_EQ(length, 2u);
  const auto element = made<onnxrun_value>([&](auto** out) { return api().value_sequence_element(sequence.get(), 1, out); });
  EXPECT_EQ(doubles(element.get()), (std::vector<double>{2, 3}));
  onnxrun_value* out = nullptr;
  EXPECT_REFUSED(api().value_sequence_element(sequence.get(), 2, &out), "element 2");
  EXPECT_REFUSED(api().value_sequence_element(one.get(), 0, &out), "sequence");
  EXPECT_REFUSED(api().value_tensor_info(sequence.get(), nullptr, nullptr, nullptr, nullptr), "tensor");

  const int64_t dims[] = {2};
  const auto keys = made<onnxrun_value>([&](auto** o) { return api().value_create_tensor(ONNXRUN_DTYPE_INT64, dims, 1, o); });
  const double numbers[] = {7, -7}, same[] = {7, 7};
  ASSERT_OK(api().value_from_doubles(keys.get(), numbers, 2));
  const auto map = made<onnxrun_value>([&](auto** o) { return api().value_create_map(keys.get(), two.get(), o); });
  const auto map_keys = made<onnxrun_value>([&](auto** o) { return api().value_map_keys(map.get(), o); });
  const auto map_values = made<onnxrun_value>([&](auto** o) { return api().value_map_values(map.get(), o); });
  EXPECT_EQ(doubles(map_keys.get()), (std::vector<double>{-7, 7}));
  EXPECT_EQ(doubles(map_values.get()), (std::vector<double>{3, 2}));
  ASSERT_OK(api().value_from_doubles(keys.get(), same, 2));
  EXPECT_REFUSED(api().value_create_map(keys.get(), two.get(), &out), "twice");
  EXPECT_REFUSED(api().value_create_map(keys.get(), one.get(), &out), "equal length");
  EXPECT_REFUSED(api().value_create_map(two.get(), keys.get(), &out), "int64 or string");

  const auto absent = made<onnxrun_value>([](auto** o) { return api().value_create_absent(o); });
  int32_t kind = 0;
  ASSERT_OK(api().value_kind(absent.get(), &kind));
  EXPECT_EQ(kind, ONNXRUN_KIND_OPTIONAL);
}

TEST(Value, GoesThroughProtobuf) {
  const auto value = floats({2, 1}, {1.5, -2});
  const auto bytes = made<onnxrun_blob>([&](auto** out) { return api().value_to_proto(value.get(), "name", out); });
  const auto back = made<onnxrun_value>(
      [&](auto** out) { return api().value_from_proto(api().blob_data(bytes.get()), api().blob_size(bytes.get()), ONNXRUN_KIND_TENSOR, out); });
  EXPECT_EQ(doubles(back.get()), (std::vector<double>{1.5, -2}));
  onnxrun_value* out = nullptr;
  EXPECT_EQ(Outcome(api().value_from_proto("\xff\xff\xff", 3, 0, &out)).code, ONNXRUN_INVALID_MODEL);
  EXPECT_REFUSED(api().value_from_proto("", 0, 77, &out), "77");
  EXPECT_REFUSED(api().value_from_proto(nullptr, 3, 0, &out), "data");
  onnxrun_blob* blob = nullptr;
  EXPECT_REFUSED(api().value_to_proto(nullptr, nullptr, &blob), "value");
}

TEST(Value, RefusesNull) {
  int32_t kind = 0;
  size_t length = 0;
  onnxrun_value* out = nullptr;
  onnxrun_blob* blob = nullptr;
  const void* data = nullptr;
  void* writable = nullptr;
  double number = 0;
  const char* chars = nullptr;
  EXPECT_REFUSED(api().value_kind(nullptr, &kind), "value");
  EXPECT_REFUSED(api().value_describe(nullptr, &blob), "value");
  EXPECT_REFUSED(api().value_tensor_info(nullptr, nullptr, nullptr, nullptr, nullptr), "value");
  EXPECT_REFUSED(api().value_data(nullptr, &data, nullptr), "value");
  EXPECT_REFUSED(api().value_mutable_data(nullptr, &writable, nullptr), "value");
  EXPECT_REFUSED(api().value_string(nullptr, 0, &chars, &length), "value");
  EXPECT_REFUSED(api().value_to_doubles(nullptr, &number, 1), "value");
  EXPECT_REFUSED(api().value_from_doubles(nullptr, &number, 1), "value");
  EXPECT_REFUSED(api().value_share(nullptr, &out), "value");
  EXPECT_REFUSED(api().value_sequence_length(nullptr, &length), "value");
  EXPECT_REFUSED(api().value_sequence_element(nullptr, 0, &out), "value");
  EXPECT_REFUSED(api().value_map_keys(nullptr, &out), "value");
  EXPECT_REFUSED(api().value_map_values(nullptr, &out), "value");
  EXPECT_REFUSED(api().value_create_sequence(nullptr, 1, &out), "elements");
  EXPECT_REFUSED(api().value_create_map(nullptr, nullptr, &out), "keys");
  EXPECT_REFUSED(api().value_create_absent(nullptr), "out");
  const auto value = floats({1}, {1});
  EXPECT_REFUSED(api().value_kind(value.get(), nullptr), "out");
  EXPECT_REFUSED(api().value_data(value.get(), nullptr, nullptr), "data");
  EXPECT_REFUSED(api().value_to_doubles(value.get(), nullptr, 1), "out");
}

TEST(Providers, AreReported) {
  const auto report = made<onnxrun_blob>([](auto** out) { return api().providers_report(nullptr, out); });
  EXPECT_NE(text(report.get()).find("\"name\":\"cpu\""), std::string::npos);
  EXPECT_REFUSED(api().providers_report(nullptr, nullptr), "out");
}

}  // namespace
