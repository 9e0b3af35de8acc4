// The small models and their runs.
#include "adapt.h"

#include <span>
#include <string>
#include <vector>

#include "dtype_names.h"

namespace cli {
namespace {

using onnxrun::Tensor;

// As the text form writes it: "float32[1,3]".
std::string type_of(const Tensor& tensor) {
  std::string dims;
  for (const int64_t dim : tensor.shape()) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
  return std::string(dtype_name(tensor.dtype())) + "[" + dims + "]";
}

Tensor run(const std::string& graph, const onnxrun::NamedValues& inputs) {
  const std::string text = "onnxrun text 1\nir_version 10\nopset ai.onnx 21\ngraph adapt" + graph;
  const onnxrun::Session session{onnxrun::Model(std::as_bytes(std::span(text)))};
  return session.run(inputs).at("y");
}

}  // namespace

Tensor cast(const Tensor& tensor, onnxrun_dtype dtype) {
  const std::string node = "y = Cast(x, to=" + std::to_string(dtype) + ")";
  return run("(x: " + type_of(tensor) + ") -> (y) {\n  " + node + "\n}\n", {{"x", tensor}});
}

Tensor with_rows(const Tensor& tensor, int64_t rows) {
  const onnxrun::Shape shape = tensor.shape();
  if (shape.empty() || shape[0] == 0 || shape[0] == rows) return tensor;
  std::vector<int64_t> from(static_cast<size_t>(rows));
  for (size_t i = 0; i < from.size(); ++i) from[i] = static_cast<int64_t>(i) % shape[0];
  return run("(x: " + type_of(tensor) + ", i: int64[rows]) -> (y) {\n  y = Gather(x, i, axis=0)\n}\n",
             {{"x", tensor}, {"i", Tensor::from({rows}, from)}});
}

}  // namespace cli
