// Facts: what constants give, printing, merging and joining; attributes' typed getters.
#include "ir/fact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/attribute.h"

namespace onnxrun::ir {
namespace {

using ::testing::HasSubstr;

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Fact, OfAConstantKnowsSmallIntegers) {
  const Fact fact = Fact::of(Tensor::vector<int64_t>({1, -1}));
  ASSERT_TRUE(fact.elements);
  EXPECT_EQ((*fact.elements)[1], Dim(-1));
  EXPECT_EQ(fact.to_string(), "int64[2] = {1,-1}");
  EXPECT_FALSE(Fact::of(Tensor::vector<float>({1.0f})).elements);
  EXPECT_FALSE(Fact::of(Tensor(DType::kInt64, {2, 1})).elements);
  EXPECT_EQ(Fact::of(Tensor::scalar<bool>(true)).elements->front(), Dim(1));
  EXPECT_FALSE(Fact::of(Tensor::scalar<uint64_t>(UINT64_MAX)).elements);
}

TEST(Fact, Prints) {
  EXPECT_EQ(Fact().to_string(), "?");
  EXPECT_EQ(Fact::tensor(DType::kFloat32, {n, Dim(3), Dim()}).to_string(), "float32[n,3,?]");
  EXPECT_EQ(Fact::tensor(DType::kFloat32).to_string(), "float32[...]");
  EXPECT_EQ(Fact::sequence(Fact::tensor(DType::kFloat32, {Dim()})).to_string(), "sequence(float32[?])");
  EXPECT_EQ(Fact::map(DType::kString, Fact::tensor(DType::kFloat32, Shape{})).to_string(), "map(string, float32[])");
}

TEST(Fact, MergeTakesTheMoreSpecific) {
  const Fact known = Fact::tensor(DType::kFloat32, {n, Dim(), Dim(3), n * Dim(2)});
  const Fact declared = Fact::tensor(DType::kFloat32, {Dim(4), m, Dim(), Dim(8)});
  EXPECT_EQ(merge(known, declared, "x").to_string(), "float32[4,m,3,2*n]");
  EXPECT_EQ(merge(Fact(), declared, "x").to_string(), declared.to_string());
  EXPECT_EQ(merge(known, Fact::tensor(DType::kNone), "x").to_string(), known.to_string());
}

TEST(Fact, MergeNamesContradictions) {
  const Fact known = Fact::tensor(DType::kFloat32, {Dim(2), Dim(3)});
  EXPECT_THAT(message_of([&] {
                merge(known, Fact::tensor(DType::kInt64, {Dim(2), Dim(3)}), "value 'x'");
              }),
              ::testing::AllOf(HasSubstr("value 'x'"), HasSubstr("float32[2,3]"), HasSubstr("int64[2,3]")));
  EXPECT_THROW(merge(known, Fact::tensor(DType::kFloat32, {Dim(2), Dim(4)}), "x"), base::Error);
  EXPECT_THROW(merge(known, Fact::tensor(DType::kFloat32, {Dim(2)}), "x"), base::Error);
  EXPECT_THROW(merge(known, Fact::sequence(known), "x"), base::Error);
  EXPECT_THROW(merge(Fact::sequence(known), Fact::sequence(Fact::tensor(DType::kInt8)), "x"), base::Error);
}

TEST(Fact, JoinKeepsWhatBothSay) {
  const Fact a = Fact::tensor(DType::kFloat32, {n, Dim(3), Dim(4)}),
             b = Fact::tensor(DType::kFloat32, {n, Dim(3), Dim(5)});
  EXPECT_EQ(join(a, b).to_string(), "float32[n,3,?]");
  EXPECT_EQ(join(a, Fact::tensor(DType::kFloat32, {n})).to_string(), "float32[...]");
  EXPECT_EQ(join(a, Fact::sequence(a)).kind, TypeKind::kUnknown);
  const Fact c = Fact::of(Tensor::vector<int64_t>({1, 2})), d = Fact::of(Tensor::vector<int64_t>({1, 3}));
  EXPECT_EQ(join(c, d).to_string(), "int64[2] = {1,?}");
  EXPECT_FALSE(join(c, d).constant);
  EXPECT_TRUE(join(c, Fact::of(Tensor::vector<int64_t>({1, 2}))).constant);
}

TEST(Fact, TypesAgreeWhereUnknown) {
  EXPECT_TRUE(types_agree(Fact(), Fact::sequence(Fact())));
  EXPECT_TRUE(types_agree(Fact::tensor(DType::kNone), Fact::tensor(DType::kInt8)));
  EXPECT_FALSE(types_agree(Fact::tensor(DType::kInt8), Fact::tensor(DType::kInt16)));
}

TEST(Attributes, GettersCheckTheKind) {
  Attributes attributes{{"axis", int64_t{2}}, {"mode", std::string("linear")}};
  EXPECT_EQ(attributes.get_int("axis", 0), 2);
  EXPECT_EQ(attributes.get_int("absent", 7), 7);
  EXPECT_EQ(attributes.get_string("mode"), "linear");
  EXPECT_TRUE(attributes.get_ints("absent").empty());
  EXPECT_THAT(message_of([&] { attributes.get_ints("axis"); }),
              HasSubstr("attribute 'axis' must be of kind ints, got int"));
  EXPECT_TRUE(attributes.rename("axis", "dim"));
  EXPECT_FALSE(attributes.has("axis"));
  EXPECT_TRUE(attributes.erase("dim"));
  EXPECT_FALSE(attributes.erase("dim"));
}

}  // namespace
}  // namespace onnxrun::ir
