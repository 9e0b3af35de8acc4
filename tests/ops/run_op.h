// Runs one operator through lift, inference, planning and the CPU's kernels, for tests of single operators.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "base/tensor.h"
#include "base/value.h"
#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {

const ir::OpTable& all_operators();

struct OpCase {
  std::string op;
  std::string domain = "";
  ir::Attributes attributes = {};
  std::vector<base::Tensor> inputs = {};  // empty: absent
  size_t outputs = 1;
  int since = 0;                       // the version the node is written for; 0: the newest
  std::vector<bool> constant = {};     // which inputs the model knows; none when shorter
  std::vector<base::Value> maps = {};  // instead of `inputs`
  bool decomposed = false;             // by its decomposition, which must be able to
};

// The outputs of the operator on these inputs, which are fed at run time unless constant. Throws what the stages throw.
std::vector<base::Tensor> run_op(const OpCase& test);
// The same for outputs of any kind.
std::vector<base::Value> run_op_values(const OpCase& test);
// Fails unless running it throws, with these words.
void expect_refused(const OpCase& test, const char* words);

// What is inferred for the operator's outputs from facts of its inputs.
std::vector<ir::Fact> infer_op(const std::string& op, std::vector<ir::Fact> inputs, ir::Attributes attributes = {},
                               size_t outputs = 1);

// A tensor of any numeric type from numbers; `dims` left out: a vector of them all.
template <class T>
base::Tensor tensor(std::vector<T> values, base::Dims dims) {
  base::Tensor result(base::dtype_of<T>, std::move(dims));
  std::copy(values.begin(), values.end(), result.mutable_data<T>());
  return result;
}
inline base::Tensor int64s(std::vector<int64_t> values) {
  const auto count = static_cast<int64_t>(values.size());
  return tensor<int64_t>(std::move(values), {count});
}
inline base::Tensor floats(std::vector<float> values) {
  const auto count = static_cast<int64_t>(values.size());
  return tensor<float>(std::move(values), {count});
}

template <class T>
std::vector<T> values(const base::Tensor& tensor) {
  const auto span = tensor.span<T>();
  return {span.begin(), span.end()};
}

}  // namespace onnxrun::ops
