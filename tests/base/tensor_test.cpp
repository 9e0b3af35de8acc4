// Tensors and values: sizes, sharing, views, integer reading and descriptions.
#include "base/tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>

#include "base/packed.h"
#include "base/value.h"

namespace onnxrun::base {
namespace {

using testing::ElementsAre;

Code code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return Code{0};
}

TEST(Tensor, DefaultIsNoTensor) {
  const Tensor none;
  EXPECT_FALSE(none);
  EXPECT_FALSE(none.clone());
  EXPECT_EQ(none.view().dtype, 0);
  EXPECT_EQ(none.bytes(), 0u);
  EXPECT_EQ(code_of([&] { none.reshaped({1}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { none.as_int64(); }), Code::kInvalidArgument);
}

TEST(Tensor, RankZeroAndEmpty) {
  const Tensor scalar = Tensor::scalar(2.5f);
  EXPECT_TRUE(scalar);
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.count(), 1);
  EXPECT_EQ(*scalar.data<float>(), 2.5f);
  const Tensor empty(DType::kInt64, {2, 0, 3});
  EXPECT_TRUE(empty);
  EXPECT_EQ(empty.count(), 0);
  EXPECT_EQ(empty.bytes(), 0u);
  EXPECT_TRUE(empty.span<int64_t>().empty());
  EXPECT_TRUE(empty.clone());
}

TEST(Tensor, SizesAreCheckedAndCharged) {
  EXPECT_EQ(code_of([] { Tensor(DType::kFloat32, {INT64_MAX, 2}); }), Code::kLimitExceeded);
  EXPECT_EQ(code_of([] { Tensor(DType::kFloat32, {INT64_MAX / 2}); }), Code::kLimitExceeded);
  EXPECT_EQ(code_of([] { Tensor(DType::kUint8, {INT64_MAX}); }), Code::kLimitExceeded);
  EXPECT_EQ(code_of([] { Tensor(DType::kString, {INT64_MAX / 2}); }), Code::kLimitExceeded);
  EXPECT_EQ(code_of([] { Tensor(DType::kFloat32, {2, -1}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor(DType::kNone, {2}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor(static_cast<DType>(77), {2}); }), Code::kInvalidArgument);
  const auto budget = std::make_shared<Budget>(15);
  EXPECT_EQ(code_of([&] { Tensor(DType::kFloat32, {4}, budget); }), Code::kLimitExceeded);
  {
    const Tensor tensor(DType::kUint8, {15}, budget);
    const Tensor shared = tensor;
    EXPECT_EQ(budget->used(), 15);
    EXPECT_EQ(code_of([&] { tensor.clone(budget); }), Code::kLimitExceeded);
  }
  EXPECT_EQ(budget->used(), 0);
}

TEST(Tensor, SubByteSizesRoundUp) {
  EXPECT_EQ(Tensor(DType::kInt4, {3, 3}).bytes(), 5u);
  EXPECT_EQ(Tensor(DType::kUint2, {9}).bytes(), 3u);
  EXPECT_EQ(Tensor(DType::kFloat6E2M3, {3}).bytes(), 3u);
  EXPECT_EQ(Tensor(DType::kFloat4E2M1, {}).bytes(), 1u);
}

TEST(Tensor, OverABuffer) {
  const BufferPtr buffer = Buffer::allocate(16, nullptr, true);
  const Tensor all(DType::kFloat32, {4}, buffer);
  EXPECT_EQ(all.raw(), buffer->data());
  const Tensor tail(DType::kFloat32, {2}, buffer, 8);
  EXPECT_EQ(tail.raw(), static_cast<char*>(buffer->data()) + 8);
  EXPECT_TRUE(Tensor(DType::kFloat32, {0}, buffer, 16));
  EXPECT_TRUE(Tensor(DType::kFloat32, {0}, Buffer::wrap(nullptr, 0, nullptr)));
  EXPECT_EQ(code_of([&] { Tensor(DType::kFloat32, {5}, buffer); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Tensor(DType::kFloat32, {4}, buffer, 4); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Tensor(DType::kUint8, {0}, buffer, 17); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Tensor(DType::kUint8, {1}, buffer, SIZE_MAX); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Tensor(DType::kFloat32, {1}, buffer, 2); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { Tensor(DType::kFloat32, {1}, BufferPtr()); }), Code::kInvalidArgument);
  // Only a host pointer is read through by us.
  EXPECT_EQ(Tensor(DType::kFloat32, {1}, buffer, 2, 7).memory(), 7);
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor first = Tensor::vector<int32_t>({1, 2, 3, 4});
  const Tensor same = first;
  const Tensor other = first.clone();
  first.mutable_data<int32_t>()[0] = 9;
  EXPECT_EQ(same.data<int32_t>()[0], 9);
  EXPECT_THAT(other.span<int32_t>(), ElementsAre(1, 2, 3, 4));
  const Tensor square = first.reshaped({2, 2});
  EXPECT_EQ(square.raw(), first.raw());
  EXPECT_THAT(square.dims(), ElementsAre(2, 2));
  EXPECT_EQ(code_of([&] { first.reshaped({3}); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([&] { first.reshaped({-2, -2}); }), Code::kInvalidArgument);
}

TEST(Tensor, StringsAreDeepCopied) {
  Tensor words = Tensor::vector<std::string>({"a", std::string(80, 'b')});
  const Tensor copy = words.clone();
  words.mutable_data<std::string>()[1] = "changed";
  EXPECT_EQ(copy.data<std::string>()[1], std::string(80, 'b'));
}

TEST(Tensor, RefusesTheWrongElementType) {
  const Tensor tensor(DType::kFloat32, {1});
  EXPECT_EQ(code_of([&] { tensor.data<double>(); }), Code::kInternal);
  EXPECT_EQ(code_of([&] { tensor.data<int32_t>(); }), Code::kInternal);
}

TEST(Tensor, ReadsEveryIntegerTypeAsInt64) {
  EXPECT_THAT(Tensor::vector<int64_t>({INT64_MIN, 5}).as_int64(), ElementsAre(INT64_MIN, 5));
  EXPECT_THAT(Tensor::vector<int32_t>({-1, 5}).as_int64(), ElementsAre(-1, 5));
  EXPECT_THAT(Tensor::vector<int16_t>({-1, 5}).as_int64(), ElementsAre(-1, 5));
  EXPECT_THAT(Tensor::vector<int8_t>({-1, 5}).as_int64(), ElementsAre(-1, 5));
  EXPECT_THAT(Tensor::vector<uint32_t>({UINT32_MAX, 5}).as_int64(), ElementsAre(4294967295, 5));
  EXPECT_THAT(Tensor::vector<uint16_t>({65535, 5}).as_int64(), ElementsAre(65535, 5));
  EXPECT_THAT(Tensor::vector<uint8_t>({255, 5}).as_int64(), ElementsAre(255, 5));
  EXPECT_THAT(Tensor::vector<bool>({true, false}).as_int64(), ElementsAre(1, 0));
  EXPECT_THAT(Tensor::vector<uint64_t>({static_cast<uint64_t>(INT64_MAX)}).as_int64(), ElementsAre(INT64_MAX));
  EXPECT_EQ(code_of([] { Tensor::vector<uint64_t>({uint64_t{1} << 63}).as_int64(); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor::scalar(1.0f).as_int64(); }), Code::kInvalidArgument);
  EXPECT_EQ(code_of([] { Tensor::scalar(std::string("1")).as_int64(); }), Code::kInvalidArgument);
  const auto packed = [](DType dtype) {
    Tensor tensor(dtype, {3});
    std::memset(tensor.mutable_raw(), 0, tensor.bytes());
    const int codes[] = {1, 2, 3};
    for (int i = 0; i < 3; ++i)
      packed_set(static_cast<uint8_t*>(tensor.mutable_raw()), dtype_bits(dtype), i, static_cast<uint8_t>(codes[i]));
    return tensor.as_int64();
  };
  EXPECT_THAT(packed(DType::kInt4), ElementsAre(1, 2, 3));
  EXPECT_THAT(packed(DType::kUint4), ElementsAre(1, 2, 3));
  EXPECT_THAT(packed(DType::kInt2), ElementsAre(1, -2, -1));
  EXPECT_THAT(packed(DType::kUint2), ElementsAre(1, 2, 3));
}

TEST(Tensor, ProviderMemoryIsNotReadByTheHost) {
  const Tensor remote(DType::kInt64, {2}, Buffer::wrap(reinterpret_cast<void*>(8), 16, nullptr), 0, 3);
  EXPECT_EQ(code_of([&] { remote.as_int64(); }), Code::kInternal);
  EXPECT_EQ(code_of([&] { remote.clone(); }), Code::kInternal);
  EXPECT_EQ(remote.view().memory, 3);
}

TEST(Tensor, ViewDescribesTheTensor) {
  const Tensor tensor(DType::kBfloat16, {2, 3});
  const onnxrun_tensor view = tensor.view();
  EXPECT_EQ(view.data, tensor.raw());
  EXPECT_EQ(view.rank, 2);
  EXPECT_EQ(view.dims[1], 3);
  EXPECT_EQ(view.dtype, ONNXRUN_DTYPE_BFLOAT16);
  EXPECT_EQ(view.strides, nullptr);
  EXPECT_EQ(view.memory, ONNXRUN_MEMORY_HOST);
  EXPECT_EQ(view.layout, 0);
}

TEST(Value, DescribesAndGivesWhatItHolds) {
  auto sequence = std::make_shared<Sequence>();
  sequence->elements.resize(4);
  auto map = std::make_shared<Map>();
  map->keys = Tensor::vector<int64_t>({1, 2});
  map->values = Tensor::vector<float>({1, 2});
  const Value values[] = {Value(),
                          Value(Tensor(DType::kFloat32, {2, 3})),
                          Value(std::shared_ptr<const Sequence>(sequence)),
                          Value(std::shared_ptr<const Map>(map)),
                          Value(Tensor()),
                          Value(std::shared_ptr<const Sequence>()),
                          Value(std::shared_ptr<const Map>())};
  const char* texts[] = {"absent optional", "float32 tensor [2,3]", "sequence of 4", "map of 2 from int64 to float32",
                         "no tensor",       "no sequence",          "no map"};
  for (int i = 0; i < 7; ++i) EXPECT_EQ(values[i].describe(), texts[i]);
  EXPECT_TRUE(values[0].absent());
  EXPECT_EQ(values[1].tensor().count(), 6);
  EXPECT_EQ(values[2].sequence().elements.size(), 4u);
  EXPECT_EQ(values[3].map().keys.count(), 2);
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(code_of([&] { values[i].tensor(); }), values[i].is_tensor() ? Code{0} : Code::kInvalidArgument) << i;
    EXPECT_EQ(code_of([&] { values[i].sequence(); }), i == 2 ? Code{0} : Code::kInvalidArgument) << i;
    EXPECT_EQ(code_of([&] { values[i].map(); }), i == 3 ? Code{0} : Code::kInvalidArgument) << i;
  }
  try {
    values[2].tensor();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "expected a tensor, got sequence of 4");
  }
}

// Three floats one byte behind an aligned address.
Tensor unaligned_tensor() {
  const float values[] = {1.5f, -2.0f, 3.25f};
  const auto owner = std::make_shared<std::vector<char>>(256);
  char* const at = owner->data() + (kAlignment - reinterpret_cast<uintptr_t>(owner->data()) % kAlignment) + 1;
  std::memcpy(at, values, sizeof values);
  return Tensor(DType::kFloat32, {3}, Buffer::wrap_unaligned(at, sizeof values, owner));
}

TEST(UnalignedTensor, IsAlignedForTheFirstWhoReads) {
  const Tensor tensor = unaligned_tensor();
  EXPECT_TRUE(tensor.is_unaligned());
  EXPECT_EQ(tensor.stored(), tensor.buffer()->data());
  EXPECT_EQ(tensor.stored_view().data, tensor.buffer()->data());
  EXPECT_EQ(tensor.stored_view().rank, 1);
  EXPECT_TRUE(tensor.is_unaligned());
  const Tensor other = tensor, shaped = tensor.reshaped({1, 3});
  EXPECT_THAT(tensor.span<float>(), ElementsAre(1.5f, -2.0f, 3.25f));
  EXPECT_FALSE(tensor.is_unaligned());
  EXPECT_EQ(tensor.stored(), tensor.raw());
  EXPECT_EQ(other.raw(), tensor.raw()) << "they share the copy";
  EXPECT_EQ(shaped.view().data, tensor.raw());
  const Tensor part(DType::kFloat32, {1}, tensor.buffer(), 2 * sizeof(float));
  EXPECT_EQ(*part.data<float>(), 3.25f);
}

TEST(UnalignedTensor, StaysSoForThoseWhoCopy) {
  const Tensor tensor = unaligned_tensor();
  EXPECT_THAT(tensor.clone().span<float>(), ElementsAre(1.5f, -2.0f, 3.25f));
  EXPECT_THAT(tensor.apart().span<float>(), ElementsAre(1.5f, -2.0f, 3.25f));
  EXPECT_TRUE(tensor.is_unaligned());
  (void)tensor.raw();
  EXPECT_EQ(tensor.apart().raw(), tensor.raw()) << "nothing to keep apart";
}

}  // namespace
}  // namespace onnxrun::base
