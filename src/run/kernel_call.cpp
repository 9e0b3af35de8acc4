// Calling a kernel, and the host functions that it may call back.
#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "base/text_memory.h"
#include "run/frame.h"

namespace onnxrun::run {

using base::DType;
using plan::SegmentStep;
using plan::Step;

struct Frame::Call : onnxrun_run_context {
  Frame* frame = nullptr;
  const Step* step = nullptr;
  uint64_t placed = ~uint64_t{0};  // outputs whose memory was planned, by bit

  static void parallel(onnxrun_run_context* context, int64_t count, int64_t grain,
                       void (*task)(void*, int64_t, int64_t), void* arg) {
    base::ThreadPool& pool = *static_cast<Call*>(context)->frame->context_.pool;
    base::KernelMemory* const memory = base::KernelMemory::here();
    if (memory == nullptr) return pool.run(count, grain, task, arg);
    pool.parallel_for(count, grain, [&](int64_t begin, int64_t end) {
      const base::KernelMemory::Here here(memory);
      task(arg, begin, end);
    });
  }

  static onnxrun_code allocate_output(onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank,
                                      onnxrun_sink* sink) {
    try {
      static_cast<Call*>(context)->make_output(index, {dims, static_cast<size_t>(rank)});
      return ONNXRUN_OK;
    } catch (const base::Error& error) {
      sink->write(sink->context, error.message().data(), error.message().size());
      return static_cast<onnxrun_code>(error.code());
    } catch (const std::exception& error) {
      sink->write(sink->context, error.what(), std::strlen(error.what()));
      return ONNXRUN_LIMIT_EXCEEDED;
    }
  }

  static int32_t cancelled(const onnxrun_run_context* context) {
    return static_cast<const Call*>(context)->frame->context_.control->cancelled() ? 1 : 0;
  }

  void make_output(size_t index, base::DimsView dims) {
    if (index >= step->outputs.size() || step->outputs[index] < 0)
      base::fail(base::Code::kInternal, "the kernel asks for memory for output {}, which the node does not have",
                 index);
    const int slot = step->outputs[index];
    const onnxrun_tensor& view = frame->views_[static_cast<size_t>(slot)];
    if (index < 64 && (placed >> index & 1) != 0) {
      // Others may hold views of that memory.
      if (std::equal(dims.begin(), dims.end(), view.dims, view.dims + view.rank)) return;
      base::fail(base::Code::kRunFailed, "output {} has the shape {}, but {} was declared or inferred", index,
                 base::to_string(dims), base::to_string({view.dims, static_cast<size_t>(view.rank)}));
    }
    const auto dtype = static_cast<DType>(view.dtype);
    const int memory = frame->program_.slots()[static_cast<size_t>(slot)].memory;
    frame->set_slot(slot, frame->context_.tensors->make(dtype, base::Dims(dims.begin(), dims.end()), memory));
  }

  void find_placed() {
    placed = 0;
    for (size_t k = 0; k < step->outputs.size() && k < 64; ++k) {
      if (step->outputs[k] < 0) continue;
      const onnxrun_tensor& view = frame->views_[static_cast<size_t>(step->outputs[k])];
      if (view.rank >= 0 && view.data != nullptr) placed |= uint64_t{1} << k;
    }
  }

  // What the text of outputs takes is theirs from now on.
  void charge_texts() {
    for (const int out : step->outputs) {
      if (out < 0 || frame->views_[static_cast<size_t>(out)].dtype != ONNXRUN_DTYPE_STRING) continue;
      const base::Value& holder = frame->holders_[static_cast<size_t>(out)];
      if (holder.is_tensor()) frame->set_slot(out, base::charge_text(holder.tensor(), frame->context_.budget));
    }
  }

  // Strings of known shape need constructed memory.
  void make_strings() {
    for (size_t k = 0; k < step->outputs.size(); ++k) {
      if (step->outputs[k] < 0) continue;
      const onnxrun_tensor& view = frame->views_[static_cast<size_t>(step->outputs[k])];
      if (view.rank >= 0 && view.dtype == ONNXRUN_DTYPE_STRING)
        make_output(k, {view.dims, static_cast<size_t>(view.rank)});
    }
  }
};

void Frame::run_kernel(const Step& step, const SegmentStep& planned) {
  static constexpr onnxrun_host kHost = {&Call::parallel, &Call::allocate_output, &Call::cancelled};
  const auto s = static_cast<size_t>(planned.step);
  const int memory = program_.providers().memory(step.provider);
  Call call;
  call.frame = this;
  call.step = &step;
  call.host = &kHost;
  call.inputs = inputs_.data() + input_offsets_[s];
  call.outputs = outputs_.data() + output_offsets_[s];
  call.input_count = step.inputs.size();
  call.output_count = step.outputs.size();
  call.scratch = static_cast<char*>(blocks_.data(memory)) + planned.scratch_offset;
  call.stream = memory == 0 ? nullptr : context_.devices->of(step.provider);
  call.threads = context_.pool->threads();
  if (planned.makes_heap) {
    call.find_placed();
    call.make_strings();
  }
  {
    base::KernelMemory taken(context_.budget);
    const base::KernelMemory::Here here(memory == 0 ? &taken : nullptr);
    planned.kernel.run(call);
  }
  if (!planned.makes_heap) return;
  call.charge_texts();
  for (size_t k = 0; k < step.outputs.size(); ++k)
    if (const int out = step.outputs[k]; out >= 0 && views_[static_cast<size_t>(out)].rank < 0)
      base::fail(base::Code::kInternal, "kernel '{}' left output {} without a shape", planned.chosen->name, k);
}

}  // namespace onnxrun::run
