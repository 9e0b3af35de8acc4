// Running a program: choosing segments by shapes, placing their values, and executing their steps.
#include "run/frame.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "plan/node_view.h"
#include "run/structural.h"

namespace onnxrun::run {

using base::Code;
using base::DType;
using base::Error;
using base::Tensor;
using base::Value;
using plan::Place;
using plan::Segment;
using plan::SegmentSlot;
using plan::SegmentStep;
using plan::Step;
using plan::StepKind;

namespace {

const onnxrun_tensor kAbsent{};
constexpr size_t kMaxContinuations = 256;  // plans kept for what may follow one segment

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Copies the elements of a view to a tensor of the same type and size.
void copy_elements(const onnxrun_tensor& from, Tensor& to) {
  if (to.dtype() == DType::kString)
    std::copy_n(static_cast<const std::string*>(from.data), to.count(), to.mutable_data<std::string>());
  else if (to.bytes() > 0)
    std::memcpy(to.mutable_raw(), from.data, to.bytes());
}

Tensor copy_of(const onnxrun_tensor& view, TensorPool& pool) {
  Tensor result = pool.make(static_cast<DType>(view.dtype), base::Dims(view.dims, view.dims + view.rank));
  copy_elements(view, result);
  return result;
}

}  // namespace

Feed feed_of(const Value& value) {
  Feed feed;
  feed.holder = &value;
  if (value.is_tensor()) feed.view = value.tensor().view();
  return feed;
}

// What a kernel gets as its context, and the way back from the host functions.
struct Frame::Call : onnxrun_run_context {
  Frame* frame = nullptr;
  const Step* step = nullptr;
};

Frame::Frame(const plan::Program& program, StreamContext& context)
    : program_(program), context_(context), views_(program.slots().size()), holders_(program.slots().size()),
      borrowed_(program.slots().size()), output_memory_(program.outputs().size()), blocks_(static_cast<size_t>(program.providers().size()) + 1) {
  for (size_t slot = 0; slot < views_.size(); ++slot)
    if (const Tensor& constant = program.slots()[slot].constant) {
      views_[slot] = constant.view();
      holders_[slot] = constant;
    }
  for (const Step& step : program.steps()) {
    input_offsets_.push_back(inputs_.size());
    output_offsets_.push_back(outputs_.size());
    for (int in : step.inputs) inputs_.push_back(in < 0 ? &kAbsent : &views_[static_cast<size_t>(in)]);
    for (int out : step.outputs)
      outputs_.push_back(out < 0 ? const_cast<onnxrun_tensor*>(&kAbsent) : &views_[static_cast<size_t>(out)]);
  }
}

Frame::~Frame() = default;

void Frame::run(std::span<const Feed> inputs, std::span<const Feed> captures, std::vector<Value>& outputs) {
  outputs.resize(program_.outputs().size());
  struct Clear {
    Frame& frame;
    ~Clear() { frame.clear(); }
  } clear_at_end{*this};

  const auto accept = [&](int slot, const Feed& feed) {
    views_[static_cast<size_t>(slot)] = feed.view;
    borrowed_[static_cast<size_t>(slot)] = feed.holder;
  };
  for (size_t i = 0; i < inputs.size(); ++i) accept(program_.inputs()[i], inputs[i]);
  for (size_t i = 0; i < captures.size(); ++i) accept(program_.captures()[i], captures[i]);

  Segment* segment = &first_segment(inputs, captures);
  for (size_t depth = 0;; ++depth) {
    enter(*segment, depth, outputs);
    execute(*segment);
    if (segment->last == program_.step_count()) break;
    segment = &next_segment(*segment, depth);
  }
  synchronize();
  collect(outputs);
}

Segment& Frame::first_segment(std::span<const Feed> inputs, std::span<const Feed> captures) {
  key_.clear();
  for (size_t i = 0; i < inputs.size(); ++i) append_key(program_.inputs()[i], false);
  for (size_t i = 0; i < captures.size(); ++i) append_key(program_.captures()[i], false);
  auto found = root_.next.find(key_);
  if (found == root_.next.end()) {
    forget_old_plans();
    std::vector<std::pair<int, ir::Fact>> given;
    for (int slot : program_.inputs()) given.emplace_back(slot, fact_of(slot, false));
    for (int slot : program_.captures()) given.emplace_back(slot, fact_of(slot, false));
    found = root_.next.emplace(key_, plan::plan_segment(program_, nullptr, std::move(given))).first;
  }
  found->second->last_used = ++tick_;
  return *found->second;
}

Segment& Frame::next_segment(Segment& segment, size_t depth) {
  key_.clear();
  for (const plan::Awaited& awaited : segment.awaits) append_key(awaited.slot, awaited.with_value);
  auto found = segment.next.find(key_);
  if (found == segment.next.end()) {
    if (segment.next.size() >= kMaxContinuations) {
      segment.next.clear();
      path_.resize(depth + 1);
    }
    std::vector<std::pair<int, ir::Fact>> given;
    for (const plan::Awaited& awaited : segment.awaits) given.emplace_back(awaited.slot, fact_of(awaited.slot, awaited.with_value));
    found = segment.next.emplace(key_, plan::plan_segment(program_, &segment, std::move(given))).first;
  }
  return *found->second;
}

void Frame::forget_old_plans() {
  size_t bytes = 0;
  for (const auto& [key, segment] : root_.next) bytes += segment->plan_bytes();
  while (!root_.next.empty() && bytes > static_cast<size_t>(context_.limits.max_plan_bytes)) {
    auto oldest = root_.next.begin();
    for (auto it = root_.next.begin(); it != root_.next.end(); ++it)
      if (it->second->last_used < oldest->second->last_used) oldest = it;
    bytes -= oldest->second->plan_bytes();
    root_.next.erase(oldest);
    path_.clear();
  }
}

ir::Fact Frame::fact_of(int slot, bool with_value) const {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  if (view.dtype == 0) {
    ir::Fact fact = program_.fact(slot);
    fact.constant = {};
    return fact;
  }
  const base::Dims dims(view.dims, view.dims + view.rank);
  if (!with_value) return ir::Fact::tensor(static_cast<DType>(view.dtype), ir::make_shape(dims));
  Tensor copy(static_cast<DType>(view.dtype), dims);
  std::memcpy(copy.mutable_raw(), view.data, copy.bytes());
  return ir::Fact::of(std::move(copy));
}

void Frame::append_key(int slot, bool with_value) {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  key_.push_back(view.dtype);
  if (view.dtype == 0) return;
  key_.push_back(view.rank);
  key_.insert(key_.end(), view.dims, view.dims + view.rank);
  if (!with_value) return;
  const size_t bytes = base::dtype_bytes(static_cast<DType>(view.dtype), base::element_count({view.dims, static_cast<size_t>(view.rank)}));
  const auto* data = static_cast<const char*>(view.data);
  for (size_t i = 0; i < bytes; i += sizeof(int64_t)) {
    int64_t word = 0;
    std::memcpy(&word, data + i, std::min(bytes - i, sizeof word));
    key_.push_back(word);
  }
}

void Frame::enter(const Segment& segment, size_t depth, std::vector<Value>& outputs) {
  ensure_blocks(segment, depth);
  if (path_.size() <= depth || path_[depth] != &segment) {
    path_.resize(depth);
    place(segment);
    path_.push_back(&segment);
  }
  for (size_t index : segment.per_run) {
    const SegmentSlot& planned = segment.slots[index];
    if (planned.place == Place::kOutput) {
      open_output(planned, outputs);
    } else {
      onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
      view.data = nullptr;
      view.rank = planned.dims_known ? static_cast<int32_t>(planned.dims.size()) : -1;
      view.dims = planned.dims.data();
      view.dtype = static_cast<int32_t>(planned.dtype);
    }
  }
}

void Frame::open_output(const SegmentSlot& planned, std::vector<Value>& outputs) {
  const auto index = static_cast<size_t>(planned.output);
  OutputMemory& memory = output_memory_[index];
  void* data = nullptr;
  if (outputs[index].is_tensor()) {
    Tensor& callers = outputs[index].tensor();
    if (callers.dtype() != planned.dtype || callers.memory() != 0 ||
        callers.bytes() != base::dtype_bytes(planned.dtype, base::element_count(planned.dims)))
      base::fail(Code::kInvalidArgument, "output '{}' is {}{}, but the caller's tensor for it is {}",
                 program_.name(program_.outputs()[index]), base::dtype_name(planned.dtype), base::to_string(planned.dims),
                 outputs[index].describe());
    data = callers.mutable_raw();
  } else {
    memory.own = context_.depth > 0 ? context_.tensors->make(planned.dtype, planned.dims)
                                    : Tensor(planned.dtype, planned.dims, context_.budget);
    data = memory.own.mutable_raw();
  }
  memory.data = data;
  views_[static_cast<size_t>(planned.slot)].data = data;
}

void Frame::place(const Segment& segment) {
  for (const SegmentSlot& planned : segment.slots) {
    onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
    view = {};
    view.dtype = static_cast<int32_t>(planned.dtype);
    view.memory = program_.slots()[static_cast<size_t>(planned.slot)].memory;
    view.rank = planned.dims_known ? static_cast<int32_t>(planned.dims.size()) : -1;
    view.dims = planned.dims_known ? planned.dims.data() : nullptr;
    switch (planned.place) {
      case Place::kConstant:
        view = planned.constant.view();
        holders_[static_cast<size_t>(planned.slot)] = planned.constant;
        break;
      case Place::kBlock:
        view.data = static_cast<char*>(blocks_[static_cast<size_t>(view.memory)].data) + planned.offset;
        holders_[static_cast<size_t>(planned.slot)] = {};
        break;
      case Place::kView:
        view.data = views_[static_cast<size_t>(planned.view_of)].data;
        holders_[static_cast<size_t>(planned.slot)] = {};
        break;
      case Place::kOutput:
      case Place::kHeap:
        holders_[static_cast<size_t>(planned.slot)] = {};
        break;
    }
  }
}

void Frame::ensure_blocks(const Segment& segment, size_t depth) {
  bool moved = false;
  for (size_t memory = 0; memory < blocks_.size(); ++memory) {
    Block& block = blocks_[memory];
    if (segment.block_bytes[memory] <= block.bytes) continue;
    Block fresh;
    fresh.bytes = segment.block_bytes[memory];
    if (memory == 0) {
      if (depth == 0) block = {};  // nothing lives across runs
      const base::BufferPtr buffer = base::Buffer::allocate(fresh.bytes, context_.budget);
      fresh.data = buffer->data();
      fresh.owner = buffer;
      if (block.data != nullptr) std::memcpy(fresh.data, block.data, block.bytes);
    } else {
      const onnxrun_provider& provider = program_.providers().at(static_cast<int>(memory) - 1);
      plan::Message message;
      if (const auto code = provider.allocate(provider.self, fresh.bytes, &fresh.data, message.sink()); code != ONNXRUN_OK)
        throw Error(static_cast<Code>(code), message.text());
      fresh.owner = std::shared_ptr<void>(fresh.data, [&provider](void* data) { provider.deallocate(provider.self, data); });
      if (depth > 0 && block.data != nullptr) {
        void* stream = context_.device_streams[memory - 1];
        if (const auto code = provider.copy(provider.self, stream, block.data, 1, fresh.data, 1, block.bytes, message.sink());
            code != ONNXRUN_OK)
          throw Error(static_cast<Code>(code), message.text());
      }
      synchronize();
    }
    block = std::move(fresh);
    moved = true;
  }
  if (!moved) return;
  // Values of this run keep their offsets in the new block.
  for (size_t d = 0; d < std::min(depth, path_.size()); ++d)
    for (const SegmentSlot& planned : path_[d]->slots) {
      onnxrun_tensor& view = views_[static_cast<size_t>(planned.slot)];
      if (planned.place == Place::kBlock)
        view.data = static_cast<char*>(blocks_[static_cast<size_t>(view.memory)].data) + planned.offset;
      else if (planned.place == Place::kView)
        view.data = views_[static_cast<size_t>(planned.view_of)].data;
    }
  path_.resize(std::min(path_.size(), depth));
}

void Frame::execute(const Segment& segment) {
  Observer* observer = context_.observer;
  for (const SegmentStep& planned : segment.steps) {
    const Step& step = program_.steps()[static_cast<size_t>(planned.step)];
    if (!planned.skip) {
      context_.control->check();
      if (observer != nullptr && observer->profile) execute_profiled(step, planned);
      else execute_step(step, planned);
    }
    if (observer != nullptr && observer->tapping()) tap(step);
    for (int slot : planned.frees) holders_[static_cast<size_t>(slot)] = {};
  }
}

void Frame::execute_profiled(const Step& step, const SegmentStep& planned) {
  Observer& observer = *context_.observer;
  ProfileEvent event;
  event.begin_ns = now_ns() - observer.origin_ns;
  execute_step(step, planned);
  event.end_ns = now_ns() - observer.origin_ns;
  event.depth = context_.depth;
  event.provider = program_.providers().at(step.provider).name;
  event.op = "Copy";
  event.kernel = "copy";
  if (step.node != ir::kNone) {
    const ir::Node& node = program_.graph().node(step.node);
    event.node = node.name;
    event.op = node.op->full_name();
    event.origin = node.origin;
    event.kernel = planned.chosen != nullptr ? planned.chosen->name : step.kind == StepKind::kView ? "view" : "structural";
  }
  if (event.node.empty() && !step.outputs.empty() && step.outputs[0] >= 0) event.node = program_.name(step.outputs[0]);
  observer.events.push_back(std::move(event));
}

void Frame::execute_step(const Step& step, const SegmentStep& planned) {
  try {
    switch (step.kind) {
      case StepKind::kKernel:
        run_kernel(step, planned);
        break;
      case StepKind::kView:
        if (planned.kernel) {
          run_kernel(step, planned);
        } else {
          const auto out = static_cast<size_t>(step.outputs[0]);
          views_[out].data = views_[static_cast<size_t>(step.inputs[0])].data;
        }
        break;
      case StepKind::kCopy:
        run_copy(step);
        break;
      case StepKind::kStructural: {
        const ir::Node& node = program_.graph().node(step.node);
        const StructuralFunction function = find_structural(node.op->domain, node.op->name);
        if (function == nullptr) base::fail(Code::kUnsupported, "{} is not implemented for these types", node.op->full_name());
        StructuralContext context(*this, planned.step);
        function(context);
        break;
      }
    }
  } catch (Error& error) {
    rethrow(error, step);
  }
}

void Frame::run_kernel(const Step& step, const SegmentStep& planned) {
  static const onnxrun_host kHost = {
      [](onnxrun_run_context* context, int64_t count, int64_t grain, void (*task)(void*, int64_t, int64_t), void* arg) {
        static_cast<Call*>(context)->frame->context_.pool->run(count, grain, task, arg);
      },
      [](onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank, onnxrun_sink* sink) -> onnxrun_code {
        Call& call = *static_cast<Call*>(context);
        Frame& frame = *call.frame;
        const auto slot = static_cast<size_t>(call.step->outputs[index]);
        try {
          const auto dtype = static_cast<DType>(frame.views_[slot].dtype);
          frame.set_slot(static_cast<int>(slot), frame.context_.tensors->make(dtype, base::Dims(dims, dims + rank)));
          return ONNXRUN_OK;
        } catch (const Error& error) {
          sink->write(sink->context, error.message().data(), error.message().size());
          return static_cast<onnxrun_code>(error.code());
        } catch (const std::exception& error) {
          sink->write(sink->context, error.what(), std::strlen(error.what()));
          return ONNXRUN_LIMIT_EXCEEDED;
        }
      },
      [](const onnxrun_run_context* context) -> int32_t {
        return static_cast<const Call*>(context)->frame->context_.control->cancelled() ? 1 : 0;
      },
  };
  const auto s = static_cast<size_t>(planned.step);
  Call call;
  call.frame = this;
  call.step = &step;
  call.host = &kHost;
  call.inputs = inputs_.data() + input_offsets_[s];
  call.outputs = outputs_.data() + output_offsets_[s];
  call.input_count = step.inputs.size();
  call.output_count = step.outputs.size();
  const auto memory = static_cast<size_t>(program_.providers().memory(step.provider));
  call.scratch = static_cast<char*>(blocks_[memory].data) + planned.scratch_offset;
  call.stream = memory == 0 ? nullptr : context_.device_streams[static_cast<size_t>(step.provider)];
  call.threads = context_.pool->threads();
  // Strings of known shape need constructed memory; unknown shapes start empty.
  for (int out : step.outputs) {
    if (out < 0) continue;
    onnxrun_tensor& view = views_[static_cast<size_t>(out)];
    if (view.rank >= 0 && view.dtype == ONNXRUN_DTYPE_STRING)
      set_slot(out, context_.tensors->make(DType::kString, base::Dims(view.dims, view.dims + view.rank)));
  }
  planned.kernel.run(call);
  for (size_t k = 0; k < step.outputs.size(); ++k)
    if (const int out = step.outputs[k]; out >= 0 && views_[static_cast<size_t>(out)].rank < 0)
      base::fail(Code::kInternal, "kernel '{}' left output {} without a shape", planned.chosen->name, k);
}

void Frame::run_copy(const Step& step) {
  const onnxrun_tensor& from = views_[static_cast<size_t>(step.inputs[0])];
  const onnxrun_tensor& to = views_[static_cast<size_t>(step.outputs[0])];
  const onnxrun_provider& provider = program_.providers().at(step.provider);
  void* stream = context_.device_streams[static_cast<size_t>(step.provider)];
  plan::Message message;
  const size_t bytes = base::dtype_bytes(static_cast<DType>(from.dtype), base::element_count({from.dims, static_cast<size_t>(from.rank)}));
  onnxrun_code code = provider.copy(provider.self, stream, from.data, from.memory != 0, to.data, to.memory != 0, bytes, message.sink());
  if (code == ONNXRUN_OK && to.memory == 0) code = provider.synchronize(provider.self, stream, message.sink());
  if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text());
}

