// Running a program: the chain of segments that shapes and values select.
#include "run/frame.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "run/type_check.h"

namespace onnxrun::run {

using base::DType;
using base::Tensor;
using base::Value;
using plan::Segment;
using plan::Step;

Feed feed_of(const Value& value) {
  Feed feed;
  feed.holder = &value;
  if (value.is_tensor()) feed.view = value.tensor().view();
  return feed;
}

Frame::Frame(const plan::Program& program, StreamContext& context)
    : program_(program),
      context_(context),
      segments_(context.plans),
      blocks_(static_cast<size_t>(program.providers().size()) + 1, context),
      views_(program.slots().size()),
      holders_(program.slots().size()),
      borrowed_(program.slots().size()),
      output_memory_(program.outputs().size()) {
  static const onnxrun_tensor kAbsent{};
  for (size_t slot = 0; slot < views_.size(); ++slot)
    if (const Tensor& constant = program.slots()[slot].constant) {
      views_[slot] = constant.stored_view();
      holders_[slot] = constant;
      if (constant.is_unaligned()) unaligned_.push_back(static_cast<int>(slot));
    }
  for (int slot : program.outputs()) read_constant(slot);
  for (const Step& step : program.steps()) {
    if (step.kind != plan::StepKind::kKernel) {
      for (int in : step.inputs) read_constant(in);
      for (const plan::BodyProgram& body : step.bodies)
        for (int capture : body.captures) read_constant(capture);
    }
    input_offsets_.push_back(inputs_.size());
    output_offsets_.push_back(outputs_.size());
    for (int in : step.inputs) inputs_.push_back(in < 0 ? &kAbsent : &views_[static_cast<size_t>(in)]);
    for (int out : step.outputs)
      outputs_.push_back(out < 0 ? const_cast<onnxrun_tensor*>(&kAbsent) : &views_[static_cast<size_t>(out)]);
  }
}

Frame::~Frame() = default;

void Frame::run(std::span<const Feed> inputs, std::span<const Feed> captures, std::vector<Value>& outputs,
                std::span<const int32_t> output_memories) {
  outputs.resize(program_.outputs().size());
  struct Run {
    Frame& frame;
    bool done = false;
    const bool borrows;  // bodies run often, and keep their blocks
    explicit Run(Frame& f) : frame(f), borrows(f.context_.depth == 0 && f.context_.blocks != nullptr) {
      frame.segments_.begin_run();
      if (borrows && !frame.blocks_.borrow(*frame.context_.blocks)) frame.segments_.forget_placed();
    }
    ~Run() {
      // Work that a failed run has left behind must not touch memory that its end gives free.
      if (!done) frame.context_.devices->settle();
      frame.end_run();
      if (borrows) frame.blocks_.give_back(*frame.context_.blocks);
    }
  } run(*this);

  const auto accept = [&](int slot, const Feed& feed) {
    views_[static_cast<size_t>(slot)] = feed.view;
    borrowed_[static_cast<size_t>(slot)] = feed.holder;
  };
  for (size_t i = 0; i < inputs.size(); ++i) accept(program_.inputs()[i], inputs[i]);
  for (size_t i = 0; i < captures.size(); ++i) accept(program_.captures()[i], captures[i]);
  // A session has looked at the model's own.
  for (size_t i = 0; context_.depth > 0 && i < inputs.size(); ++i) {
    const int slot = program_.inputs()[i];
    if (!fits(program_.fact(slot), inputs[i])) refuse(program_.fact(slot), inputs[i], program_.name(slot));
  }
  const auto on_device = [](const Value& value) { return value.is_tensor() && value.tensor().memory() != 0; };
  if (std::any_of(inputs.begin(), inputs.end(), [](const Feed& feed) { return feed.view.memory != 0; }) ||
      std::any_of(outputs.begin(), outputs.end(), on_device) || !output_memories.empty())
    bind_devices(outputs, output_memories);
  if constexpr (kChecksFacts) {
    facts_.begin(outer_);
    for (const std::vector<int>* slots : {&program_.inputs(), &program_.captures()})
      for (int slot : *slots) facts_.bind(program_.fact(slot), views_[static_cast<size_t>(slot)]);
  }

  for (;;) {
    const Segment& segment = next_segment();
    enter(segment, outputs);
    execute(segment);
    if (segment.last == program_.step_count()) break;
  }
  context_.devices->wait_all();
  collect(outputs);
  if (bindings_ && bindings_->copies) context_.devices->wait_all();
  run.done = true;
}

const Segment& Frame::next_segment() {
  const Segment* before = segments_.depth() == 0 ? nullptr : &segments_.on_path(segments_.depth() - 1);
  key_.clear();
  if (before != nullptr) {
    // Values may be looked at, and the next plan knows nothing of copies under way.
    context_.devices->wait_for_downloads();
    context_.devices->meet();
  }
  if (before == nullptr) {
    for (int slot : program_.inputs()) append_key(slot, false);
    for (int slot : program_.captures()) append_key(slot, false);
  } else {
    for (const plan::Awaited& awaited : before->awaits) append_key(awaited.slot, awaited.with_value);
  }
  if (const Segment* found = segments_.advance(key_)) return *found;
  std::vector<std::pair<int, ir::Fact>> given;
  if (before == nullptr) {
    for (int slot : program_.inputs()) given.emplace_back(slot, fact_of(slot, false));
    for (int slot : program_.captures()) given.emplace_back(slot, fact_of(slot, false));
  } else {
    for (const plan::Awaited& awaited : before->awaits)
      given.emplace_back(awaited.slot, fact_of(awaited.slot, awaited.with_value));
  }
  std::unique_ptr<Segment> segment = plan::plan_segment(program_, before, std::move(given), context_.control->deadline);
  // Kernels have found constants unaligned that they read.
  for (int slot : unaligned_) views_[static_cast<size_t>(slot)].data = const_cast<void*>(constant(slot).stored());
  return segments_.add(key_, std::move(segment));
}

const Tensor& Frame::constant(int slot) const { return program_.slots()[static_cast<size_t>(slot)].constant; }

void Frame::read_constant(int slot) {
  if (slot >= 0 && constant(slot)) views_[static_cast<size_t>(slot)] = constant(slot).view();
}

ir::Fact Frame::fact_of(int slot, bool with_value) const {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  if (view.dtype == 0) {
    ir::Fact fact = program_.fact(slot);
    fact.constant = {};
    return fact;
  }
  const bool capture = program_.graph().value(program_.slots()[static_cast<size_t>(slot)].value).outer != ir::kNone;
  if (capture && program_.fact(slot).constant) return program_.fact(slot);
  const base::Dims dims(view.dims, view.dims + view.rank);
  if (!with_value) return ir::Fact::tensor(static_cast<DType>(view.dtype), ir::make_shape(dims));
  Tensor copy(static_cast<DType>(view.dtype), dims);
  if (copy.bytes() > 0) std::memcpy(copy.mutable_raw(), view.data, copy.bytes());
  return ir::Fact::of(std::move(copy));
}

void Frame::append_key(int slot, bool with_value) {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  key_.push_back(view.dtype);
  if (view.dtype == 0) return;
  key_.push_back(view.rank);
  key_.insert(key_.end(), view.dims, view.dims + view.rank);
  if (!with_value) return;
  const size_t bytes = base::dtype_bytes(static_cast<DType>(view.dtype),
                                         base::element_count({view.dims, static_cast<size_t>(view.rank)}));
  const auto* data = static_cast<const char*>(view.data);
  for (size_t i = 0; i < bytes; i += sizeof(int64_t)) {
    int64_t word = 0;
    std::memcpy(&word, data + i, std::min(bytes - i, sizeof word));
    key_.push_back(word);
  }
}

void Frame::end_run() {
  if (bindings_) {
    segments_.forget_placed();  // views show the caller's memory
    bindings_->end_run();
    idle_bindings_ = std::move(bindings_);
  }
  segments_.end_run();
  if (!live_.empty()) forget_live();
  for (int slot : held_) holders_[static_cast<size_t>(slot)] = {};
  held_.clear();
  for (Tensor& memory : output_memory_) memory = {};
  for (const std::vector<int>* slots : {&program_.inputs(), &program_.captures()})
    for (int slot : *slots) borrowed_[static_cast<size_t>(slot)] = nullptr;
}

Frame& Frame::body_frame(int step, size_t body) {
  std::unique_ptr<Frame>& frame = bodies_[{step, body}];
  if (!frame) {
    frame = std::make_unique<Frame>(*program_.steps()[static_cast<size_t>(step)].bodies[body].program, context_);
    frame->outer_ = &facts_;
  }
  return *frame;
}

void Frame::trim() {
  segments_.clear();
  blocks_.release();
  bodies_.clear();
}

}  // namespace onnxrun::run
