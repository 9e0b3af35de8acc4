// TypeProto to facts.
#include "import/context.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::DType;
using base::fail;

class TypeReader {
 public:
  TypeReader(Context& context, const std::string& what) : context_(context), what_(what) {}

  ir::Fact type(Bytes bytes, int64_t depth) {
    if (depth > context_.options.limits.max_nesting)
      base::exceed(fmt::format("{} has a type nested {} deep", what_, depth), context_.options.limits.max_nesting,
                   "max_nesting");
    ir::Fact fact;
    bool found = false;
    Message m(context_.file, bytes, "TypeProto");
    while (m.next()) {
      const uint32_t field = m.field();
      if (field != 1 && field != 4 && field != 5 && field != 7 && field != 8 && field != 9) {
        m.skip();
        continue;
      }
      if (found) m.fail(fmt::format("of {} says two kinds", what_));
      found = true;
      const Bytes inner = m.bytes();
      switch (field) {
        case 1: fact = tensor(inner); break;
        case 4: fact = ir::Fact::sequence(element(inner, "TypeProto.Sequence", depth)); break;
        case 5: fact = map(inner, depth); break;
        case 7: fail(Code::kUnsupported, "{} has an opaque type, which only its producer understands", what_);
        case 8:
          fact = tensor(inner);
          fact.kind = ir::TypeKind::kSparseTensor;
          break;
        default: fact = ir::Fact::optional(element(inner, "TypeProto.Optional", depth)); break;
      }
    }
    return fact;
  }

 private:
  DType dtype(int64_t number) {
    if (number != 0 && !base::is_dtype(number)) {
      fail(Code::kInvalidModel, "{} has the unknown element type {} (1 to {} are known)", what_, number,
           base::kLastDType);
    }
    return static_cast<DType>(number);
  }

  ir::Fact tensor(Bytes bytes) {
    ir::Fact fact = ir::Fact::tensor(DType::kNone);
    Message m(context_.file, bytes, "TypeProto.Tensor");
    while (m.next()) {
      switch (m.field()) {
        case 1: fact.dtype = dtype(m.integer()); break;
        case 2: fact.shape = shape(m.bytes()); break;
        default: m.skip();
      }
    }
    return fact;
  }

  ir::Fact element(Bytes bytes, std::string_view kind, int64_t depth) {
    ir::Fact fact;
    Message m(context_.file, bytes, kind);
    while (m.next()) {
      if (m.field() == 1) fact = type(m.bytes(), depth + 1);
      else m.skip();
    }
    return fact;
  }

  ir::Fact map(Bytes bytes, int64_t depth) {
    DType key = DType::kNone;
    ir::Fact value;
    Message m(context_.file, bytes, "TypeProto.Map");
    while (m.next()) {
      switch (m.field()) {
        case 1: key = dtype(m.integer()); break;
        case 2: value = type(m.bytes(), depth + 1); break;
        default: m.skip();
      }
    }
    return ir::Fact::map(key, std::move(value));
  }

  ir::Shape shape(Bytes bytes) {
    ir::Shape result;
    Message m(context_.file, bytes, "TensorShapeProto");
    while (m.next()) {
      if (m.field() != 1) {
        m.skip();
        continue;
      }
      if (static_cast<int64_t>(result.size()) >= context_.options.limits.max_rank) {
        base::exceed(fmt::format("{} has {} dims or more", what_, result.size() + 1), context_.options.limits.max_rank,
                     "max_rank");
      }
      result.push_back(dim(m.bytes()));
    }
    return result;
  }

  ir::Dim dim(Bytes bytes) {
    ir::Dim result;
    Message m(context_.file, bytes, "TensorShapeProto.Dimension");
    while (m.next()) {
      if (m.field() == 1) {
        const int64_t value = m.integer();
        if (value < 0)
          context_.warn(what_, fmt::format("the dim {} is taken as unknown", value),
                        "a size of 0 or more, a name, or neither", "leave the dim out or name it");
        result = value < 0 ? ir::Dim() : ir::Dim(value);
      } else if (m.field() == 2) {
        const std::string_view name = m.text();
        result = ir::Dim();
        // Some exporters write one of these for every unknown dim, though a name means the same size everywhere.
        if (name.empty() || name == "?" || name == "-1" || name == "None") continue;
        context_.symbols.emplace(name);
        const auto given = context_.options.dims.find(std::string(name));
        result = given != context_.options.dims.end() ? ir::Dim(given->second) : ir::Dim::symbol(name);
      } else {
        m.skip();
      }
    }
    return result;
  }

  Context& context_;
  const std::string& what_;
};

}  // namespace

ir::Fact read_type(Context& context, Bytes message, const std::string& what) {
  return TypeReader(context, what).type(message, 0);
}

}  // namespace onnxrun::import
