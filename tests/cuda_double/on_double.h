// Sessions of the CUDA provider on the double, for its tests.
#pragma once

#include <gtest/gtest.h>
#include <onnxrun/onnxrun.hpp>

#include <cmath>
#include <cstdlib>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

extern "C" {
void cuda_double_start();
const char* cuda_double_history();
void cuda_double_held(int64_t* device, int64_t* pinned);
}

namespace on_double {

inline const std::string kFolder = std::string(ONNXRUN_BINARY_DIR) + "/lib/cuda_double";

constexpr onnxrun::Device kCuda{2, 0};

inline std::vector<float> counting(size_t count, float first) {
  std::vector<float> result(count);
  std::iota(result.begin(), result.end(), first);
  return result;
}

inline onnxrun::Options cuda(std::vector<std::string> settings = {}, const std::string& providers = "cuda") {
  settings.insert(settings.begin(), "libraries=" + kFolder);
  onnxrun::Options options;
  options.add_provider_library(kFolder + "/libonnxrun_provider_cuda.so", settings);
  options.set("providers", providers);
  return options;
}

// A model of the text form: what stands between the braces of its graph.
inline onnxrun::Model model_of(const std::string& inputs, const std::string& outputs, const std::string& body) {
  return onnxrun::Model::from_text("onnxrun text 1\nir_version 8\nopset ai.onnx 17\ngraph g(" + inputs + ") -> (" +
                                   outputs + ") {\n" + body + "\n}\n");
}

// Each element of each value is near the expected one, relative to that or to 1.
inline void expect_near(const onnxrun::Results& got, const onnxrun::Results& expected, double tolerance,
                        const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (const auto& [name, value] : expected) {
    const onnxrun::Tensor a(got.at(name)), b(value);
    ASSERT_EQ(a.shape(), b.shape()) << what << ", " << name;
    const std::vector<double> result = a.doubles(), want = b.doubles();
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(result[i], want[i], tolerance * (1 + std::fabs(want[i]))) << what << ", " << name << " " << i;
  }
}

// An environment variable that is set while it lives, and then what it was.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_) setenv(name_, before_->c_str(), 1);
    else unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace on_double
