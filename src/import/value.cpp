// Values stored on their own (test data): TensorProto, SequenceProto, OptionalProto and MapProto.
#include <algorithm>
#include <numeric>

#include "base/charge.h"
#include "import/context.h"

namespace onnxrun::import {
namespace {

using base::DType;
using base::fail;
using base::Tensor;
using base::Value;

// SequenceProto.DataType and OptionalProto.DataType.
enum Element : int64_t { kUndefined = 0, kTensor = 1, kSparse = 2, kSequence = 3, kMap = 4, kOptional = 5 };

template <class T>
void gather_sorted(const std::vector<T>& keys, const std::vector<size_t>& order, Tensor& to) {
  for (size_t i = 0; i < order.size(); ++i) {
    if (i > 0 && !(keys[order[i - 1]] < keys[order[i]])) fail(Code::kInvalidModel, "a map has the same key twice");
    to.mutable_data<T>()[i] = keys[order[i]];
  }
}

template <class T>
std::vector<size_t> sorted_order(const std::vector<T>& keys) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  return order;
}

class ValueReader {
 public:
  explicit ValueReader(std::span<const std::byte> bytes)
      : file_{{reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "value"},
        budget_(std::make_shared<base::Budget>(limits_.max_run_bytes)) {
    source_.file = &file_;
    source_.budget = budget_;
    source_.limits = &limits_;
  }

  Value read(ir::TypeKind kind, std::string* name) {
    std::string unused;
    name_ = name ? name : &unused;
    switch (kind) {
      case ir::TypeKind::kSequence: return sequence(file_.bytes, 0);
      case ir::TypeKind::kOptional: return optional(file_.bytes, 0);
      case ir::TypeKind::kMap: return map(file_.bytes, 0);
      case ir::TypeKind::kSparseTensor: return read_sparse_tensor(source_, file_.bytes);
      default: return read_tensor(source_, file_.bytes, name_);
    }
  }

 private:
  void check_depth(int64_t depth) const {
    if (depth > limits_.max_nesting)
      base::exceed(fmt::format("a value nested {} deep", depth), limits_.max_nesting, "max_nesting");
  }

  Value sequence(Bytes bytes, int64_t depth) {
    check_depth(depth);
    auto result = std::make_shared<base::Sequence>();
    int64_t kind = -1;
    Message m(file_, bytes, "SequenceProto");
    while (m.next()) {
      const uint32_t field = m.field();
      if (field == 1) {
        const std::string_view name = m.text();
        if (depth == 0) *name_ = name;
      } else if (field == 2) {
        m.skip();
      } else if (field >= 3 && field <= 7) {
        if (kind >= 0 && kind != field) m.fail("mixes elements of several kinds");
        kind = field;
        budget_->charge(static_cast<int64_t>(sizeof(Value)));
        result->elements.push_back(element(field, m.bytes(), depth));
      } else {
        m.skip();
      }
    }
    return Value(std::shared_ptr<const base::Sequence>(std::move(result)));
  }

  // Fields 3 to 7 hold a value of one kind each, in SequenceProto and OptionalProto alike.
  Value element(uint32_t field, Bytes bytes, int64_t depth) {
    switch (field) {
      case 3: return read_tensor(source_, bytes);
      case 4: return read_sparse_tensor(source_, bytes);
      case 5: return sequence(bytes, depth + 1);
      case 6: return map(bytes, depth + 1);
      default: return optional(bytes, depth + 1);
    }
  }

  Value optional(Bytes bytes, int64_t depth) {
    check_depth(depth);
    Value result;
    Message m(file_, bytes, "OptionalProto");
    while (m.next()) {
      const uint32_t field = m.field();
      if (field == 1) {
        const std::string_view name = m.text();
        if (depth == 0) *name_ = name;
      } else if (field >= 3 && field <= 7) {
        if (!result.absent()) m.fail("holds two values");
        result = element(field, m.bytes(), depth);
      } else {
        m.skip();
      }
    }
    return result;
  }

  Value map(Bytes bytes, int64_t depth) {
    check_depth(depth);
    base::Charge charge(budget_);
    std::vector<int64_t> keys;
    std::vector<std::string> string_keys;
    int64_t key_type = 0;
    std::optional<Bytes> values_bytes;
    Message m(file_, bytes, "MapProto");
    while (m.next()) {
      switch (m.field()) {
        case 1: {
          const std::string_view name = m.text();
          if (depth == 0) *name_ = name;
          break;
        }
        case 2: key_type = m.integer(); break;
        // Of a list that doubles; and the order of the keys.
        case 3:
          m.integers([&](int64_t key) {
            charge.add(4 * sizeof(int64_t));
            keys.push_back(key);
          });
          break;
        case 4: {
          const Bytes key = m.bytes();
          charge.add(static_cast<int64_t>(3 * sizeof(std::string) + key.size()));
          string_keys.emplace_back(key);
          break;
        }
        case 5: m.once(values_bytes); break;
        default: m.skip();
      }
    }
    if (!keys.empty() && !string_keys.empty()) m.fail("has integer and string keys");
    const bool strings = !string_keys.empty() || key_type == static_cast<int64_t>(DType::kString);
    const size_t count = strings ? string_keys.size() : keys.size();
    auto result = std::make_shared<base::Map>();
    result->key = strings ? DType::kString : DType::kInt64;
    const std::vector<size_t> order = strings ? sorted_order(string_keys) : sorted_order(keys);
    result->keys = Tensor(result->key, {static_cast<int64_t>(count)}, budget_);
    if (strings) gather_sorted(string_keys, order, result->keys);
    else gather_sorted(keys, order, result->keys);
    result->values = map_values(values_bytes, order, depth);
    result->value = result->values.dtype();
    return Value(std::shared_ptr<const base::Map>(std::move(result)));
  }

  // The scalars of a sequence in the order of the keys, as one tensor.
  Tensor map_values(const std::optional<Bytes>& bytes, const std::vector<size_t>& order, int64_t depth) {
    const auto count = static_cast<int64_t>(order.size());
    if (!bytes) {
      if (count != 0) fail(Code::kInvalidModel, "a map has keys but no values");
      return Tensor(DType::kFloat32, {0});
    }
    const Value list = sequence(*bytes, depth + 1);
    const std::vector<Value>& elements = list.sequence().elements;
    if (elements.size() != order.size())
      fail(Code::kInvalidModel, "a map has {} keys and {} values", order.size(), elements.size());
    if (elements.empty()) return Tensor(DType::kFloat32, {0});
    const DType dtype = elements.front().tensor().dtype();
    if (base::is_sub_byte(dtype)) fail(Code::kUnsupported, "maps to {} are not supported", base::dtype_name(dtype));
    Tensor result(dtype, {count}, budget_);
    const size_t width = static_cast<size_t>(base::dtype_bits(dtype)) / 8;
    for (size_t i = 0; i < order.size(); ++i) {
      const Tensor& value = elements[order[i]].tensor();
      if (value.dtype() != dtype || value.count() != 1)
        fail(Code::kInvalidModel, "the values of a map must be scalars of one type");
      if (dtype == DType::kString) result.mutable_data<std::string>()[i] = *value.data<std::string>();
      else
        std::copy_n(static_cast<const char*>(value.raw()), width, static_cast<char*>(result.mutable_raw()) + i * width);
    }
    return result;
  }

  base::Limits limits_;
  WireFile file_;
  base::BudgetPtr budget_;
  TensorSource source_;
  std::string* name_ = nullptr;
};

}  // namespace

Value read_value_pb(std::span<const std::byte> bytes, const ir::Fact& expected, std::string* name) {
  return ValueReader(bytes).read(expected.kind, name);
}

Tensor read_tensor_pb(std::span<const std::byte> bytes, std::string* name) {
  return ValueReader(bytes).read(ir::TypeKind::kTensor, name).tensor();
}

}  // namespace onnxrun::import
