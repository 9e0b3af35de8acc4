// Changes to what nodes are given when a model is loaded: attributes, and the tensors of initializers and attributes.
#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

#include "base/dtype.h"
#include "fuzz/model_mutation.h"

namespace onnxrun::fuzz {
namespace {

using proto::AttributeProto;
using proto::NodeProto;
using proto::TensorProto;

constexpr int64_t kMostElements = 4096;
constexpr std::array<const char*, 40> kTexts = {"",
                                                "linear",
                                                "cubic",
                                                "nearest",
                                                "reflect",
                                                "constant",
                                                "edge",
                                                "wrap",
                                                "SAME_UPPER",
                                                "SAME_LOWER",
                                                "VALID",
                                                "NOTSET",
                                                "max",
                                                "min",
                                                "add",
                                                "mul",
                                                "none",
                                                "mean",
                                                "sum",
                                                "DCR",
                                                "CRD",
                                                "LEFT",
                                                "RIGHT",
                                                "ij,jk->ik",
                                                "i,ij->j",
                                                "...ii->",
                                                "->",
                                                "forward",
                                                "reverse",
                                                "bidirectional",
                                                "Tanh",
                                                "Relu",
                                                "half_pixel",
                                                "asymmetric",
                                                "tf_crop_and_resize",
                                                "align_corners",
                                                "LINEAR",
                                                "RBF",
                                                "(a*)*b",
                                                "\xff\xfe"};

// Other elements than before in some places; what the tensor says of itself stays.
void change_elements(TensorProto& tensor, Random& random) {
  if (!tensor.has_raw_data() || tensor.raw_data().empty() || random.chance(30)) return fill(tensor, random);
  std::string& bytes = *tensor.mutable_raw_data();
  const size_t width = tensor.data_type() == TensorProto::INT64 ? 8 : tensor.data_type() == TensorProto::FLOAT ? 4 : 1;
  for (size_t i = 0, changes = 1 + random.below(3); i < changes && bytes.size() >= width; ++i) {
    char* at = bytes.data() + random.below(bytes.size() / width) * width;
    const int64_t integer = random.integer();
    const auto number = static_cast<float>(random.number());
    if (width == 8) std::memcpy(at, &integer, 8);
    else if (width == 4) std::memcpy(at, &number, 4);
    else *at = static_cast<char>(random.below(256));
  }
}

void change_list(google::protobuf::RepeatedField<int64_t>& list, Random& random) {
  if (list.empty() || random.chance(20)) return list.Add(random.integer());
  if (random.chance(20)) return list.RemoveLast();
  if (random.chance(10)) return list.Clear();
  list.Set(static_cast<int>(random.below(static_cast<size_t>(list.size()))), random.integer());
}

void change_value(AttributeProto& attribute, Random& random) {
  switch (attribute.type()) {
    case AttributeProto::INT: attribute.set_i(random.integer()); break;
    case AttributeProto::FLOAT: attribute.set_f(static_cast<float>(random.number())); break;
    case AttributeProto::STRING: attribute.set_s(random.pick(kTexts)); break;
    case AttributeProto::INTS: change_list(*attribute.mutable_ints(), random); break;
    case AttributeProto::FLOATS:
      if (attribute.floats_size() == 0 || random.chance(30)) attribute.add_floats(static_cast<float>(random.number()));
      else if (random.chance(30)) attribute.mutable_floats()->RemoveLast();
      else
        attribute.set_floats(static_cast<int>(random.below(static_cast<size_t>(attribute.floats_size()))),
                             static_cast<float>(random.number()));
      break;
    case AttributeProto::STRINGS:
      if (attribute.strings_size() == 0 || random.chance(30)) attribute.add_strings(random.pick(kTexts));
      else
        *attribute.mutable_strings(static_cast<int>(random.below(static_cast<size_t>(attribute.strings_size())))) =
            random.pick(kTexts);
      break;
    case AttributeProto::TENSOR: change_elements(*attribute.mutable_t(), random); break;
    default: break;
  }
}

}  // namespace

void fill(TensorProto& tensor, Random& random) {
  tensor.clear_raw_data();
  tensor.clear_float_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_string_data();
  tensor.clear_double_data();
  tensor.clear_uint64_data();
  const int64_t count = element_count(tensor, kMostElements);
  if (count < 0) return;
  const auto length = static_cast<size_t>(count);
  switch (tensor.data_type()) {
    case TensorProto::STRING:
      for (size_t i = 0; i < length; ++i) tensor.add_string_data(random.pick(kTexts));
      return;
    case TensorProto::FLOAT: {
      std::vector<float> values(length);
      for (float& value : values) value = static_cast<float>(random.number());
      tensor.set_raw_data(values.data(), values.size() * sizeof(float));
      return;
    }
    case TensorProto::INT64: {
      std::vector<int64_t> values(length);
      for (int64_t& value : values) value = random.integer();
      tensor.set_raw_data(values.data(), values.size() * sizeof(int64_t));
      return;
    }
    case TensorProto::DOUBLE: {
      std::vector<double> values(length);
      for (double& value : values) value = random.number();
      tensor.set_raw_data(values.data(), values.size() * sizeof(double));
      return;
    }
    case TensorProto::BOOL: {
      std::string values(length, '\0');
      for (char& value : values) value = static_cast<char>(random.below(2));
      tensor.set_raw_data(values);
      return;
    }
    default: {
      if (!base::is_dtype(tensor.data_type())) return;
      const int bits = base::dtype_bits(static_cast<base::DType>(tensor.data_type()));
      std::string values((length * static_cast<size_t>(bits) + 7) / 8, '\0');
      const bool small = random.chance(60);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = static_cast<char>(small ? (bits <= 8 || i % static_cast<size_t>(bits / 8) == 0) * random.below(4)
                                            : random.below(256));
      tensor.set_raw_data(values);
    }
  }
}

AttributeProto make_attribute(const ir::AttributeSpec& spec, Random& random) {
  AttributeProto attribute;
  attribute.set_name(spec.name);
  const size_t length = random.below(5);
  if (spec.kind == "int") {
    attribute.set_type(AttributeProto::INT);
    attribute.set_i(random.integer());
  } else if (spec.kind == "float") {
    attribute.set_type(AttributeProto::FLOAT);
    attribute.set_f(static_cast<float>(random.number()));
  } else if (spec.kind == "string") {
    attribute.set_type(AttributeProto::STRING);
    attribute.set_s(random.pick(kTexts));
  } else if (spec.kind == "ints") {
    attribute.set_type(AttributeProto::INTS);
    for (size_t i = 0; i < length; ++i) attribute.add_ints(random.integer());
  } else if (spec.kind == "floats") {
    attribute.set_type(AttributeProto::FLOATS);
    for (size_t i = 0; i < length; ++i) attribute.add_floats(static_cast<float>(random.number()));
  } else if (spec.kind == "strings") {
    attribute.set_type(AttributeProto::STRINGS);
    for (size_t i = 0; i < length; ++i) attribute.add_strings(random.pick(kTexts));
  } else {
    attribute.set_type(AttributeProto::TENSOR);
    attribute.mutable_t()->set_data_type(random.chance(50) ? TensorProto::FLOAT : TensorProto::INT64);
    for (size_t i = 0; i < length % 3; ++i) attribute.mutable_t()->add_dims(random.between(0, 3));
    fill(*attribute.mutable_t(), random);
  }
  return attribute;
}

int64_t element_count(const TensorProto& tensor, int64_t most) {
  int64_t count = 1;
  for (const int64_t dim : tensor.dims()) {
    if (dim < 0 || dim > most) return -1;
    count *= dim;
    if (count > most) return -1;
  }
  return count;
}

void change_attribute(Subject& s) {
  NodeProto* node = s.node();
  if (node == nullptr) return;
  auto& attributes = *node->mutable_attribute();
  const auto index = static_cast<int>(s.random.below(static_cast<size_t>(attributes.size())));
  if (!attributes.empty() && s.random.chance(60)) return change_value(*attributes.Mutable(index), s.random);
  if (!attributes.empty() && s.random.chance(20)) return attributes.DeleteSubrange(index, 1);
  const ir::OpDef* op = operators().find(node->domain(), node->op_type());
  if (op == nullptr) return;
  const auto& known = operators().signature(*op).attributes;
  if (known.empty()) return;
  const ir::AttributeSpec& spec = s.random.pick(known);
  if (spec.kind == "graph") return;
  AttributeProto attribute = make_attribute(spec, s.random);
  if (s.random.chance(5)) {  // of another kind
    attribute.set_type(AttributeProto::INT);
    attribute.set_i(1);
  }
  const auto same = std::find_if(attributes.begin(), attributes.end(),
                                 [&](const AttributeProto& each) { return each.name() == spec.name; });
  if (same != attributes.end()) *same = attribute;
  else *attributes.Add() = attribute;
}

void change_tensor(Subject& s) {
  const auto tensors = s.tensors();
  if (tensors.empty()) return;
  TensorProto& tensor = *s.random.pick(tensors);
  auto& dims = *tensor.mutable_dims();
  const auto place = static_cast<int>(s.random.below(static_cast<size_t>(dims.size())));
  switch (s.random.below(8)) {
    case 0: dims.Add(s.random.between(0, 3)); break;
    case 1:
      if (!dims.empty()) dims.RemoveLast();
      break;
    case 2:
      if (!dims.empty()) dims.Set(place, s.random.chance(90) ? s.random.between(0, 7) : s.random.integer());
      break;
    case 3: tensor.set_data_type(static_cast<int>(s.random.between(1, 29))); break;
    default: return change_elements(tensor, s.random);
  }
  if (s.random.chance(95)) fill(tensor, s.random);
}

}  // namespace onnxrun::fuzz
