// LabelEncoder, CategoryMapper and OneHotEncoder: elements looked up in a packed table of keys.
#include "ops/attributes/label_encoder.h"

#include <optional>

#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/lookup.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"
#include "ops/attributes/labels.h"

namespace onnxrun::cpu {
namespace {

using Strings = std::vector<std::string>;

// The keys of a table in the order of their values: either numbers (integers as they are, floats by float_key) or strings.
struct Keys {
  std::vector<uint64_t> numbers;
  Strings strings;

  void add_ints(const std::vector<int64_t>& values) { numbers.assign(values.begin(), values.end()); }

  size_t bytes() const {
    return strings.empty() ? NumberLookup::bytes(numbers.size())
                           : StringLookup::bytes({strings.begin(), strings.end()});
  }
  void build(void* block) const {
    if (strings.empty()) NumberLookup::build(numbers, block);
    else StringLookup::build({strings.begin(), strings.end()}, block);
  }
};

// Finds the elements of a tensor in a packed table.
class Finder {
 public:
  // `keys` says whether the table is one of strings: an empty list is one of numbers.
  Finder(const void* block, bool strings) {
    if (strings) strings_.emplace(block);
    else numbers_.emplace(block);
  }

  // The position of each of count elements from the i-th on, -1 for those that are not there, given to found(i, position). Floats
  // are cut to integers where `cut`.
  template <class F>
  void each(const onnxrun_tensor& x, int64_t begin, int64_t end, bool cut, F&& found) const {
    if (dtype(x) == DType::kString) {
      const auto* text = static_cast<const std::string*>(x.data);
      for (int64_t i = begin; i < end; ++i) found(i, strings_ ? strings_->find(text[i]) : -1);
      return;
    }
    dispatch(Types<int64_t, int32_t, int16_t, float, double>{}, dtype(x), [&]<class T>(std::type_identity<T>) {
      const T* values = static_cast<const T*>(x.data);
      for (int64_t i = begin; i < end; ++i) found(i, numbers_ ? find(values[i], cut) : -1);
    });
  }

 private:
  template <class T>
  int64_t find(T value, bool cut) const {
    if constexpr (std::is_integral_v<T>) return numbers_->find(static_cast<uint64_t>(static_cast<int64_t>(value)));
    else if (!cut) return numbers_->find(float_key(static_cast<double>(value)));
    else if (!(value > T(-9.2e18) && value < T(9.2e18))) return -1;
    else return numbers_->find(static_cast<uint64_t>(static_cast<int64_t>(value)));
  }

  std::optional<NumberLookup> numbers_;
  std::optional<StringLookup> strings_;
};

// A list of values in memory as a tensor of their type has it.
struct Values {
  std::vector<char> bytes;
  Strings strings;

  template <class T>
  static Values of(const std::vector<T>& values) {
    Values result;
    if constexpr (std::is_same_v<T, std::string>) result.strings = values;
    else
      result.bytes.assign(reinterpret_cast<const char*>(values.data()),
                          reinterpret_cast<const char*>(values.data() + values.size()));
    return result;
  }
  static Values of(const onnxrun_tensor& tensor) {
    const int64_t count = provider::count(tensor);
    const auto* data = static_cast<const char*>(tensor.data);
    Values result;
    if (dtype(tensor) == DType::kString)
      result.strings.assign(static_cast<const std::string*>(tensor.data),
                            static_cast<const std::string*>(tensor.data) + count);
    else result.bytes.assign(data, data + count * unit_of(tensor.dtype).bytes);
    return result;
  }

  size_t outside() const { return bytes_outside_of(bytes, strings); }
  const void* data() const { return strings.empty() ? static_cast<const void*>(bytes.data()) : strings.data(); }
};

// What LabelEncoder and CategoryMapper share: values picked by the position of the key.
class Encoder {
 public:
  size_t table_bytes() const { return values_.outside() + default_.outside(); }
  void run(RunContext& context) const {
    const onnxrun_tensor& x = context.input(0);
    with_storage(unit_, [&](auto sample) {
      using T = decltype(sample);
      const auto* values = static_cast<const T*>(values_.data());
      const auto* fallback = static_cast<const T*>(default_.data());
      T* y = static_cast<T*>(context.output(0).data);
      parallel_polled(context, provider::count(x), 32, [&](int64_t begin, int64_t end) {
        finder_.each(x, begin, end, false,
                     [&](int64_t i, int64_t position) { y[i] = position < 0 ? *fallback : values[position]; });
      });
    });
  }

 protected:
  Encoder(Finder finder, Unit unit, Values values, Values fallback)
      : finder_(std::move(finder)), unit_(unit), values_(std::move(values)), default_(std::move(fallback)) {
    charge_tables(*this);
  }

 private:
  Finder finder_;
  Unit unit_;
  Values values_, default_;
};

class LabelEncoder : public Encoder {
 public:
  static Acceptance accepts(const Node& node) { return Acceptance().pack(keys(node).bytes(), {}); }
  static void pack(const Node& node, void* bytes) { keys(node).build(bytes); }

  LabelEncoder(const Node& node, const void* packed)
      : Encoder(Finder(packed, !keys(node).strings.empty()), unit_of(node.output(0).dtype), values(node),
                fallback(node)) {}

