// Structural operators: what the executor runs itself - control flow, sequences, optionals and maps.
#pragma once

#include <string_view>

#include "base/value.h"
#include "run/frame.h"

namespace onnxrun::run {

// A structural node during a run.
class StructuralContext {
 public:
  StructuralContext(Frame& frame, int step)
      : frame_(frame), step_index_(step), step_(frame.program().steps()[static_cast<size_t>(step)]) {}

  const ir::Node& node() const { return frame_.program().graph().node(step_.node); }
  size_t input_count() const { return step_.inputs.size(); }
  size_t output_count() const { return step_.outputs.size(); }
  bool has_input(size_t i) const { return i < step_.inputs.size() && step_.inputs[i] >= 0; }
  bool has_output(size_t i) const { return i < step_.outputs.size() && step_.outputs[i] >= 0; }

  // The input's value; tensors that lie in the planned block are copied, others shared.
  base::Value input(size_t i) { return frame_.slot_value(step_.inputs[i]); }
  // Without a copy; valid during this step.
  Feed feed(size_t i) const { return frame_.slot_feed(step_.inputs[i]); }
  // What is known statically of an output, e.g. the element type of an empty sequence.
  const ir::Fact& output_fact(size_t i) const { return frame_.program().fact(step_.outputs[i]); }
  // Throws kRunFailed where it is of another type than the program was made for.
  void set_output(size_t i, base::Value value);

  // Runs the node by its operator's function. Throws kUnsupported where there is none.
  void run();

  // Runs a body; `outputs` as in Frame::run.
  void run_body(std::string_view name, std::span<const Feed> inputs, std::vector<base::Value>& outputs);
  const ir::Graph& body(std::string_view name) const;
  // What the body's outputs would be had it run on values of these types and shapes (its first inputs; data may be null, dtype 0 says nothing) and what it
  // captures now. Nodes that could not have run say no more than they did before the run.
  std::vector<ir::Fact> infer_body(std::string_view name, std::span<const onnxrun_tensor> inputs) const;

  TensorPool& tensors() { return *frame_.context().tensors; }
  const base::Limits& limits() const { return frame_.context().limits; }
  const RunControl& control() const { return *frame_.context().control; }

 private:
  size_t body_index(std::string_view name) const;
  std::vector<Feed> captures_of(size_t body) const;

  Frame& frame_;
  int step_index_;
  const plan::Step& step_;
};

using StructuralFunction = void (*)(StructuralContext&);

// The function of a structural operator; null when there is none.
StructuralFunction find_structural(std::string_view domain, std::string_view op);

}  // namespace onnxrun::run