void Frame::rethrow(Error& error, const Step& step) const {
  if (context_.control->past_deadline() && error.code() == Code::kCancelled) context_.control->check();
  if (error.code() == Code::kCancelled || error.code() == Code::kDeadline) throw error;
  std::string where = program_.describe(step) + " with inputs";
  for (int in : step.inputs) {
    if (in < 0) {
      where += " (absent)";
      continue;
    }
    const onnxrun_tensor& view = views_[static_cast<size_t>(in)];
    where += " " + program_.name(in) + ": ";
    where += view.dtype == 0 ? std::string("no tensor")
                             : std::string(base::dtype_name(static_cast<DType>(view.dtype))) +
                                   base::to_string({view.dims, static_cast<size_t>(std::max(view.rank, 0))});
  }
  throw error.in(where);
}

void Frame::tap(const Step& step) {
  for (int out : step.outputs) {
    if (out < 0 || step.kind == StepKind::kCopy) continue;
    const std::string& name = program_.name(out);
    if (!context_.observer->wants(name)) continue;
    if (const int memory = views_[static_cast<size_t>(out)].memory; memory != 0) {
      const onnxrun_provider& provider = program_.providers().at(memory - 1);
      void* stream = context_.device_streams[static_cast<size_t>(memory) - 1];
      const onnxrun_tensor& view = views_[static_cast<size_t>(out)];
      Tensor host(static_cast<DType>(view.dtype), base::Dims(view.dims, view.dims + view.rank), context_.budget);
      plan::Message message;
      onnxrun_code code = provider.copy(provider.self, stream, view.data, 1, host.mutable_raw(), 0, host.bytes(), message.sink());
      if (code == ONNXRUN_OK) code = provider.synchronize(provider.self, stream, message.sink());
      if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text());
      context_.observer->on_tap(name, std::move(host));
    } else {
      Value value = slot_value(out);
      if (value.is_tensor()) value = value.tensor().clone(context_.budget);
      context_.observer->on_tap(name, std::move(value));
    }
  }
}