 private:
  static Keys keys(const Node& node) {
    const ops::EncoderList list = ops::find_encoder_list(node, "keys");
    Keys result;
    switch (list.dtype) {
      case DType::kString: result.strings = node.get_strings(list.attribute); break;
      case DType::kInt64: result.add_ints(node.get_ints(list.attribute)); break;
      case DType::kFloat32:
        for (float key : node.get_floats(list.attribute)) result.numbers.push_back(float_key(static_cast<double>(key)));
        break;
      default: add_tensor(*node.get_tensor(list.attribute), result);
    }
    return result;
  }

  static void add_tensor(const onnxrun_tensor& tensor, Keys& keys) {
    const int64_t count = provider::count(tensor);
    dispatch(Types<std::string, int64_t, int32_t, int16_t, float, double>{}, dtype(tensor),
             [&]<class T>(std::type_identity<T>) {
               const T* values = static_cast<const T*>(tensor.data);
               for (int64_t i = 0; i < count; ++i) {
                 if constexpr (std::is_same_v<T, std::string>) keys.strings.push_back(values[i]);
                 else if constexpr (std::is_floating_point_v<T>)
                   keys.numbers.push_back(float_key(static_cast<double>(values[i])));
                 else keys.numbers.push_back(static_cast<uint64_t>(static_cast<int64_t>(values[i])));
               }
             });
  }

  static Values values(const Node& node) {
    const ops::EncoderList list = ops::find_encoder_list(node, "values");
    switch (list.dtype) {
      case DType::kString: return Values::of(node.get_strings(list.attribute));
      case DType::kInt64: return Values::of(node.get_ints(list.attribute));
      case DType::kFloat32: return Values::of(node.get_floats(list.attribute));
      default: return Values::of(*node.get_tensor(list.attribute));
    }
  }

  static Values fallback(const Node& node) {
    if (const onnxrun_tensor* tensor = node.get_tensor("default_tensor")) return Values::of(*tensor);
    switch (dtype(node.output(0))) {
      case DType::kString: return Values::of(Strings{node.get_string("default_string", "_Unused")});
      case DType::kInt64: return Values::of(std::vector<int64_t>{node.get_int("default_int64", -1)});
      case DType::kInt32: return Values::of(std::vector<int32_t>{-1});
      case DType::kInt16: return Values::of(std::vector<int16_t>{-1});
      case DType::kFloat32: return Values::of(std::vector<float>{node.get_float("default_float", -0.0f)});
      default: return Values::of(std::vector<double>{-0.0});
    }
  }
};

class CategoryMapper : public Encoder {
 public:
  static Acceptance accepts(const Node& node) { return Acceptance().pack(keys(node).bytes(), {}); }
  static void pack(const Node& node, void* bytes) { keys(node).build(bytes); }

  CategoryMapper(const Node& node, const void* packed)
      : Encoder(Finder(packed, !keys(node).strings.empty()), unit_of(node.output(0).dtype),
                from_strings(node) ? Values::of(node.get_ints("cats_int64s"))
                                   : Values::of(node.get_strings("cats_strings")),
                from_strings(node) ? Values::of(std::vector<int64_t>{node.get_int("default_int64", -1)})
                                   : Values::of(Strings{node.get_string("default_string", "_Unused")})) {}

 private:
  static bool from_strings(const Node& node) { return dtype(node.input(0)) == DType::kString; }
  static Keys keys(const Node& node) {
    Keys result;
    if (from_strings(node)) result.strings = node.get_strings("cats_strings");
    else result.add_ints(node.get_ints("cats_int64s"));
    return result;
  }
};

class OneHotEncoder {
 public:
  static Acceptance accepts(const Node& node) { return Acceptance().pack(keys(node).bytes(), {}); }
  static void pack(const Node& node, void* bytes) { keys(node).build(bytes); }

  OneHotEncoder(const Node& node, const void* packed)
      : finder_(packed, !keys(node).strings.empty()),
        size_(provider::dims(node.output(0)).back()),
        may_lack_(node.get_int("zeros", 1) != 0) {}

  void run(RunContext& context) const {
    const onnxrun_tensor& x = context.input(0);
    float* y = context.out<float>(0);
    parallel_polled(context, provider::count(x), Cost(size_) * 4, [&](int64_t begin, int64_t end) {
      std::fill(y + begin * size_, y + end * size_, 0.0f);
      finder_.each(x, begin, end, true, [&](int64_t i, int64_t position) {
        if (position >= 0) y[i * size_ + position] = 1.0f;
        else if (!may_lack_)
          base::fail(base::Code::kRunFailed, "OneHotEncoder: element {} of 'X' is in no category, and 'zeros' is 0", i);
      });
    });
  }

 private:
  static Keys keys(const Node& node) {
    ops::Labels labels = ops::read_labels(node, "cats_int64s", "cats_strings");
    Keys result;
    if (labels.are_strings()) result.strings = std::move(labels.strings);
    else result.add_ints(labels.ints);
    return result;
  }

  Finder finder_;
  int64_t size_;
  bool may_lack_;
};

}  // namespace

void kernels_ml_label_encoder(provider::KernelTable& table) {
  table.add<LabelEncoder>("ai.onnx.ml", "LabelEncoder", "reference");
  table.add<CategoryMapper>("ai.onnx.ml", "CategoryMapper", "reference");
  table.add<OneHotEncoder>("ai.onnx.ml", "OneHotEncoder", "reference");
}

}  // namespace onnxrun::cpu
