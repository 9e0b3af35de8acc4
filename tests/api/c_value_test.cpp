// The C interface: tensors.
#include <limits>

#include "c_calls.h"

namespace {

using namespace c_calls;

TEST(Value, TensorsOwnMemory) {
  const int64_t dims[] = {2, 3};
  const auto value =
      made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_INT16, dims, 2, out); });
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
  auto value = made<onnxrun_value>(
      [&](auto** o) { return api().value_wrap_tensor(1, two, 1, memory, sizeof memory, 0, release, &released, o); });
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

TEST(Value, ConvertsEveryNumericType) {
  struct Expected {
    int32_t dtype;
    double given, kept;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [dtype, given, kept] : std::vector<Expected>{{ONNXRUN_DTYPE_FLOAT64, 0.1, 0.1},
                                                                {ONNXRUN_DTYPE_FLOAT16, 0.1, 0.0999755859375},
                                                                {ONNXRUN_DTYPE_BFLOAT16, 3.3, 3.296875},
                                                                {ONNXRUN_DTYPE_INT8, 300, 127},
                                                                {ONNXRUN_DTYPE_INT8, -300, -128},
                                                                {ONNXRUN_DTYPE_UINT8, -1, 0},
                                                                {ONNXRUN_DTYPE_UINT16, 70000, 65535},
                                                                {ONNXRUN_DTYPE_INT32, -2.9, -2},
                                                                {ONNXRUN_DTYPE_INT64, 1e300, 9223372036854775807.0},
                                                                {ONNXRUN_DTYPE_UINT64, -5, 0},
                                                                {ONNXRUN_DTYPE_INT64, nan, 0},
                                                                {ONNXRUN_DTYPE_BOOL, 0.5, 1},
                                                                {ONNXRUN_DTYPE_INT4, -9, -8},
                                                                {ONNXRUN_DTYPE_UINT4, 17, 15},
                                                                {ONNXRUN_DTYPE_INT2, 5, 1},
                                                                {ONNXRUN_DTYPE_UINT2, 5, 3},
                                                                {ONNXRUN_DTYPE_FLOAT8E4M3FN, 1000, 448},
                                                                {ONNXRUN_DTYPE_FLOAT8E5M2, 1.1, 1.0},
                                                                {ONNXRUN_DTYPE_FLOAT4E2M1, 5.1, 6},
                                                                {ONNXRUN_DTYPE_FLOAT6E2M3, 7.4, 7.5}}) {
    const int64_t dims[] = {3};
    const auto value =
        made<onnxrun_value>([&, type = dtype](auto** out) { return api().value_create_tensor(type, dims, 1, out); });
    const double numbers[] = {0, given, 1};
    ASSERT_OK(api().value_from_doubles(value.get(), numbers, 3));
    EXPECT_EQ(doubles(value.get()), (std::vector<double>{0, kept, 1})) << dtype;
    EXPECT_REFUSED(api().value_from_doubles(value.get(), numbers, 2), "3 numbers");
  }
}

TEST(Value, ComplexNumbersTakeTwo) {
  const int64_t dims[] = {2};
  const auto value =
      made<onnxrun_value>([&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_COMPLEX64, dims, 1, out); });
  const double numbers[] = {1, 2, 3, -4};
  ASSERT_OK(api().value_from_doubles(value.get(), numbers, 4));
  double back[4] = {};
  ASSERT_OK(api().value_to_doubles(value.get(), back, 4));
  EXPECT_EQ(back[3], -4);
  EXPECT_REFUSED(api().value_to_doubles(value.get(), back, 2), "4 numbers");
}

}  // namespace