Feed Frame::slot_feed(int slot) const {
  Feed feed;
  feed.view = views_[static_cast<size_t>(slot)];
  const Value& holder = holders_[static_cast<size_t>(slot)];
  if (const Value* borrowed = borrowed_[static_cast<size_t>(slot)]) feed.holder = borrowed;
  else if (!holder.absent() || feed.view.dtype == 0) feed.holder = &holder;
  return feed;
}

Value Frame::slot_value(int slot) {
  const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
  if (const Value* borrowed = borrowed_[static_cast<size_t>(slot)]) return *borrowed;
  const Value& holder = holders_[static_cast<size_t>(slot)];
  if (!holder.absent() || view.dtype == 0) return holder;
  const auto root_slot = static_cast<size_t>(program_.slots()[static_cast<size_t>(slot)].root);
  const Value& root = borrowed_[root_slot] != nullptr ? *borrowed_[root_slot] : holders_[root_slot];
  if (root.is_tensor()) return root.tensor().reshaped(base::Dims(view.dims, view.dims + view.rank));
  return copy_of(view, *context_.tensors);
}

void Frame::set_slot(int slot, Value value) {
  Value& holder = holders_[static_cast<size_t>(slot)];
  if (holder.absent()) held_.push_back(slot);
  holder = std::move(value);
  views_[static_cast<size_t>(slot)] = holder.is_tensor() ? holder.tensor().view() : onnxrun_tensor{};
}

