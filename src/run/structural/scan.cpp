// Running Scan, and the batched form it had in opset 8.
#include "base/charge.h"
#include "base/checked.h"
#include "base/error.h"

#include <algorithm>
#include "run/structural/axis.h"
#include "run/structural/functions.h"
#include "run/structural/list.h"
#include "run/structural/stack.h"

namespace onnxrun::run {

using base::Code;
using base::Tensor;
using base::Value;

namespace {

// One pass over sequences: states and scan inputs in, final states and stacked scan outputs out.
struct Pass {
  StructuralContext& context;
  size_t states = 0, scans = 0, stacked = 0;
  std::vector<int64_t> input_axes, input_reversed, output_axes, output_reversed;

  explicit Pass(StructuralContext& c, size_t values) : context(c) {
    const ir::Attributes& attributes = c.node().attributes;
    scans = static_cast<size_t>(attributes.get_int("num_scan_inputs", 0));
    states = values - scans;
    stacked = c.output_count() - states;
    input_axes = filled(attributes.get_ints("scan_input_axes"), scans, "scan_input_axes");
    input_reversed = filled(attributes.get_ints("scan_input_directions"), scans, "scan_input_directions");
    output_axes = filled(attributes.get_ints("scan_output_axes"), stacked, "scan_output_axes");
    output_reversed = filled(attributes.get_ints("scan_output_directions"), stacked, "scan_output_directions");
  }

  static std::vector<int64_t> filled(std::vector<int64_t> list, size_t count, const char* name) {
    if (!list.empty() && list.size() != count)
      base::fail(Code::kInvalidModel, "{} has {} entries, expected {}", name, list.size(), count);
    list.resize(count, 0);
    return list;
  }

  // `length` steps; the tensors of `carried` become the final states.
  std::vector<Value> run(std::vector<Value>& carried, const std::vector<Tensor>& sequences, int64_t length) {
    std::vector<Stack> scanned;
    for (size_t k = 0; k < stacked; ++k)
      scanned.emplace_back(context.tensors(), output_axes[k], output_reversed[k] != 0);
    std::vector<Value> slices(scans), results;
    std::vector<Feed> feeds(states + scans);
    for (int64_t step = 0; step < length; ++step) {
      context.control().check();
      if (step >= context.limits().max_loop_iterations)
        base::exceed("a further iteration of the scan", context.limits().max_loop_iterations, "max_loop_iterations");
      for (size_t k = 0; k < scans; ++k) {
        const int64_t axis = base::normalize_axis(input_axes[k], sequences[k].rank(), "scan_input_axes");
        slices[k] = slice_axis(sequences[k], axis, input_reversed[k] != 0 ? length - 1 - step : step, 1, true,
                               context.tensors());
        feeds[states + k] = feed_of(slices[k]);
      }
      for (size_t k = 0; k < states; ++k) feeds[k] = feed_of(carried[k]);
      results.clear();
      context.run_body("body", feeds, results);
      for (size_t k = 0; k < states; ++k) carried[k] = std::move(results[k]);
      for (size_t k = 0; k < stacked; ++k) scanned[k].push(std::move(results[states + k].tensor()));
    }
    std::vector<Value> outputs;
    std::vector<ir::Fact> made;
    if (length == 0 && stacked > 0) made = facts_of_body(carried, sequences);
    for (size_t k = 0; k < stacked; ++k)
      outputs.push_back(scanned[k].empty() ? empty_scan(k, made) : scanned[k].take());
    return outputs;
  }

  // What the body would make of these states and slices of these sequences.
  std::vector<ir::Fact> facts_of_body(const std::vector<Value>& carried, const std::vector<Tensor>& sequences) {
    std::vector<onnxrun_tensor> inputs;
    std::vector<base::Dims> slices(scans);
    for (const Value& state : carried) inputs.push_back(feed_of(state).view);
    for (size_t k = 0; k < scans; ++k) {
      slices[k] = sequences[k].dims();
      slices[k].erase(slices[k].begin() + base::normalize_axis(input_axes[k], sequences[k].rank(), "scan_input_axes"));
      onnxrun_tensor view = sequences[k].view();
      view.dims = slices[k].data();
      view.rank = static_cast<int32_t>(slices[k].size());
      inputs.push_back(view);
    }
    return context.infer_body("body", inputs);
  }

