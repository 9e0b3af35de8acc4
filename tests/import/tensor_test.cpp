// Tensors of the format: every way to store elements, views of the file, and sizes that do not fit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "wire_model.h"

namespace onnxrun::import::test {
namespace {

using base::DType;
using base::Tensor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Fields {
  int dtype = 1;
  std::vector<int64_t> dims = {};
  std::vector<float> floats = {};
  std::vector<int32_t> int32s = {};
  std::vector<std::string> strings = {};
  std::vector<int64_t> int64s = {};
  std::vector<double> doubles = {};
  std::vector<uint64_t> uint64s = {};
  const char* raw = nullptr;
  size_t raw_bytes = 0;
};

std::string tensor(const Fields& f) {
  std::string bytes;
  Writer w(bytes);
  w.add_packed_int64(1, f.dims.begin(), f.dims.end());
  w.add_int32(2, f.dtype);
  w.add_packed_float(4, f.floats.begin(), f.floats.end());
  w.add_packed_int32(5, f.int32s.begin(), f.int32s.end());
  for (const auto& s : f.strings) w.add_bytes(6, s);
  w.add_packed_int64(7, f.int64s.begin(), f.int64s.end());
  w.add_string(8, "t");
  if (f.raw) w.add_bytes(9, f.raw, f.raw_bytes);
  w.add_packed_double(10, f.doubles.begin(), f.doubles.end());
  w.add_packed_uint64(11, f.uint64s.begin(), f.uint64s.end());
  return bytes;
}

Tensor read(const Fields& f) { return read_tensor_pb(bytes_of(tensor(f))); }

std::string error(const Fields& f) {
  try {
    read(f);
    return {};
  } catch (const Error& e) {
    EXPECT_NE(e.code(), Code::kInternal);
    return e.what();
  }
}

std::vector<int> raw_bytes(const Tensor& t) {
  const auto* data = static_cast<const uint8_t*>(t.raw());
  return {data, data + t.bytes()};
}

TEST(TensorProto, TypedFields) {
  EXPECT_THAT(read({.dtype = 1, .dims = {2}, .floats = {1.5f, -2}}).span<float>(), ElementsAre(1.5f, -2));
  EXPECT_THAT(read({.dtype = 11, .dims = {2}, .doubles = {1.5, -2}}).span<double>(), ElementsAre(1.5, -2));
  EXPECT_THAT(read({.dtype = 7, .dims = {2}, .int64s = {INT64_MIN, 5}}).span<int64_t>(), ElementsAre(INT64_MIN, 5));
  EXPECT_THAT(read({.dtype = 6, .dims = {2}, .int32s = {INT32_MIN, 5}}).span<int32_t>(), ElementsAre(INT32_MIN, 5));
  EXPECT_THAT(read({.dtype = 5, .dims = {2}, .int32s = {-32768, 5}}).span<int16_t>(), ElementsAre(-32768, 5));
  EXPECT_THAT(read({.dtype = 3, .dims = {2}, .int32s = {-128, 5}}).span<int8_t>(), ElementsAre(-128, 5));
  EXPECT_THAT(read({.dtype = 2, .dims = {2}, .int32s = {255, 5}}).span<uint8_t>(), ElementsAre(255, 5));
  EXPECT_THAT(read({.dtype = 4, .dims = {2}, .int32s = {65535, 5}}).span<uint16_t>(), ElementsAre(65535, 5));
  EXPECT_THAT(read({.dtype = 9, .dims = {3}, .int32s = {1, 0, 7}}).span<bool>(), ElementsAre(true, false, true));
  EXPECT_THAT(read({.dtype = 12, .dims = {2}, .uint64s = {4294967295u, 5}}).span<uint32_t>(),
              ElementsAre(4294967295u, 5u));
  EXPECT_THAT(read({.dtype = 13, .dims = {2}, .uint64s = {UINT64_MAX, 5}}).span<uint64_t>(),
              ElementsAre(UINT64_MAX, 5u));
  EXPECT_THAT(read({.dtype = 8, .dims = {2}, .strings = {"a", std::string("\0b", 2)}}).span<std::string>(),
              ElementsAre("a", std::string("\0b", 2)));
  EXPECT_EQ(read({.dtype = 10, .dims = {1}, .int32s = {0x3e00}}).data<base::Float16>()->bits, 0x3e00);
  EXPECT_EQ(read({.dtype = 16, .dims = {1}, .int32s = {0xbfc0}}).data<base::Bfloat16>()->bits, 0xbfc0);
}

TEST(TensorProto, NarrowTypes) {
  EXPECT_THAT(raw_bytes(read({.dtype = 17, .dims = {2}, .int32s = {0xfe, 1}})), ElementsAre(0xfe, 1));
  EXPECT_THAT(raw_bytes(read({.dtype = 22, .dims = {3}, .int32s = {0x21, 0x03}})), ElementsAre(0x21, 0x03));
  EXPECT_THAT(raw_bytes(read({.dtype = 26, .dims = {5}, .int32s = {0xe4, 0x01}})), ElementsAre(0xe4, 0x01));
  // Float6 entries are elements; in memory they are packed: 0x3f, 0x00, 0x01, 0x20 little end first.
  EXPECT_THAT(raw_bytes(read({.dtype = 27, .dims = {4}, .int32s = {0x3f, 0, 1, 0x20}})), ElementsAre(0x3f, 0x10, 0x80));
  EXPECT_THAT(raw_bytes(read({.dtype = 27, .dims = {4}, .raw = "\x3f\x10\x80", .raw_bytes = 3})),
              ElementsAre(0x3f, 0x10, 0x80));
  EXPECT_THAT(error({.dtype = 22, .dims = {3}, .int32s = {1, 2, 3}}),
              HasSubstr("int32_data has 3 entries where shape [3] needs 2"));
}

TEST(TensorProto, Complex) {
  const Tensor t = read({.dtype = 14, .dims = {2}, .floats = {1, 2, 3, 4}});
  EXPECT_EQ(t.bytes(), 16u);
  float values[4];
  std::memcpy(values, t.raw(), 16);
  EXPECT_THAT(values, ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(error({.dtype = 14, .dims = {2}, .floats = {1, 2}}), HasSubstr("needs 4"));
}

TEST(TensorProto, EmptyAndScalar) {
  EXPECT_EQ(read({.dtype = 1, .dims = {0, 3}}).count(), 0);
  EXPECT_EQ(read({.dtype = 1, .dims = {0}, .raw = "", .raw_bytes = 0}).count(), 0);
  EXPECT_EQ(*read({.dtype = 7, .int64s = {4}}).data<int64_t>(), 4);
  EXPECT_EQ(read({.dtype = 8, .dims = {1}, .strings = {""}}).data<std::string>()[0], "");
}

TEST(TensorProto, UnpackedNumbers) {
  std::string bytes;
  Writer w(bytes);
  w.add_int64(1, 3);
  w.add_int32(2, 1);
  for (const float f : {1.0f, 2.0f, 3.0f}) w.add_float(4, f);
  EXPECT_THAT(read_tensor_pb(bytes_of(bytes)).span<float>(), ElementsAre(1, 2, 3));
}

TEST(TensorProto, Refusals) {
  EXPECT_THAT(error({.dtype = 1, .dims = {3}, .floats = {1, 2}}),
              HasSubstr("float_data has 2 entries where shape [3] needs 3"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1}, .floats = {1, 2}}), HasSubstr("float_data has 2 entries"));
  EXPECT_THAT(error({.dtype = 1, .dims = {2}, .raw = "1234567", .raw_bytes = 7}),
              HasSubstr("raw_data has 7 bytes where float32 [2] needs 8"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1}, .floats = {1}, .raw = "1234", .raw_bytes = 4}),
              HasSubstr("both raw_data and float_data"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1}, .floats = {1}, .int64s = {1}}),
              HasSubstr("both float_data and int64_data"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1}, .int64s = {1}}), HasSubstr("float32 belongs in float_data"));
  EXPECT_THAT(error({.dtype = 0, .dims = {1}}), HasSubstr("element type 0 is unknown"));
  EXPECT_THAT(error({.dtype = 29, .dims = {1}}), HasSubstr("element type 29 is unknown"));
  EXPECT_THAT(error({.dtype = 1, .dims = {-1}, .floats = {1}}), HasSubstr("negative dim"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1ll << 40, 1ll << 40}}), HasSubstr("more elements than 64 bits"));
  EXPECT_THAT(error({.dtype = 11, .dims = {1ll << 61}}), HasSubstr("tensor 't'"));
  EXPECT_THAT(error({.dtype = 1, .dims = {1ll << 40}}), HasSubstr("the file has fewer"));
  EXPECT_THAT(error({.dtype = 22, .dims = {INT64_MAX}}), HasSubstr("tensor 't'"));
  EXPECT_THAT(error({.dtype = 8, .dims = {1}, .raw = "abc", .raw_bytes = 3}), HasSubstr("string_data"));
  EXPECT_THAT(error({.dtype = 8, .dims = {2}, .strings = {"a"}}), HasSubstr("string_data has 1 entries"));
  EXPECT_THAT(error({.dtype = 3, .dims = {1}, .int32s = {128}}), HasSubstr("int8 cannot represent"));
  EXPECT_THAT(error({.dtype = 12, .dims = {1}, .uint64s = {1ull << 32}}), HasSubstr("uint32 cannot represent"));
  EXPECT_THAT(error({.dtype = 1, .dims = std::vector<int64_t>(100'000, 1)}), HasSubstr("limit of 64 (option max_rank"));
}

TEST(TensorProto, SegmentsAreRefused) {
  std::string bytes = tensor({.dtype = 1, .dims = {1}, .floats = {1}});
  Writer(bytes).add_message(3, std::string("\x08\x00", 2));
  EXPECT_THROW(read_tensor_pb(bytes_of(bytes)), Error);
}

TEST(TensorProto, AlignedRawDataIsNotCopied) {
  // Two models that differ by a byte of padding: in one of them the floats lie aligned.
  int viewed = 0;
  for (int padding = 0; padding < 4; ++padding) {
    const std::string bytes = model(graph({.nodes = {node("Add", {"x", "w"}, {"y"})},
                                           .inputs = {value_info("x")},
                                           .outputs = {value_info("y")},
                                           .initializers = {float_tensor("w", {2}, {1.5f, -2.0f})}},
                                          std::string(static_cast<size_t>(1 + padding), 'g')));
    auto storage = std::make_shared<std::vector<std::byte>>(bytes_of(bytes).begin(), bytes_of(bytes).end());
    const ir::Model m = import_bytes(*storage, storage, tiny_options());
    const Tensor& w = m.graph->value(m.graph->find_value("w")).fact.constant;
    const auto* data = static_cast<const std::byte*>(w.raw());
    viewed += data >= storage->data() && data < storage->data() + storage->size();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(data) % 4, 0u);
    EXPECT_THAT(w.span<float>(), ElementsAre(1.5f, -2.0f));
    const ir::Model copied = import_bytes(*storage, nullptr, tiny_options());
    const auto* copy =
        static_cast<const std::byte*>(copied.graph->value(copied.graph->find_value("w")).fact.constant.raw());
    EXPECT_FALSE(copy >= storage->data() && copy < storage->data() + storage->size());
  }
  EXPECT_EQ(viewed, 1);
}

std::string sparse(const std::vector<float>& values, const std::vector<int64_t>& index_dims,
                   const std::vector<int64_t>& indices, const std::vector<int64_t>& dims) {
  std::string bytes;
  Writer w(bytes);
  w.add_message(1, float_tensor("w", {static_cast<int64_t>(values.size())}, values));
  w.add_message(2, tensor({.dtype = 7, .dims = index_dims, .int64s = indices}));
  w.add_packed_int64(3, dims.begin(), dims.end());
  return bytes;
}

std::string sparse_model(const std::string& tensor) {
  return model(
      graph({.nodes = {node("Identity", {"w"}, {"y"})}, .outputs = {value_info_of("y", "")}, .sparse = {tensor}}));
}

TEST(SparseTensorProto, BecomesDense) {
  for (const std::string& s : {sparse({5, 6}, {2}, {1, 4}, {2, 3}), sparse({5, 6}, {2, 2}, {0, 1, 1, 1}, {2, 3})}) {
    const ir::Model m = load(sparse_model(s));
    const Tensor& w = m.graph->value(m.graph->find_value("w")).fact.constant;
    EXPECT_THAT(w.dims(), ElementsAre(2, 3));
    EXPECT_THAT(w.span<float>(), ElementsAre(0, 5, 0, 0, 6, 0));
  }
}

TEST(SparseTensorProto, Refusals) {
  EXPECT_THAT(error_of(sparse_model(sparse({5, 6}, {2}, {1, 6}, {2, 3}))), HasSubstr("outside shape"));
  EXPECT_THAT(error_of(sparse_model(sparse({5, 6}, {2, 2}, {0, 1, 1, 3}, {2, 3}))), HasSubstr("outside axis 1"));
  EXPECT_THAT(error_of(sparse_model(sparse({5, 6}, {2}, {4, 4}, {2, 3}))), HasSubstr("ascending"));
  EXPECT_THAT(error_of(sparse_model(sparse({5, 6}, {2}, {-1, 4}, {2, 3}))), HasSubstr("outside shape"));
  EXPECT_THAT(error_of(sparse_model(sparse({5, 6}, {1}, {4}, {2, 3}))), HasSubstr("sparse indices have shape"));
  EXPECT_THAT(error_of(sparse_model(sparse({5}, {1}, {4}, {1ll << 32, 1ll << 32}))),
              HasSubstr("more elements than 64 bits"));
  ImportOptions options = tiny_options();
  options.budget = std::make_shared<base::Budget>(100'000'000);
  EXPECT_THAT(error_of(sparse_model(sparse({5}, {1}, {4}, {1ll << 36})), options), HasSubstr("sparse tensor 'w'"));
}

TEST(Values, SequencesOptionalsAndMaps) {
  std::string sequence;
  Writer s(sequence);
  s.add_string(1, "list");
  s.add_int32(2, 1);
  s.add_message(3, float_tensor("", {1}, {1}));
  s.add_message(3, float_tensor("", {2}, {2, 3}));
  std::string name;
  const base::Value list = read_value_pb(bytes_of(sequence), ir::Fact::sequence({}), &name);
  EXPECT_EQ(name, "list");
  ASSERT_EQ(list.sequence().elements.size(), 2u);
  EXPECT_THAT(list.sequence().elements[1].tensor().span<float>(), ElementsAre(2, 3));

  std::string optional;
  Writer o(optional);
  o.add_int32(2, 3);
  o.add_message(5, sequence);
  EXPECT_EQ(read_value_pb(bytes_of(optional), ir::Fact::optional({})).sequence().elements.size(), 2u);
  EXPECT_TRUE(read_value_pb({}, ir::Fact::optional({})).absent());

  std::string values, map;
  Writer v(values);
  for (const float f : {10.0f, 20.0f}) v.add_message(3, float_tensor("", {}, {f}));
  Writer m(map);
  m.add_int32(2, 7);
  m.add_int64(3, 9);
  m.add_int64(3, -4);
  m.add_message(5, values);
  const base::Value dictionary = read_value_pb(bytes_of(map), ir::Fact::map(DType::kInt64, {}));
  EXPECT_THAT(dictionary.map().keys.span<int64_t>(), ElementsAre(-4, 9));
  EXPECT_THAT(dictionary.map().values.span<float>(), ElementsAre(20, 10));
  Writer(map).add_int64(3, 9);
  EXPECT_THROW(read_value_pb(bytes_of(map), ir::Fact::map(DType::kInt64, {})), Error);
}

TEST(Values, WrittenTensorsReadBack) {
  for (const Tensor& t :
       {Tensor::vector<float>({1, 2, 3}), Tensor::scalar<int64_t>(-7), Tensor::vector<std::string>({"a", "", "ccc"}),
        Tensor(DType::kInt4, {0, 3}), Tensor::vector<bool>({true, false})}) {
    std::string name;
    const std::string bytes = write_tensor_pb(t, "name");
    const Tensor back = read_tensor_pb(bytes_of(bytes), &name);
    EXPECT_EQ(name, "name");
    EXPECT_EQ(back.dtype(), t.dtype());
    EXPECT_EQ(back.dims(), t.dims());
    if (t.dtype() == DType::kString) {
      EXPECT_TRUE(std::equal(t.span<std::string>().begin(), t.span<std::string>().end(), back.data<std::string>()));
    } else if (t.bytes() > 0) {
      EXPECT_EQ(std::memcmp(back.raw(), t.raw(), t.bytes()), 0);
    }
  }
}

}  // namespace
}  // namespace onnxrun::import::test
