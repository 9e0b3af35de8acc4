// Calls of the C interface for tests: outcomes, handles that free themselves, small values.
#pragma once

#include <gtest/gtest.h>
#include <onnxrun/onnxrun.h>

#include <string>
#include <vector>

#include "c_handles.h"
#include "model_bytes.h"

namespace c_calls {

using c_handles::api;
using c_handles::Handle;

// Code and message of a call; frees the status.
struct Outcome {
  explicit Outcome(onnxrun_status* status) : code(api().status_code(status)), message(api().status_message(status)) {
    api().status_free(status);
  }
  onnxrun_code code;
  std::string message;
};

#define EXPECT_OK(call)                                       \
  do {                                                        \
    const Outcome outcome_(call);                             \
    EXPECT_EQ(outcome_.code, ONNXRUN_OK) << outcome_.message; \
  } while (0)
#define ASSERT_OK(call)                                       \
  do {                                                        \
    const Outcome outcome_(call);                             \
    ASSERT_EQ(outcome_.code, ONNXRUN_OK) << outcome_.message; \
  } while (0)
#define EXPECT_REFUSED(call, part)                                                 \
  do {                                                                             \
    const Outcome outcome_(call);                                                  \
    EXPECT_EQ(outcome_.code, ONNXRUN_INVALID_ARGUMENT) << outcome_.message;        \
    EXPECT_NE(outcome_.message.find(part), std::string::npos) << outcome_.message; \
  } while (0)

// Calls `make(out)` and takes over what it gives.
template <class T, class Make>
Handle<T> made(Make&& make) {
  T* out = nullptr;
  const Outcome outcome(make(&out));
  EXPECT_EQ(outcome.code, ONNXRUN_OK) << outcome.message;
  EXPECT_NE(out, nullptr);
  return Handle<T>(out);
}

inline Handle<onnxrun_model> load_sums() {
  const std::string bytes = model_bytes::sums();
  return made<onnxrun_model>(
      [&](auto** out) { return api().model_load_bytes(bytes.data(), bytes.size(), nullptr, out); });
}

inline Handle<onnxrun_session> session_of(const onnxrun_model* model) {
  return made<onnxrun_session>([&](auto** out) { return api().session_create(model, nullptr, out); });
}

inline Handle<onnxrun_value> floats(std::vector<int64_t> dims, const std::vector<double>& values) {
  auto value = made<onnxrun_value>(
      [&](auto** out) { return api().value_create_tensor(ONNXRUN_DTYPE_FLOAT32, dims.data(), dims.size(), out); });
  EXPECT_OK(api().value_from_doubles(value.get(), values.data(), values.size()));
  return value;
}

inline std::vector<double> doubles(const onnxrun_value* value) {
  int64_t count = 0;
  EXPECT_OK(api().value_tensor_info(value, nullptr, nullptr, nullptr, &count));
  std::vector<double> result(static_cast<size_t>(count));
  EXPECT_OK(api().value_to_doubles(value, result.data(), result.size()));
  return result;
}

inline std::string text(const onnxrun_blob* blob) { return {api().blob_data(blob), api().blob_size(blob)}; }

}  // namespace c_calls
