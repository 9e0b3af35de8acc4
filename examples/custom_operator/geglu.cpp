// The operator example.GeGlu: one half of the last axis, gated by the GELU of the other (Shazeer 2020), as a library for --op-library.
#include <onnxrun/custom_op.hpp>

#include <cmath>
#include <numbers>
#include <vector>

namespace {

using onnxrun::Code;
using onnxrun::Error;
using namespace onnxrun::provider;

// y[..., i] = x[..., i] * gelu(x[..., n + i]) for x of 2 n elements on the last axis; `scale` multiplies the result.
struct GeGlu {
  static constexpr const char* kDomain = "example";
  static constexpr const char* kName = "GeGlu";
  static constexpr const char* kInputs = "x:T";
  static constexpr const char* kOutputs = "y:T";
  static constexpr const char* kTypes = "T: float32 float64";
  static constexpr const char* kAttributes = "scale:float";

  static void infer(onnxrun::ops::Infer& infer) {
    const int32_t dtype = infer.input(0).dtype;
    if (!infer.rank_known(0)) return infer.set(0, dtype);
    std::vector<int64_t> dims(infer.dims(0).begin(), infer.dims(0).end());
    if (dims.empty()) throw Error(Code::kInvalidModel, "x is a scalar and has no halves");
    // A size that is not known yet has a half that is not known either.
    if (dims.back() >= 0 && dims.back() % 2 != 0)
      throw Error(Code::kInvalidModel,
                  "the last axis of x has " + std::to_string(dims.back()) + " elements, an odd number");
    dims.back() = dims.back() < 0 ? -1 : dims.back() / 2;
    infer.set(0, dtype, dims);
  }
};

template <class T, int32_t kDtype>
class GeGluKernel {
 public:
  static Acceptance accepts(const Node& node) {
    return node.input(0).dtype == kDtype ? Acceptance() : Acceptance::decline("another element type");
  }

  explicit GeGluKernel(const Node& node) : scale_(static_cast<T>(node.get_float("scale", 1))) {
    half_ = dims(node.input(0)).back() / 2;
    rows_ = half_ == 0 ? 0 : count(node.input(0)) / (2 * half_);
  }

  void run(RunContext& context) const {
    const T* const x = context.in<T>(0);
    T* const y = context.out<T>(0);
    context.parallel(rows_, 16, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        for (int64_t i = 0; i < half_; ++i)
          y[row * half_ + i] = scale_ * x[row * 2 * half_ + i] * gelu(x[row * 2 * half_ + half_ + i]);
    });
  }

 private:
  static T gelu(T x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2_v<T>)); }

  T scale_;
  int64_t half_ = 0, rows_ = 0;
};

}  // namespace

ONNXRUN_OPS(library) {
  library.add<GeGlu>()
      .kernel<GeGluKernel<float, ONNXRUN_DTYPE_FLOAT32>>("cpu", "float32")
      .kernel<GeGluKernel<double, ONNXRUN_DTYPE_FLOAT64>>("cpu", "float64");
}
