// The table of operators: reducing it to a list, and telling what it is asked for.
#include "ir/op.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/small_ops.h"

namespace onnxrun::ir {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::small_ops;

void fill(OpTable& table) {
  for (const OpDef* def : small_ops().all()) table.add(*def);
}

TEST(OpTable, IsReducedToAList) {
  OpTable table;
  fill(table);
  EXPECT_TRUE(table.reduced_to().empty());
  const char* kept[] = {"Add", "Relu", "Nowhere"};
  table.reduce("ops.txt", kept);
  EXPECT_EQ(table.reduced_to(), "ops.txt");
  EXPECT_EQ(table.all().size(), 2u);
  EXPECT_NE(table.find("", "Add"), nullptr);
  EXPECT_EQ(table.get("ai.onnx", "Relu"), table.find("", "Relu"));
  EXPECT_EQ(table.find("", "Concat"), nullptr);
  try {
    table.get("", "Concat");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUnsupported);
    EXPECT_THAT(
        error.what(),
        HasSubstr(
            "'Concat' of domain 'ai.onnx' is not in this build of onnxrun, which was reduced to those of ops.txt"));
  }
}

TEST(OpTable, WithEveryOperatorLacksNoneByADefect) {
  try {
    small_ops().get("", "Nowhere");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("'Nowhere' of domain 'ai.onnx' is unknown"));
  }
}

TEST(OpTable, TellsWhatItIsAskedFor) {
  OpTable table;
  fill(table);
  std::vector<std::string> asked;
  table.observe([&](const OpDef& def) { asked.push_back(def.full_name()); });
  table.find("", "Add");
  table.find("", "Nowhere");
  table.get("ai.onnx", "Relu");
  EXPECT_THAT(asked, ElementsAre("Add", "Relu"));
}

}  // namespace
}  // namespace onnxrun::ir
