// The C interface: strings, sequences, maps, optionals, protobuf, null.

#include "c_calls.h"

namespace {

using namespace c_calls;

TEST(Value, HoldsStrings) {
  const int64_t dims[] = {3};
  const char* const strings[] = {"one", "zwei", "a\0b"};
  const size_t lengths[] = {3, 4, 3};
  const auto value =
      made<onnxrun_value>([&](auto** out) { return api().value_create_strings(dims, 1, strings, lengths, 3, out); });
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

TEST(Value, SequencesMapsAndAbsentOnes) {
  const auto one = floats({1}, {1}), two = floats({2}, {2, 3});
  const onnxrun_value* const elements[] = {one.get(), two.get()};
  const auto sequence = made<onnxrun_value>([&](auto** out) { return api().value_create_sequence(elements, 2, out); });
  size_t length = 0;
  ASSERT_OK(api().value_sequence_length(sequence.get(), &length));
  EXPECT_EQ(length, 2u);
  const auto element =
      made<onnxrun_value>([&](auto** out) { return api().value_sequence_element(sequence.get(), 1, out); });
  EXPECT_EQ(doubles(element.get()), (std::vector<double>{2, 3}));
  onnxrun_value* out = nullptr;
  EXPECT_REFUSED(api().value_sequence_element(sequence.get(), 2, &out), "element 2");
  EXPECT_REFUSED(api().value_sequence_element(one.get(), 0, &out), "sequence");
  EXPECT_REFUSED(api().value_tensor_info(sequence.get(), nullptr, nullptr, nullptr, nullptr), "tensor");

  const int64_t dims[] = {2};
  const auto keys =
      made<onnxrun_value>([&](auto** o) { return api().value_create_tensor(ONNXRUN_DTYPE_INT64, dims, 1, o); });
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
  const auto back = made<onnxrun_value>([&](auto** out) {
    return api().value_from_proto(api().blob_data(bytes.get()), api().blob_size(bytes.get()), ONNXRUN_KIND_TENSOR, out);
  });
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

}  // namespace
