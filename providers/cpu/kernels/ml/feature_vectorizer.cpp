// FeatureVectorizer: each input converted to float32 into its columns of the output.
#include <algorithm>

#include "cpu/cpu.h"
#include "cpu/loops/convert.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class FeatureVectorizer {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit FeatureVectorizer(const Node& node)
      : widths_(node.get_ints("inputdimensions")),
        convert_(converter(dtype(node.input(0)), DType::kFloat32)),
        bytes_(base::dtype_bits(dtype(node.input(0))) / 8) {}

  void run(RunContext& context) const {
    const auto out = provider::dims(context.output(0));
    if (out[1] == 0) return;
    const Cost bytes = Cost(out[1]) * (bytes_ + 4) + static_cast<int64_t>(widths_.size()) * 32;
    parallel_polled(context, out[0], bytes, [&](int64_t begin, int64_t end) {
      float* row = context.out<float>(0) + begin * out[1];
      for (int64_t i = begin; i < end; ++i)
        for (size_t k = 0; k < widths_.size(); ++k) {
          const onnxrun_tensor& input = context.input(k);
          const int64_t columns = provider::dims(input).back(), used = std::min(columns, widths_[k]);
          convert_(static_cast<const char*>(input.data) + i * columns * bytes_, row, used);
          std::fill(row + used, row + widths_[k], 0.0f);
          row += widths_[k];
        }
    });
  }

 private:
  std::vector<int64_t> widths_;
  Converter convert_;
  int64_t bytes_;
};

}  // namespace

void kernels_ml_feature_vectorizer(provider::KernelTable& table) {
  table.add<FeatureVectorizer>("ai.onnx.ml", "FeatureVectorizer", "reference");
}

}  // namespace onnxrun::cpu