  // Dims that are unknown are 0.
  Tensor empty_scan(size_t k, const std::vector<ir::Fact>& made) {
    const ir::Fact& fact = context.output_fact(states + k);
    const bool known = !made.empty() && made[states + k].shape;
    base::Dims dims;
    for (const ir::Dim& dim : known ? *made[states + k].shape : fact.shape.value_or(ir::Shape{ir::Dim(0)}))
      dims.push_back(std::max<int64_t>(dim.value(), 0));
    if (known) dims.push_back(0);
    const int64_t axis = base::normalize_axis(output_axes[k], static_cast<int64_t>(dims.size()), "scan_output_axes");
    if (known) std::rotate(dims.begin() + axis, dims.end() - 1, dims.end());
    dims[static_cast<size_t>(axis)] = 0;
    return context.tensors().make(fact.dtype, std::move(dims));
  }
};

}  // namespace

void run_scan(StructuralContext& context) {
  Pass pass(context, context.input_count());
  std::vector<Value> carried;
  for (size_t k = 0; k < pass.states; ++k) carried.push_back(context.input(k));
  std::vector<Tensor> sequences;
  int64_t length = -1;
  for (size_t k = 0; k < pass.scans; ++k) {
    sequences.push_back(context.input(pass.states + k).tensor());
    const Tensor& sequence = sequences.back();
    const int64_t axis = base::normalize_axis(pass.input_axes[k], sequence.rank(), "scan_input_axes");
    const int64_t steps = sequence.dims()[static_cast<size_t>(axis)];
    if (length >= 0 && steps != length)
      base::fail(Code::kRunFailed, "scan inputs have different lengths: {} and {}", length, steps);
    length = steps;
  }
  std::vector<Value> stacked = pass.run(carried, sequences, length);
  for (size_t k = 0; k < pass.states; ++k) context.set_output(k, std::move(carried[k]));
  for (size_t k = 0; k < stacked.size(); ++k) context.set_output(pass.states + k, std::move(stacked[k]));
}

void run_batch_scan(StructuralContext& context) {
  Pass pass(context, context.input_count() - 1);
  std::vector<Tensor> inputs;
  for (size_t k = 1; k < context.input_count(); ++k) {
    inputs.push_back(context.input(k).tensor());
    if (inputs.back().rank() < (k <= pass.states ? 1 : 2) || inputs.back().dims()[0] != inputs[0].dims()[0])
      base::fail(Code::kRunFailed, "input {} of shape {} does not have the batch size {}", k,
                 base::to_string(inputs.back().dims()), inputs[0].dims().empty() ? 0 : inputs[0].dims()[0]);
  }
  const int64_t batch = inputs[0].dims()[0];
  const int64_t longest = inputs[pass.states].dims()[1];
  // Of each item, the results that wait to be joined; and its length.
  const base::Charge waiting(
      context.tensors().budget(),
      base::checked_add(list_bytes(base::checked_mul(batch, static_cast<int64_t>(context.output_count()))),
                        base::checked_mul(batch, 2 * sizeof(int64_t))));
  std::vector<int64_t> lengths(static_cast<size_t>(batch), longest);
  if (context.has_input(0)) {
    lengths = context.input(0).tensor().as_int64();
    if (static_cast<int64_t>(lengths.size()) != batch)
      base::fail(Code::kRunFailed, "sequence_lens must have {} entries", batch);
  }
  std::vector<std::vector<Tensor>> results(context.output_count());
  for (int64_t b = 0; b < batch; ++b) {
    context.control().check();
    const int64_t length = lengths[static_cast<size_t>(b)];
    if (length < 0 || length > longest)
      base::fail(Code::kRunFailed, "sequence length {} is outside [0, {}]", length, longest);
    std::vector<Value> carried;
    std::vector<Tensor> sequences;
    for (size_t k = 0; k < inputs.size(); ++k) {
      Tensor item = slice_axis(inputs[k], 0, b, 1, true, context.tensors());
      if (k < pass.states) carried.push_back(std::move(item));
      else sequences.push_back(slice_axis(item, 0, 0, length, false, context.tensors()));
    }
    std::vector<Value> stacked = pass.run(carried, sequences, length);
    for (size_t k = 0; k < pass.states; ++k) results[k].push_back(carried[k].tensor());
    for (size_t k = 0; k < stacked.size(); ++k) {
      // Shorter sequences are padded with zeros to the longest.
      Tensor& part = stacked[k].tensor();
      if (length < longest) {
        base::Dims dims = part.dims();
        dims[0] = longest - length;
        Tensor zeros = context.tensors().make(part.dtype(), dims);
        if (part.dtype() != base::DType::kString)
          std::fill_n(static_cast<char*>(zeros.mutable_raw()), zeros.bytes(), char{0});
        const std::vector<Tensor> parts = {part, zeros};
        part = join_axis(parts, 0, false, context.tensors());
      }
      results[pass.states + k].push_back(part);
    }
  }
  for (size_t k = 0; k < results.size(); ++k) context.set_output(k, join_axis(results[k], 0, true, context.tensors()));
}

}  // namespace onnxrun::run
