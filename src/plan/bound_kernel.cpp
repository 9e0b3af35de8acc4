// Binding and running kernels through the provider ABI.
#include "plan/bound_kernel.h"

#include <cstring>
#include <exception>
#include <utility>

#include "base/error.h"
#include "base/text_memory.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

using base::Code;
using base::Error;
using base::Tensor;

std::optional<BoundKernel> BoundKernel::bind(const onnxrun_kernel& kernel, const onnxrun_node* node, const void* packed,
                                             std::string* declined) {
  Message message;
  BoundKernel bound;
  const onnxrun_code code = kernel.bind(node, packed, &bound.state_, &bound.scratch_, message.sink());
  if (code == ONNXRUN_UNSUPPORTED) {
    if (declined != nullptr) *declined += std::string("\n  kernel '") + kernel.name + "': " + message.text();
    return std::nullopt;
  }
  if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text());
  bound.kernel_ = &kernel;
  return bound;
}

BoundKernel::BoundKernel(BoundKernel&& other) noexcept
    : kernel_(std::exchange(other.kernel_, nullptr)), state_(other.state_), scratch_(other.scratch_) {}

BoundKernel& BoundKernel::operator=(BoundKernel&& other) noexcept {
  std::swap(kernel_, other.kernel_);
  std::swap(state_, other.state_);
  std::swap(scratch_, other.scratch_);
  return *this;
}

BoundKernel::~BoundKernel() {
  if (kernel_ != nullptr && kernel_->release != nullptr) kernel_->release(state_);
}

size_t BoundKernel::state_bytes() const {
  constexpr size_t kGuess = 1024;
  if (kernel_ == nullptr) return 0;
  return kernel_->state_bytes != nullptr ? kernel_->state_bytes(state_) : kGuess;
}

void BoundKernel::run(onnxrun_run_context& context) const {
  Message message;
  const onnxrun_code code = kernel_->run(state_, &context, message.sink());
  if (code != ONNXRUN_OK) throw Error(static_cast<Code>(code), message.text());
}

namespace {

// The context of run_now: no pool, outputs kept as tensors.
struct NowContext : onnxrun_run_context {
  std::vector<onnxrun_tensor> views;
  std::vector<Tensor>* results = nullptr;
  std::vector<base::Dims> dims;
  base::BudgetPtr budget;
  base::Deadline deadline;

  void set_output(size_t index, Tensor tensor) {
    (*results)[index] = std::move(tensor);
    *outputs[index] = (*results)[index].view();
  }
};

const onnxrun_host kNowHost = {
    [](onnxrun_run_context*, int64_t count, int64_t, void (*task)(void*, int64_t, int64_t), void* arg) {
      if (count > 0) task(arg, 0, count);
    },
    [](onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank,
       onnxrun_sink* error) -> onnxrun_code {
      auto& now = *static_cast<NowContext*>(context);
      try {
        const auto dtype = static_cast<base::DType>(now.outputs[index]->dtype);
        now.set_output(index, Tensor(dtype, base::Dims(dims, dims + rank), now.budget));
        return ONNXRUN_OK;
      } catch (const Error& failure) {
        error->write(error->context, failure.message().data(), failure.message().size());
        return static_cast<onnxrun_code>(failure.code());
      } catch (const std::exception& failure) {
        error->write(error->context, failure.what(), std::strlen(failure.what()));
        return ONNXRUN_LIMIT_EXCEEDED;
      }
    },
    [](const onnxrun_run_context* context) -> int32_t {
      return static_cast<const NowContext*>(context)->deadline.past() ? 1 : 0;
    },
};

}  // namespace

std::optional<std::vector<Tensor>> run_now(const onnxrun_kernel& kernel, const ir::Node& node,
                                           std::span<const Tensor* const> inputs, std::span<const ir::Fact> outputs,
                                           const base::BudgetPtr& budget, base::Deadline deadline) {
  if (deadline.past()) base::fail(Code::kDeadline, "there is no time left to compute {} now", node.op->name);
  std::vector<Tensor> readable(inputs.size());
  std::vector<ir::Fact> input_facts(inputs.size());
  std::vector<const ir::Fact*> input_pointers(inputs.size(), nullptr), output_pointers(outputs.size(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != nullptr) {
      readable[i] = inputs[i]->apart(budget);
      input_facts[i] = ir::Fact::of(readable[i]);
      input_pointers[i] = &input_facts[i];
    }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.outputs[i] == ir::kNone) continue;
    // Only kernels of such operators make memory for outputs themselves.
    if (!outputs[i].dims() && (node.op->flags & ir::kDataShape) == 0) return std::nullopt;
    output_pointers[i] = &outputs[i];
  }

  const NodeView view(node, input_pointers, output_pointers, {.threads = 1, .budget = budget});
  Message message;
  onnxrun_acceptance terms{};
  base::BufferPtr packed;
  {
    base::KernelMemory taken(budget);  // of copies that packing reads
    const base::KernelMemory::Here here(&taken);
    if (kernel.accepts(view.get(), &terms, message.sink()) != ONNXRUN_OK) return std::nullopt;
    if (terms.pack_bytes > 0) {
      packed = base::Buffer::allocate(terms.pack_bytes, budget);
      if (kernel.pack(view.get(), packed->data(), message.sink()) != ONNXRUN_OK) return std::nullopt;
    }
  }

  std::vector<Tensor> results(outputs.size());
  NowContext context;
  context.host = &kNowHost;
  context.results = &results;
  context.budget = budget;
  context.deadline = deadline;
  context.views.resize(inputs.size() + outputs.size());
  std::vector<const onnxrun_tensor*> in;
  std::vector<onnxrun_tensor*> out;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != nullptr) context.views[i] = readable[i].view();
    in.push_back(&context.views[i]);
  }
  for (size_t i = 0; i < outputs.size(); ++i) out.push_back(&context.views[inputs.size() + i]);
  context.inputs = in.data();
  context.outputs = out.data();
  context.input_count = in.size();
  context.output_count = out.size();
  context.threads = 1;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (output_pointers[i] == nullptr) continue;
    if (const auto dims = outputs[i].dims()) context.set_output(i, Tensor(outputs[i].dtype, *dims, budget));
    else {
      out[i]->dtype = static_cast<int32_t>(outputs[i].dtype);
      out[i]->rank = -1;
    }
  }
  {
    base::KernelMemory taken(budget);
    const base::KernelMemory::Here here(&taken);
    // After the outputs have passed the budget: kernels may make tables of their sizes.
    const auto bound = BoundKernel::bind(kernel, view.get(), packed ? packed->data() : nullptr, nullptr);
    if (!bound) return std::nullopt;
    base::BufferPtr scratch;
    if (bound->scratch_bytes() > 0) scratch = base::Buffer::allocate(bound->scratch_bytes(), budget);
    context.scratch = scratch ? scratch->data() : nullptr;
    bound->run(context);
  }
  for (Tensor& result : results)
    if (result && result.dtype() == base::DType::kString) result = base::charge_text(std::move(result), budget);
  // A value computed from weights mostly takes their place.
  for (const Tensor* input : inputs)
    if (input != nullptr) input->buffer()->forget_pages();
  for (size_t i = 0; i < outputs.size(); ++i)
    if (output_pointers[i] != nullptr && !results[i])
      base::fail(Code::kInternal, "kernel '{}' of {} left output {} without memory", kernel.name, kernel.op_type, i);
  return results;
}

}  // namespace onnxrun::plan
