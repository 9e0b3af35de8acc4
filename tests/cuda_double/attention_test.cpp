// Attention on the double in its three forms (a warp a query, a block a query, products with a softmax between), against the CPU provider.
#include "on_double.h"

#include <cmath>
#include <random>

namespace {

using on_double::cuda;
using onnxrun::Tensor;

Tensor random_tensor(const std::vector<int64_t>& dims, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  size_t count = 1;
  for (int64_t dim : dims) count *= static_cast<size_t>(dim);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return Tensor::from<float>(dims, values);
}

// Runs the nodes of `body` on both providers; values of float32.
void expect_agreement(const std::string& inputs, const std::string& outputs, const std::string& body,
                      const onnxrun::NamedValues& values, double tolerance = 2e-5) {
  const onnxrun::Model model = onnxrun::Model::from_text("onnxrun text 1\nir_version 11\nopset ai.onnx 23\ngraph g(" +
                                                         inputs + ") -> (" + outputs + ") {\n" + body + "\n}\n");
  const onnxrun::Results expected = onnxrun::Session(model, {{"level", "0"}}).run(values);
  onnxrun::Options options = cuda();
  options.set("level", "0");
  on_double::expect_near(onnxrun::Session(model, options).run(values), expected, tolerance, body);
}

struct Case {
  int64_t batch, q_heads, kv_heads, q_length, kv_length, head, v_head;
  const char* attributes;
};

std::string shape(const std::vector<int64_t>& dims) {
  std::string text = "float32[";
  for (size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "" : ",") + std::to_string(dims[i]);
  return text + "]";
}

void check(const Case& c, bool merged, bool mask) {
  const auto dims = [&](int64_t heads, int64_t length, int64_t head) {
    return merged ? std::vector<int64_t>{c.batch, length, heads * head}
                  : std::vector<int64_t>{c.batch, heads, length, head};
  };
  const auto q = dims(c.q_heads, c.q_length, c.head), k = dims(c.kv_heads, c.kv_length, c.head),
             v = dims(c.kv_heads, c.kv_length, c.v_head);
  const std::vector<int64_t> m = {c.q_heads, c.q_length, c.kv_length};
  std::string inputs = "q: " + shape(q) + ", k: " + shape(k) + ", v: " + shape(v);
  onnxrun::NamedValues values{{"q", random_tensor(q, 1)}, {"k", random_tensor(k, 2)}, {"v", random_tensor(v, 3)}};
  if (mask) {
    inputs += ", m: " + shape(m);
    values.emplace_back("m", random_tensor(m, 4));
  }
  std::string attributes = c.attributes;
  if (merged)
    attributes += std::string(attributes.empty() ? "" : ", ") + "q_num_heads=" + std::to_string(c.q_heads) +
                  ", kv_num_heads=" + std::to_string(c.kv_heads);
  expect_agreement(
      inputs, "y",
      std::string("y = Attention(q, k, v") + (mask ? ", m" : "") + (attributes.empty() ? ")" : ", " + attributes + ")"),
      values);
}

TEST(CudaAttention, AgreesInEachForm) {
  const Case cases[] = {
      {2, 4, 4, 3, 50, 16, 8, ""},                       // a block a query
      {1, 2, 2, 1, 300, 64, 64, ""},                     // its warps have several tiles each
      {2, 6, 6, 20, 20, 16, 16, "is_causal=1"},          // products
      {2, 6, 2, 17, 40, 8, 24, ""},                      // queries of a group in one matrix
      {1, 4, 1, 33, 300, 20, 12, "softcap=2.0"},         // a softmax over more than a warp's row
      {3, 4, 4, 16, 9, 7, 5, "scale=0.3, is_causal=1"},  // rows that are no multiples of 16 bytes
  };
  for (const Case& c : cases)
    for (const bool merged : {false, true})
      for (const bool mask : {false, true}) check(c, merged, mask);
}

TEST(CudaAttention, OfManyQueriesWithAPast) {
  const std::vector<int64_t> q = {2, 4, 18, 8}, k = {2, 2, 18, 8}, past = {2, 2, 11, 8};
  expect_agreement(
      "q: " + shape(q) + ", k: " + shape(k) + ", v: " + shape(k) + ", pk: " + shape(past) + ", pv: " + shape(past),
      "y, ok, ov", "y, ok, ov = Attention(q, k, v, _, pk, pv, is_causal=1)",
      {{"q", random_tensor(q, 1)},
       {"k", random_tensor(k, 2)},
       {"v", random_tensor(k, 3)},
       {"pk", random_tensor(past, 4)},
       {"pv", random_tensor(past, 5)}});
}

// A key that all queries are told to overlook is no part of any result, whatever its value is.
TEST(CudaAttention, OverlooksWhatIsMasked) {
  const std::vector<int64_t> q = {1, 2, 20, 16}, k = {1, 2, 24, 16};
  std::vector<float> masks(20 * 24, 0.0f);
  for (size_t i = 0; i < masks.size(); ++i)
    if (i / 24 == 5 || i % 24 >= 21) masks[i] = -INFINITY;  // row 5 sees nothing
  const Tensor mask = Tensor::from<float>({20, 24}, masks);
  expect_agreement("q: " + shape(q) + ", k: " + shape(k) + ", v: " + shape(k) + ", m: float32[20,24]", "y",
                   "y = Attention(q, k, v, m)",
                   {{"q", random_tensor(q, 1)}, {"k", random_tensor(k, 2)}, {"v", random_tensor(k, 3)}, {"m", mask}});
}

}  // namespace
