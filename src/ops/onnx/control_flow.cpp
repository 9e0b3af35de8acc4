// If, Loop and Scan: operators with bodies, run by the executor (ONNX If-25, Loop-25, Scan-25; Scan-8 as BatchScan of our own domain).
#include <algorithm>

#include "ir/expansion.h"
#include "ir/infer.h"
#include "ir/lowering.h"
#include "ops/known_values.h"
#include "ops/loop_body.h"

namespace onnxrun::ops {

using ir::Dim;
using ir::DType;
using ir::Fact;

namespace {

// What is left of a fact when only type and shape hold, not the value.
Fact without_value(Fact fact) {
  fact.constant = {};
  fact.elements.reset();
  return fact;
}

void infer_if(ir::InferContext& c) {
  constexpr const char* kBranches[] = {"then_branch", "else_branch"};
  for (const char* name : kBranches) {
    const ir::Graph* branch = c.node().body(name);
    if (branch == nullptr) c.fail("If needs a {}", name);
    if (branch->outputs().size() != c.output_count())
      c.fail("{} has {} outputs, but the If has {}", name, branch->outputs().size(), c.output_count());
  }
  // The other branch of a constant condition may be one that could not run.
  if (const auto condition = c.ints(0); condition && condition->size() == 1) {
    const std::vector<Fact> taken = c.infer_body(kBranches[condition->front() != 0 ? 0 : 1], {});
    for (size_t i = 0; i < c.output_count(); ++i) c.set(i, taken[i]);
    return;
  }
  const std::vector<Fact> then_facts = c.infer_body("then_branch", {});
  const std::vector<Fact> else_facts = c.infer_body("else_branch", {});
  for (size_t i = 0; i < c.output_count(); ++i) {
    if (!types_agree(then_facts[i], else_facts[i]))
      c.fail("output {} is {} in then_branch and {} in else_branch", i, then_facts[i].to_string(),
             else_facts[i].to_string());
    c.set(i, without_value(join(then_facts[i], else_facts[i])));
  }
}

// What holds for a state that went in as `state` and may have come out as `out`. An optional state may come out filled, as its element.
Fact join_state(const Fact& state, const Fact& out) {
  if (state.kind == ir::TypeKind::kOptional && state.element && out.kind != ir::TypeKind::kOptional)
    return Fact::optional(join(*state.element, out));
  return join(state, out);
}

bool states_agree(const Fact& state, const Fact& out) {
  return types_agree(state, out) ||
         (state.kind == ir::TypeKind::kOptional && state.element && types_agree(*state.element, out));
}

// How often the body runs, as far as known before.
Dim iterations(ir::InferContext& c, const ir::Graph& body) {
  const auto condition = c.ints(1);
  if (condition && condition->size() == 1 && condition->front() == 0) return Dim(0);
  const auto count = c.elements(0);
  if (!count || count->size() != 1) return Dim();
  if (count->front().is_constant() && count->front().value() <= 0) return Dim(0);
  if ((c.has_input(1) && !condition) || !never_breaks(body)) return Dim();
  return at_least_zero(count->front());
}

// Facts of loop-carried states that hold before and after every iteration: the join of what goes in and what comes out, repeated until it stays.
template <class RunBody>
std::vector<Fact> settle_states(ir::InferContext& c, std::vector<Fact> states, const RunBody& run_body,
                                std::vector<Fact>& outputs, size_t first_state_output) {
  constexpr int kMaxRounds = 4;
  for (Fact& state : states) state = without_value(std::move(state));
  for (int round = 0;; ++round) {
    outputs = run_body(states);
    bool stable = true;
    for (size_t i = 0; i < states.size(); ++i) {
      const Fact& out = outputs[first_state_output + i];
      if (!states_agree(states[i], out))
        c.fail("state {} goes into the body as {} and comes out as {}", i, states[i].to_string(), out.to_string());
      Fact joined = without_value(join_state(states[i], out));
      if (round + 1 >= kMaxRounds) joined.shape.reset();
      if (joined.to_string() != states[i].to_string()) stable = false;
      states[i] = std::move(joined);
    }
    if (stable || round >= kMaxRounds) return states;
  }
}

void infer_loop(ir::InferContext& c) {
  const ir::Graph* body = c.node().body("body");
  if (body == nullptr) c.fail("Loop needs a body");
  const size_t states = c.input_count() > 2 ? c.input_count() - 2 : 0;
  if (body->inputs().size() != states + 2)
    c.fail("the body takes {} inputs, but iteration number, condition and {} states are {}", body->inputs().size(),
           states, states + 2);
  if (body->outputs().size() < states + 1 || body->outputs().size() - 1 != c.output_count())
    c.fail("the body has {} outputs; for {} states and {} outputs of the Loop it needs {}", body->outputs().size(),
           states, c.output_count(), c.output_count() + 1);
  std::vector<Fact> initial;
  for (size_t i = 0; i < states; ++i) initial.push_back(c.input(i + 2));
  std::vector<Fact> outputs;
  const auto run_body = [&](const std::vector<Fact>& facts) {
    std::vector<Fact> inputs = {Fact::tensor(DType::kInt64, ir::Shape{}), Fact::tensor(DType::kBool, ir::Shape{})};
    inputs.insert(inputs.end(), facts.begin(), facts.end());
    return c.infer_body("body", inputs);
  };
  const std::vector<Fact> settled = settle_states(c, initial, run_body, outputs, 1);
  const Dim count = iterations(c, *body);
  for (size_t i = 0; i < states; ++i) {
    if (!count.is_constant()) c.set(i, settled[i]);
    else c.set(i, count.value() == 0 ? initial[i] : without_value(outputs[i + 1]));
  }
  for (size_t i = states; i < c.output_count(); ++i) {
    const Fact& slice = outputs[i + 1];
    if (slice.kind != ir::TypeKind::kUnknown && !slice.is_tensor())
      c.fail("scan output {} must be a tensor, got {}", i - states, slice.to_string());
    Fact stacked = Fact::tensor(slice.dtype);
    if (slice.shape) {
      stacked.shape = *slice.shape;
      stacked.shape->insert(stacked.shape->begin(), count);
    }
    c.set(i, std::move(stacked));
  }
}

// The number of scan inputs, checked against inputs, outputs and body. `leading` is 1 when sequence_lens comes first (BatchScan).
size_t scan_inputs(ir::InferContext& c, size_t leading) {
  const ir::Graph* body = c.node().body("body");
  const int64_t scans = c.attributes().get_int("num_scan_inputs", 0);
  const size_t values = c.input_count() - std::min(leading, c.input_count());
  if (body == nullptr) c.fail("Scan needs a body");
  if (scans < 1 || static_cast<size_t>(scans) > values)
    c.fail("num_scan_inputs is {}, but there are {} inputs", scans, values);
  const size_t states = values - static_cast<size_t>(scans);
  if (body->inputs().size() != values)
    c.fail("the body takes {} inputs, the Scan has {}", body->inputs().size(), values);
  if (body->outputs().size() != c.output_count() || c.output_count() < states)
    c.fail("the body has {} outputs and {} states, the Scan has {} outputs", body->outputs().size(), states,
           c.output_count());
  return static_cast<size_t>(scans);
}

// Axis k of an optional list of axes; 0 when the list is absent.
int64_t axis_of(ir::InferContext& c, const char* list, size_t k, size_t expected, int64_t rank) {
  const std::vector<int64_t> axes = c.attributes().get_ints(list);
  if (axes.empty()) return 0;
  if (axes.size() != expected) c.fail("{} has {} entries, expected {}", list, axes.size(), expected);
  return rank < 0 ? axes[k] : base::normalize_axis(axes[k], rank, list);
}

void infer_scan(ir::InferContext& c) {
  const size_t scans = scan_inputs(c, 0);
  const size_t states = c.input_count() - scans;
  Dim length;
  std::vector<Fact> slices;
  for (size_t i = 0; i < scans; ++i) {
    const Fact& input = c.input(states + i);
    Fact slice = Fact::tensor(input.dtype);
    if (input.shape) {
      if (input.shape->empty()) c.fail("scan input {} must have a dimension to scan over, got a scalar", i);
      const auto axis = static_cast<size_t>(axis_of(c, "scan_input_axes", i, scans, input.rank()));
      const Dim& steps = (*input.shape)[axis];
      if (length.is_constant() && steps.is_constant() && !(length == steps))
        c.fail("scan inputs have different lengths: {} and {}", length.to_string(), steps.to_string());
      if (!length.is_constant()) length = steps;
      slice.shape = *input.shape;
      slice.shape->erase(slice.shape->begin() + static_cast<int64_t>(axis));
    }
    slices.push_back(std::move(slice));
  }
  std::vector<Fact> initial;
  for (size_t i = 0; i < states; ++i) initial.push_back(c.input(i));
  std::vector<Fact> outputs;
  const auto run_body = [&](const std::vector<Fact>& facts) {
    std::vector<Fact> inputs = facts;
    inputs.insert(inputs.end(), slices.begin(), slices.end());
    return c.infer_body("body", inputs);
  };
  const std::vector<Fact> settled = settle_states(c, std::move(initial), run_body, outputs, 0);
  for (size_t i = 0; i < states; ++i) c.set(i, settled[i]);
  for (size_t i = states; i < c.output_count(); ++i) {
    Fact stacked = Fact::tensor(outputs[i].dtype);
    if (outputs[i].shape) {
      stacked.shape = *outputs[i].shape;
      const int64_t axis = axis_of(c, "scan_output_axes", i - states, c.output_count() - states, stacked.rank() + 1);
      stacked.shape->insert(stacked.shape->begin() + axis, length);
    }
    c.set(i, std::move(stacked));
  }
}

void infer_batch_scan(ir::InferContext& c) {
  const size_t scans = scan_inputs(c, 1);
  const size_t states = c.input_count() - 1 - scans;
  const auto drop_dims = [](const Fact& fact, size_t count) {
    Fact result = Fact::tensor(fact.dtype);
    if (fact.shape && fact.shape->size() >= count)
      result.shape = ir::Shape(fact.shape->begin() + static_cast<int64_t>(count), fact.shape->end());
    return result;
  };
  std::vector<Fact> initial, slices;
  Dim batch, length;
  const auto take = [](Dim& dim, const Fact& fact, size_t axis) {
    if (!dim.is_constant() && fact.shape && fact.shape->size() > axis && !(*fact.shape)[axis].is_unknown())
      dim = (*fact.shape)[axis];
  };
  for (size_t i = 0; i < states; ++i) {
    initial.push_back(drop_dims(c.input(1 + i), 1));
    take(batch, c.input(1 + i), 0);
  }
  for (size_t i = 0; i < scans; ++i) {
    slices.push_back(drop_dims(c.input(1 + states + i), 2));
    take(batch, c.input(1 + states + i), 0);
    take(length, c.input(1 + states + i), 1);
  }
  std::vector<Fact> outputs;
  const auto run_body = [&](const std::vector<Fact>& facts) {
    std::vector<Fact> inputs = facts;
    inputs.insert(inputs.end(), slices.begin(), slices.end());
    return c.infer_body("body", inputs);
  };
  const std::vector<Fact> settled = settle_states(c, std::move(initial), run_body, outputs, 0);
  for (size_t i = 0; i < c.output_count(); ++i) {
    const Fact& each = i < states ? settled[i] : outputs[i];
    Fact batched = Fact::tensor(each.dtype);
    if (each.shape) {
      batched.shape = *each.shape;
      if (i >= states) batched.shape->insert(batched.shape->begin(), length);
      batched.shape->insert(batched.shape->begin(), batch);
    }
    c.set(i, std::move(batched));
  }
}

void lift_scan(ir::Expansion& e, int since) {
  if (since >= 9) return e.keep();
  e.attributes().rename("directions", "scan_input_directions");
  e.become("onnxrun", "BatchScan");
  e.keep();
}

// Scan-8 is another operator, BatchScan.
void lower_scan(ir::Lowering& l, int opset) {
  if (opset < 9) return l.refuse("Scan has another meaning at opset 8");
  for (const char* axes : {"scan_input_axes", "scan_output_axes"})
    for (const int64_t axis : l.attributes().get_ints(axes))
      if (opset < 11 && axis < 0)
        return l.refuse("its attribute '{}' counts from the back, which came with opset 11", axes);
  l.keep();
}

void lower_batch_scan(ir::Lowering& l, int opset) {
  if (opset != 8) return l.refuse("the Scan of opset 8, over batches, has no form in other opsets");
  l.attributes().rename("scan_input_directions", "directions");
  l.become("", "Scan");
  l.keep();
}

}  // namespace

void define_onnx_control_flow(ir::OpTable& table) {
  table.add({.domain = "",
             .name = "If",
             .versions = {1, 11, 13, 16, 19, 21, 23, 24, 25},
             .signature = {.inputs = "cond:bool",
                           .outputs = "outputs**~:any",
                           .attributes = "then_branch:graph!, else_branch:graph!"},
             .flags = ir::kStructural,
             .infer = infer_if});
  table.add({.domain = "",
             .name = "Loop",
             .versions = {1, 11, 13, 16, 19, 21, 23, 24, 25},
             .signature = {.inputs = "M?:int64, cond?:bool, v_initial**~:any",
                           .outputs = "v_final_and_scan_outputs**~:any",
                           .attributes = "body:graph!"},
             .flags = ir::kStructural,
             .infer = infer_loop});
  table.add({.domain = "",
             .name = "Scan",
             .versions = {8, 9, 11, 16, 19, 21, 23, 24, 25},
             .signature = {.inputs = "initial_state_and_scan_inputs*~:any",
                           .outputs = "final_state_and_scan_outputs*~:any",
                           .attributes =
                               "body:graph!, num_scan_inputs:int!, scan_input_axes:ints, scan_input_directions:ints, "
                               "scan_output_axes:ints, scan_output_directions:ints"},
             .flags = ir::kStructural,
             .infer = infer_scan,
             .lift = lift_scan,
             .lower = lower_scan});
  table.add({.domain = "onnxrun",
             .name = "BatchScan",
             .versions = {1},
             .signature = {.inputs = "sequence_lens?:int64, initial_state_and_scan_inputs*~:any",
                           .outputs = "final_state_and_scan_outputs*~:any",
                           .attributes = "body:graph!, num_scan_inputs:int!, scan_input_directions:ints"},
             .flags = ir::kStructural,
             .infer = infer_batch_scan,
             .lower = lower_batch_scan});
}

}  // namespace onnxrun::ops