Frame& Frame::body_frame(int step, size_t body) {
  std::unique_ptr<Frame>& frame = bodies_[{step, body}];
  if (!frame)
    frame = std::make_unique<Frame>(*program_.steps()[static_cast<size_t>(step)].bodies[body].program, context_);
  return *frame;
}

void Frame::collect(std::vector<Value>& outputs) {
  for (size_t k = 0; k < outputs.size(); ++k) {
    const int slot = program_.outputs()[k];
    const onnxrun_tensor& view = views_[static_cast<size_t>(slot)];
    OutputMemory& memory = output_memory_[k];
    const bool callers = outputs[k].is_tensor();
    if (view.dtype == 0) {
      if (callers) base::fail(Code::kInvalidArgument, "output '{}' is no tensor, but the caller gave a tensor for it", program_.name(slot));
      outputs[k] = slot_value(slot);
      continue;
    }
    const base::DimsView dims(view.dims, static_cast<size_t>(view.rank));
    if (callers) {
      Tensor& target = outputs[k].tensor();
      if (!std::equal(dims.begin(), dims.end(), target.dims().begin(), target.dims().end()) ||
          static_cast<int32_t>(target.dtype()) != view.dtype)
        base::fail(Code::kInvalidArgument, "output '{}' is {}{}, but the caller's tensor for it is {}", program_.name(slot),
                   base::dtype_name(static_cast<DType>(view.dtype)), base::to_string(dims), outputs[k].describe());
      if (memory.data == nullptr || memory.data != view.data) copy_elements(view, target);
    } else if (memory.own && memory.data == view.data) {
      base::Dims own_dims(dims.begin(), dims.end());
      outputs[k] = memory.own.dims() == own_dims ? std::move(memory.own) : memory.own.reshaped(std::move(own_dims));
    } else if (context_.depth > 0) {
      outputs[k] = slot_value(slot);
    } else {
      Tensor copy(static_cast<DType>(view.dtype), base::Dims(dims.begin(), dims.end()), context_.budget);
      copy_elements(view, copy);
      outputs[k] = std::move(copy);
    }
  }
}

void Frame::synchronize() {
  if (context_.depth > 0) return;
  for (int p = 0; p < program_.providers().size(); ++p) {
    const onnxrun_provider& provider = program_.providers().at(p);
    if (!provider.device_memory) continue;
    plan::Message message;
    const onnxrun_code code = provider.synchronize(provider.self, context_.device_streams[static_cast<size_t>(p)], message.sink());
    if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text());
  }
}

void Frame::clear() {
  for (int slot : held_) {
    holders_[static_cast<size_t>(slot)] = {};
  }
  held_.clear();
  for (OutputMemory& memory : output_memory_) memory = {};
  for (const std::vector<int>* slots : {&program_.inputs(), &program_.captures()})
    for (int slot : *slots) borrowed_[static_cast<size_t>(slot)] = nullptr;
}

void Frame::trim() {
  root_.next.clear();
  path_.clear();
  blocks_.assign(blocks_.size(), {});
  bodies_.clear();
}

int64_t Frame::block_bytes() const {
  int64_t total = 0;
  for (const Block& block : blocks_) total += static_cast<int64_t>(block.bytes);
  for (const auto& [key, frame] : bodies_) total += frame->block_bytes();
  return total;
}

}  // namespace onnxrun::run
