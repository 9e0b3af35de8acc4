// What debug builds refuse after a step.
#include "run/fact_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onnxrun::run {
namespace {

using base::DType;
using ir::Dim;
using ir::Fact;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

onnxrun_tensor view_of(const std::vector<int64_t>& dims, DType dtype = DType::kFloat32) {
  onnxrun_tensor view{};
  view.dtype = static_cast<int32_t>(dtype);
  view.rank = static_cast<int32_t>(dims.size());
  view.dims = dims.data();
  return view;
}

const Dim kBatch = Dim::symbol("batch");

TEST(FactCheck, TypeRankAndDimsMustBeThoseInferred) {
  const Fact fact = Fact::tensor(DType::kFloat32, {2, Dim()});
  const FactCheck check;
  check.check(fact, view_of({2, 7}), "y");
  EXPECT_THAT(
      [&] {
        check.check(fact, view_of({3, 7}), "y");
      },
      ThrowsMessage<base::Error>(HasSubstr("'y' was inferred as float32[2,?], but is float32[3,7]")));
  EXPECT_THROW(check.check(fact, view_of({2}), "y"), base::Error);
  EXPECT_THROW(check.check(fact, view_of({2, 7}, DType::kFloat64), "y"), base::Error);
}

TEST(FactCheck, SymbolsHaveTheSizesOfTheInputs) {
  FactCheck outer;
  outer.bind(Fact::tensor(DType::kFloat32, {kBatch, 4}), view_of({3, 4}));
  FactCheck inner;
  inner.begin(&outer);
  const Fact twice = Fact::tensor(DType::kFloat32, {kBatch * Dim(2) + Dim::symbol("born")});
  for (const FactCheck* check : {&outer, &inner}) {
    const Fact doubled = Fact::tensor(DType::kFloat32, {kBatch * Dim(2)});
    check->check(doubled, view_of({6}), "y");
    EXPECT_THROW(check->check(doubled, view_of({7}), "y"), base::Error);
    check->check(twice, view_of({7}), "y");
  }
}

TEST(FactCheck, ASymbolOfTwoSizesSaysNothing) {
  FactCheck check;
  check.bind(Fact::tensor(DType::kFloat32, {kBatch}), view_of({3}));
  check.bind(Fact::tensor(DType::kFloat32, {kBatch}), view_of({4}));
  check.check(Fact::tensor(DType::kFloat32, {kBatch}), view_of({5}), "y");
}

}  // namespace
}  // namespace onnxrun::run
