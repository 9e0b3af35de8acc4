// The driver: rounds, budgets, names of passes, what it reports.
#include "optimize/driver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "ir/infer.h"
#include "ir/op.h"
#include "ops/table.h"
#include "optimize/pipeline.h"

namespace onnxrun::optimize {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const ir::OpTable& table() {
  static const ir::OpTable& table = *[] {
    auto* built = new ir::OpTable;
    ops::define_all(*built);
    return built;
  }();
  return table;
}

// y = Relu^n(x), between two Negs at each end.
struct Chain {
  ir::Graph graph;
  explicit Chain(int relus) {
    auto value = graph.add_input("x", ir::Fact::tensor(ir::DType::kFloat32, {ir::Dim(2)}));
    for (int i = 0; i < 2; ++i) value = add("Neg", value);
    for (int i = 0; i < relus; ++i) value = add("Relu", value);
    graph.add_output(add("Neg", value));
  }
  ir::ValueId add(const char* op, ir::ValueId input) {
    ir::Node node;
    node.op = table().find("", op);
    node.inputs = {input};
    node.outputs = {graph.add_value("")};
    const ir::ValueId output = node.outputs[0];
    ir::infer_in_place(graph, graph.add_node(std::move(node)));
    return output;
  }
  OptimizeReport run(OptimizeOptions options) {
    options.table = &table();
    return optimize(graph, options);
  }
};

const PassReport& report_of(const OptimizeReport& report, std::string_view pass) {
  for (const PassReport& each : report.passes)
    if (each.name == pass) return each;
  base::fail(base::Code::kInternal, "{} did not run", pass);
}

// Every pass meets a table from which all but two operators were taken: it makes none of the others, and asks for none without giving up.
TEST(Driver, MakesNoOperatorThatIsNotInAReducedBuild) {
  ir::OpTable reduced;
  ops::define_all(reduced);
  const char* kept[] = {"Add", "Sigmoid", "Mul"};
  reduced.reduce("ops.txt", kept);
  ir::Graph graph;
  const auto add = [&](const char* op, std::vector<ir::ValueId> inputs) {
    ir::Node node;
    node.op = reduced.get("", op);
    node.inputs = std::move(inputs);
    node.outputs = {graph.add_value("")};
    const ir::ValueId output = node.outputs[0];
    ir::infer_in_place(graph, graph.add_node(std::move(node)));
    return output;
  };
  // Swish, and a chain of elementwise nodes, both of which would become one node.
  const auto x = graph.add_input("x", ir::Fact::tensor(ir::DType::kFloat32, {ir::Dim(2)}));
  const auto swish = add("Mul", {x, add("Sigmoid", {x})});
  graph.add_output(add("Sigmoid", {add("Add", {swish, x})}));
  OptimizeOptions options;
  options.table = &reduced;
  const OptimizeReport report = optimize(graph, options);
  EXPECT_TRUE(report.settled);
  EXPECT_EQ(graph.node_count(), 4u);
  // In the whole table it is another matter.
  options.table = &table();
  optimize(graph, options);
  EXPECT_LT(graph.node_count(), 4u);
}

TEST(Driver, CountsPatchesAndRounds) {
  Chain chain(4);
  const OptimizeReport report = chain.run({.level = kBasic});
  EXPECT_EQ(report_of(report, "eliminate-repeated").patches, 3);
  EXPECT_EQ(report_of(report, "eliminate-double-negation").patches, 1);
  EXPECT_TRUE(report.settled);
  EXPECT_GE(report.rounds, 2) << "one that finds nothing comes last";
  EXPECT_EQ(chain.graph.node_count(), 2u);
}

TEST(Driver, StopsAfterPatchesOrRounds) {
  Chain by_patches(4), by_rounds(4);
  const OptimizeReport patches = by_patches.run({.only = {"eliminate-repeated"}, .max_patches = 2});
  EXPECT_EQ(report_of(patches, "eliminate-repeated").patches, 2);
  EXPECT_FALSE(patches.settled);
  const OptimizeReport rounds = by_rounds.run({.only = {"eliminate-repeated"}, .max_rounds = 1});
  EXPECT_EQ(rounds.rounds, 1);
  EXPECT_FALSE(rounds.settled);
}

TEST(Driver, PrintsTheGraphAfterAPassThatChangedIt) {
  Chain chain(3);
  const OptimizeReport report = chain.run({.level = kBasic, .print_after = {"eliminate-repeated", "merge-slices"}});
  ASSERT_EQ(report.printed.size(), 1u);
  EXPECT_EQ(report.printed[0].pass, "eliminate-repeated");
  EXPECT_EQ(report.printed[0].round, 1);
  EXPECT_EQ(report.printed[0].patches, 2);
  EXPECT_THAT(report.printed[0].text, HasSubstr("Relu("));
  Chain all(3);
  EXPECT_GE(all.run({.level = kBasic, .print_after = {"all"}}).printed.size(), 2u);
}

TEST(Driver, TakesOnnxoptimizersNames) {
  Chain chain(3);
  const OptimizeReport report = chain.run({.only = {"eliminate_consecutive_idempotent_ops"}});
  EXPECT_EQ(report_of(report, "eliminate-repeated").patches, 2);
  Chain left(3);
  left.run({.level = kBasic, .disabled = {"eliminate_consecutive_idempotent_ops"}});
  EXPECT_EQ(left.graph.node_count(), 4u);
}

TEST(Driver, LeavesSizesThatNobodyCanCountToTheRun) {
  constexpr int64_t kLarge = int64_t{1} << 40;
  Chain chain(1);
  const auto add = [&](const char* op, std::vector<ir::ValueId> inputs, ir::Attributes attributes = {}) {
    ir::Node node;
    node.op = table().find("", op);
    node.inputs = std::move(inputs);
    node.attributes = std::move(attributes);
    node.outputs = {chain.graph.add_value("")};
    const ir::ValueId output = node.outputs[0];
    ir::infer_in_place(chain.graph, chain.graph.add_node(std::move(node)));
    return output;
  };
  const auto large = [&](const char* name, ir::Shape shape) {
    return chain.graph.add_input(name, ir::Fact::tensor(ir::DType::kFloat32, std::move(shape)));
  };
  const ir::ValueId matrix = large("matrix", {ir::Dim(kLarge), ir::Dim(kLarge)});
  const ir::ValueId turned = add("Transpose", {add("Relu", {add("Transpose", {matrix})})});
  chain.graph.add_output(turned);
  chain.graph.add_output(add("Einsum", {matrix, large("heads", {ir::Dim(kLarge), ir::Dim(kLarge), ir::Dim(4)})},
                             {{"equation", std::string("ab,bcd->acd")}}));
  EXPECT_TRUE(chain.run({}).settled);
}

TEST(Driver, RefusesOtherNames) {
  Chain chain(1);
  for (const OptimizeOptions& options : std::vector<OptimizeOptions>{
           {.only = {"fuse_everything"}}, {.disabled = {"fuse_everything"}}, {.print_after = {"fuse_everything"}}})
    EXPECT_THAT([&] { chain.run(options); },
                ThrowsMessage<base::Error>(HasSubstr("there is no pass 'fuse_everything'; there are: eliminate-dead")));
}

TEST(Driver, EveryAliasMeansPassesThatExist) {
  std::set<std::string_view> names;
  for (const Alias& alias : aliases()) {
    EXPECT_TRUE(names.insert(alias.name).second) << alias.name;
    EXPECT_EQ(passes_named(alias.name).size(), alias.passes.size()) << alias.name;
  }
}

}  // namespace
}  // namespace onnxrun::optimize
