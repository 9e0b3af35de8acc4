// Reads the one value an AttributeProto holds, by its type.
#include "import/attributes.h"

#include <cstring>

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

// The number of the field that holds a value of a type.
uint32_t field_of(AttributeType type) {
  switch (type) {
    case AttributeType::kFloat: return 2;
    case AttributeType::kInt: return 3;
    case AttributeType::kString: return 4;
    case AttributeType::kTensor: return 5;
    case AttributeType::kFloats: return 7;
    case AttributeType::kInts: return 8;
    case AttributeType::kStrings: return 9;
    case AttributeType::kTensors: return 10;
    case AttributeType::kType: return 14;
    case AttributeType::kSparseTensor: return 22;
    default: return 0;
  }
}

// A missing field of these types means zero, nothing or an empty list, as writers of proto3 leave such values out.
ir::AttributeValue initial(AttributeType type) {
  switch (type) {
    case AttributeType::kFloat: return 0.0f;
    case AttributeType::kInt: return int64_t{0};
    case AttributeType::kString: return std::string();
    case AttributeType::kFloats: return std::vector<float>();
    case AttributeType::kInts: return std::vector<int64_t>();
    case AttributeType::kStrings: return std::vector<std::string>();
    case AttributeType::kTensors: return std::vector<base::Tensor>();
    case AttributeType::kType: return ir::Fact();
    default: return base::Tensor();
  }
}

// Makes room for `count` elements, once it is charged.
template <class T>
void make_room(Context& context, ir::AttributeValue& value, size_t count) {
  context.take(count * sizeof(T));
  std::get<std::vector<T>>(value).reserve(count);
}

// That for all elements of a list.
void make_room(Context& context, const AttributeView& attribute, ir::AttributeValue& value) {
  size_t count = 0;
  Message m(context.file, attribute.message, "AttributeProto");
  while (m.next()) {
    if (m.field() != field_of(attribute.type)) m.skip();
    else if (attribute.type == AttributeType::kInts) m.integers([&](int64_t) { ++count; });
    else if (attribute.type == AttributeType::kFloats) m.fixed(4, [&](Bytes run) { count += run.size() / 4; });
    else m.skip(), ++count;
  }
  switch (attribute.type) {
    case AttributeType::kInts: return make_room<int64_t>(context, value, count);
    case AttributeType::kFloats: return make_room<float>(context, value, count);
    case AttributeType::kStrings: return make_room<std::string>(context, value, count);
    case AttributeType::kTensors:
      context.take(count * (base::kTensorBytes - sizeof(base::Tensor)));
      return make_room<base::Tensor>(context, value, count);
    default: return;
  }
}

}  // namespace

ir::AttributeValue read_attribute(Context& context, const AttributeView& attribute) {
  const uint32_t wanted = field_of(attribute.type);
  if (wanted == 0) {
    if (attribute.type == AttributeType::kUndefined)
      fail(Code::kInvalidModel, "attribute '{}' has no value", shown(attribute.name));
    fail(Code::kUnsupported, "attribute '{}' has a type (number {}) that no known operator takes",
         shown(attribute.name), static_cast<int>(attribute.type));
  }
  ir::AttributeValue value = initial(attribute.type);
  make_room(context, attribute, value);
  bool found = false;
  Message m(context.file, attribute.message, "AttributeProto");
  while (m.next()) {
    if (m.field() != wanted) {
      m.skip();
      continue;
    }
    found = true;
    switch (attribute.type) {
      case AttributeType::kFloat: value = m.float32(); break;
      case AttributeType::kInt: value = m.integer(); break;
      case AttributeType::kString: {
        const Bytes text = m.string();
        context.take(text.size());
        value = std::string(text);
        break;
      }
      case AttributeType::kTensor: value = read_tensor(context.source, m.bytes()); break;
      case AttributeType::kSparseTensor: value = read_sparse_tensor(context.source, m.bytes()); break;
      case AttributeType::kType:
        value = read_type(context, m.bytes(), fmt::format("attribute '{}'", shown(attribute.name)));
        break;
      case AttributeType::kInts:
        m.integers([&](int64_t v) { std::get<std::vector<int64_t>>(value).push_back(v); });
        break;
      case AttributeType::kStrings: {
        const Bytes text = m.string();
        context.take(text.size());
        std::get<std::vector<std::string>>(value).emplace_back(text);
        break;
      }
      case AttributeType::kTensors: {
        std::get<std::vector<base::Tensor>>(value).push_back(read_tensor(context.source, m.bytes()));
        break;
      }
      case AttributeType::kFloats:
        m.fixed(4, [&](Bytes run) {
          auto& floats = std::get<std::vector<float>>(value);
          const size_t old = floats.size();
          floats.resize(old + run.size() / 4);
          if (!run.empty()) std::memcpy(floats.data() + old, run.data(), run.size());
        });
        break;
      default: m.skip();
    }
  }
  if (!found && (attribute.type == AttributeType::kTensor || attribute.type == AttributeType::kSparseTensor)) {
    fail(Code::kInvalidModel, "attribute '{}' has no tensor", shown(attribute.name));
  }
  return value;
}

}  // namespace onnxrun::import
