// A small graph that a test writes node by node, rewrites with one pass, and computes before and after.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "ir/capabilities.h"
#include "ir/graph.h"

namespace onnxrun::optimize {

class PassTest : public ::testing::Test {
 protected:
  // A float32 input; its values are drawn between -4 and 4.
  ir::ValueId input(const std::string& name, ir::Shape shape);
  ir::ValueId constant(base::Tensor tensor) { return graph_.add_constant(std::move(tensor)); }
  ir::ValueId number(float value) { return constant(base::Tensor::scalar(value)); }
  ir::ValueId ints(std::vector<int64_t> values) { return constant(base::Tensor::vector<int64_t>(values)); }
  // Drawn between 0.5 and 1.5.
  ir::ValueId weights(base::Dims dims, float size = 1);  // around `size`
  // A node of one output, of ai.onnx where `domain` is empty.
  ir::ValueId op(const std::string& type, std::vector<ir::ValueId> inputs, ir::Attributes attributes = {},
                 const std::string& domain = "");
  // One of several outputs.
  std::vector<ir::ValueId> op_many(const std::string& type, std::vector<ir::ValueId> inputs, size_t outputs,
                                   ir::Attributes attributes = {});
  void output(ir::ValueId value) { graph_.add_output(value); }

  // Both first check that all passes together, at each level, keep the outputs: within `tolerance` or what fusions may round, at level 1 exactly.
  // Runs `pass` and the removal of dead nodes to their end, checks that the graph then has the nodes `expected` ("Conv Relu", in the order they run)
  // and that the outputs have the same types, shapes and, within `tolerance` + `tolerance` * |y|, values (the same bytes where they are not float32). Symbols take the
  // size 3.
  void rewrites(const std::string& pass, const std::string& expected, double tolerance = 1e-5);
  // The pass leaves the graph as it is.
  void leaves(const std::string& pass, double tolerance = 1e-5);

  ir::Graph graph_;
  ir::Capabilities* capabilities_ = nullptr;  // of a device that the pass under test asks; null: the CPU's

 private:
  std::string nodes() const;
  std::vector<base::Tensor> compute(const ir::Graph& original) const;
  void keeps_at_each_level(double tolerance) const;

  std::map<ir::ValueId, base::Tensor> fed_;
  uint32_t seed_ = 1;
};

}  // namespace onnxrun::optimize
