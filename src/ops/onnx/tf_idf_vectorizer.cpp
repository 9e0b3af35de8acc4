// TfIdfVectorizer: counts of n-grams (ONNX, opset 9).
#include <algorithm>

#include "ir/infer.h"
#include "ir/op.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::InferContext;
using ir::Shape;

void infer_tf_idf(InferContext& c) {
  const auto& a = c.attributes();
  const std::string mode = a.get_string("mode");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF") c.fail("mode must be TF, IDF or TFIDF, got '{}'", mode);
  const int64_t least = a.get_int("min_gram_length", 0), most = a.get_int("max_gram_length", 0);
  if (least < 1 || most < least) c.fail("min_gram_length {} and max_gram_length {} are no range", least, most);
  if (a.get_int("max_skip_count", 0) < 0) c.fail("max_skip_count must not be negative");
  const bool strings = a.has("pool_strings");
  if (strings == a.has("pool_int64s")) c.fail("exactly one of pool_strings and pool_int64s must be given");
  if (c.dtype(0) != DType::kNone && strings != (c.dtype(0) == DType::kString))
    c.fail("the pool and 'X' {} differ in type", c.input(0).to_string());
  const auto pool =
      static_cast<int64_t>(strings ? a.get_strings("pool_strings").size() : a.get_ints("pool_int64s").size());
  const std::vector<int64_t> counts = a.get_ints("ngram_counts"), indexes = a.get_ints("ngram_indexes");
  if (static_cast<int64_t>(counts.size()) < most)
    c.fail("ngram_counts has {} elements, but max_gram_length is {}", counts.size(), most);
  int64_t grams = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const int64_t end = i + 1 < counts.size() ? counts[i + 1] : pool;
    if (counts[i] < 0 || end < counts[i] || end > pool) c.fail("ngram_counts must ascend within the pool of {}", pool);
    if ((end - counts[i]) % static_cast<int64_t>(i + 1) != 0)
      c.fail("the pool's {} elements for {}-grams are no whole number of them", end - counts[i], i + 1);
    grams += (end - counts[i]) / static_cast<int64_t>(i + 1);
  }
  if (static_cast<int64_t>(indexes.size()) != grams)
    c.fail("ngram_indexes has {} elements for {} n-grams", indexes.size(), grams);
  if (indexes.empty()) c.fail("the pool is empty");
  for (int64_t index : indexes)
    if (index < 0 || index == INT64_MAX) c.fail("ngram_indexes has {}, which is no position", index);
  const auto weights = a.get_floats("weights");
  if (!weights.empty() && weights.size() != indexes.size())
    c.fail("weights has {} elements for {} n-grams", weights.size(), indexes.size());
  c.set(0, DType::kFloat32);
  const Shape* shape = c.shape(0);
  if (shape == nullptr) return;
  if (shape->size() > 2) c.fail("'X' must have rank 1 or 2, got {}", c.input(0).to_string());
  const Dim size = *std::max_element(indexes.begin(), indexes.end()) + 1;
  c.set(0, DType::kFloat32, shape->size() == 2 ? Shape{shape->front(), size} : Shape{size});
}

}  // namespace

void define_onnx_tf_idf_vectorizer(ir::OpTable& table) {
  table.add(
      {.domain = "",
       .name = "TfIdfVectorizer",
       .versions = {9},
       .signature =
           {.inputs = "X:T",
            .outputs = "Y:float32",
            .types = "T: string int32 int64",
            .attributes =
                "max_gram_length:int!, max_skip_count:int!, min_gram_length:int!, mode:string!, ngram_counts:ints!, "
                "ngram_indexes:ints!, pool_int64s:ints, pool_strings:strings, weights:floats"},
       .infer = infer_tf_idf});
}

}  // namespace onnxrun::ops
