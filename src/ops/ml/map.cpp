// ai.onnx.ml.ZipMap, DictVectorizer and CastMap: between tensors and maps.
#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/attributes/labels.h"
#include "ops/feature_rows.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::DType;
using ir::Fact;
using ir::InferContext;
using ir::Shape;

// Key and value type of input 0; kNone where they are not known.
std::pair<DType, DType> map_types(const Fact& map) {
  return {map.key, map.element ? map.element->dtype : DType::kNone};
}

void infer_zip_map(InferContext& c) {
  const Labels keys = read_labels(c.attributes(), "classlabels_int64s", "classlabels_strings");
  const Dim columns = feature_rows(c).features;
  if (columns.is_constant() && columns.value() != static_cast<int64_t>(keys.size()))
    c.fail("there are {} keys for the columns of 'X' {}", keys.size(), c.input(0).to_string());
  c.set(0, Fact::sequence(
               Fact::map(keys.are_strings() ? DType::kString : DType::kInt64, Fact::tensor(DType::kFloat32, {}))));
}

void infer_dict_vectorizer(InferContext& c) {
  const Labels vocabulary = read_labels(c.attributes(), "int64_vocabulary", "string_vocabulary");
  const auto [key, value] = map_types(c.input(0));
  if (key != DType::kNone && vocabulary.are_strings() != (key == DType::kString))
    c.fail("the vocabulary holds {}, but the keys of 'X' are {}", vocabulary.are_strings() ? "strings" : "integers",
           base::dtype_name(key));
  c.set(0, value, Shape{1, static_cast<int64_t>(vocabulary.size())});
}

DType cast_type(InferContext& c) {
  const std::string name = c.attributes().get_string("cast_to", "TO_FLOAT");
  if (name == "TO_FLOAT") return DType::kFloat32;
  if (name == "TO_STRING") return DType::kString;
  if (name == "TO_INT64") return DType::kInt64;
  c.fail("'cast_to' is \"{}\", but must be TO_FLOAT, TO_STRING or TO_INT64", name);
}

// In canonical form the values keep their type.
void infer_cast_map(InferContext& c) {
  const DType to = cast_type(c);
  const auto [key, value] = map_types(c.input(0));
  if (key != DType::kNone && key != DType::kInt64)
    c.fail("the keys of 'X' must be int64, got {}", base::dtype_name(key));
  if (value != DType::kNone && value != DType::kFloat32 && value != DType::kString)
    c.fail("the values of 'X' must be float32 or string, got {}", base::dtype_name(value));
  const std::string form = c.attributes().get_string("map_form", "DENSE");
  if (form != "DENSE" && form != "SPARSE") c.fail("'map_form' is \"{}\", but must be DENSE or SPARSE", form);
  const int64_t length = c.attributes().get_int("max_map", 1);
  if (form == "SPARSE" && length < 1) c.fail("'max_map' is {}, but must be 1 or more", length);
  c.set(0, to, Shape{1, form == "SPARSE" ? Dim(length) : Dim()});
}

void lift_cast_map(ir::Expansion& e, int) {
  const ir::Fact& map = e.fact(e.input(0));
  const DType value = map_types(map).second;
  if (value == DType::kNone) e.fail("the type of CastMap's input must be known, got {}", map.to_string());
  const std::string own = value == DType::kString ? "TO_STRING" : "TO_FLOAT",
                    wanted = e.attributes().get_string("cast_to", "TO_FLOAT");
  if (wanted == own || (wanted != "TO_FLOAT" && wanted != "TO_STRING" && wanted != "TO_INT64")) return e.keep();
  ir::Attributes attributes = e.attributes();
  attributes.set("cast_to", own);
  const ir::ValueId values = e.emit("CastMap", {e.input(0)}, std::move(attributes), "ai.onnx.ml");
  const DType to = wanted == "TO_STRING" ? DType::kString : wanted == "TO_INT64" ? DType::kInt64 : DType::kFloat32;
  e.finish("Cast", {values}, {{"to", static_cast<int64_t>(to)}});
}

}  // namespace

void define_ml_map(ir::OpTable& table) {
  table.add({.domain = "ai.onnx.ml",
             .name = "ZipMap",
             .versions = {1},
             .signature = {.inputs = "X:float32",
                           .outputs = "Z:seq",
                           .attributes = "classlabels_int64s:ints, classlabels_strings:strings"},
             .flags = ir::kStructural,
             .infer = infer_zip_map});
  table.add({.domain = "ai.onnx.ml",
             .name = "DictVectorizer",
             .versions = {1},
             .signature = {.inputs = "X:map",
                           .outputs = "Y:T2",
                           .types = "T2: int64 float32 float64 string",
                           .attributes = "int64_vocabulary:ints, string_vocabulary:strings"},
             .flags = ir::kStructural,
             .infer = infer_dict_vectorizer});
  table.add({.domain = "ai.onnx.ml",
             .name = "CastMap",
             .versions = {1},
             .signature = {.inputs = "X:map",
                           .outputs = "Y:T2",
                           .types = "T2: string float32 int64",
                           .attributes = "cast_to:string, map_form:string, max_map:int"},
             .flags = ir::kStructural,
             .infer = infer_cast_map,
             .lift = lift_cast_map});
}

}  // namespace onnxrun::ops
