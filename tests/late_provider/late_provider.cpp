// A test provider that shows every missing copy, wait and ordering: its memory cannot be touched by the host, and nothing it is asked to do
// happens before the host waits for it.
//
// Device addresses lie in pages without any access; the real bytes are in a shadow allocation. Copies and kernels are queued and run, in
// order, in `synchronize`. Host memory that is to be copied to the device is read only then. Kernels are those of the CPU provider, one for one. The
// option fail_at=N lets the N-th piece of work from now on fail, as a device can: long after it was asked for.
#include <sys/mman.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cpu/provider.h"

#include <onnxrun/provider.hpp>

namespace {

using onnxrun::Code;
using onnxrun::Error;
using onnxrun::provider::guard;

struct Allocation {
  size_t bytes = 0;
  std::unique_ptr<char[]> shadow;
};

class Memory {
 public:
  void* allocate(size_t bytes) {
    void* address = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (address == MAP_FAILED) throw Error(Code::kLimitExceeded, "late: out of address space");
    Allocation allocation{bytes, std::make_unique<char[]>(bytes)};
    std::memset(allocation.shadow.get(), 0xAB, bytes);
    const std::lock_guard lock(mutex_);
    allocations_[static_cast<char*>(address)] = std::move(allocation);
    return address;
  }
  void deallocate(void* address) {
    const std::lock_guard lock(mutex_);
    const auto found = allocations_.find(static_cast<char*>(address));
    munmap(address, found->second.bytes);
    allocations_.erase(found);
  }
  // The real bytes behind a device address.
  void* shadow(const void* address, size_t bytes) {
    const std::lock_guard lock(mutex_);
    auto found = allocations_.upper_bound(static_cast<char*>(const_cast<void*>(address)));
    if (found == allocations_.begin()) throw Error(Code::kInternal, "late: not a device address");
    --found;
    const auto offset = static_cast<size_t>(static_cast<const char*>(address) - found->first);
    if (offset + bytes > found->second.bytes) throw Error(Code::kInternal, "late: access beyond a device allocation");
    return found->second.shadow.get() + offset;
  }

 private:
  std::mutex mutex_;
  std::map<char*, Allocation> allocations_;
};

Memory& memory() {
  static Memory instance;
  return instance;
}

// Pieces of work until the one that fails; below 0: none does. Set by the option "fail_at".
std::atomic<int64_t> until_failure{-1};

class Stream {
 public:
  void enqueue(std::function<void()> work) { queue_.push_back(std::move(work)); }
  size_t given() const { return done_ + queue_.size(); }
  void finish() { finish_until(given()); }
  // Does no more than the first `count` pieces of all that it was ever given.
  void finish_until(size_t count) {
    while (done_ < count && !queue_.empty()) {
      const std::function<void()> work = std::move(queue_.front());
      queue_.pop_front();
      ++done_;
      if (until_failure >= 0 && until_failure-- == 0) {
        queue_.clear();
        throw Error(Code::kRunFailed, "late: the device failed, as it was told to");
      }
      work();
    }
  }

 private:
  std::deque<std::function<void()>> queue_;
  size_t done_ = 0;
};

using StreamPtr = std::shared_ptr<Stream>;

Stream& stream_of(void* handle) { return **static_cast<StreamPtr*>(handle); }

// Behind the first `at` pieces of work of a stream.
struct Event {
  std::weak_ptr<Stream> stream;
  size_t at = 0;
};

size_t bytes_of(const onnxrun_tensor& tensor) {
  static constexpr int kBits[] = {0,   32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64,
                                  128, 16, 8, 8, 8,  8,  4,  4,  4, 8, 2,  2,  6,  6};
  return (static_cast<size_t>(onnxrun::provider::count(tensor)) * static_cast<size_t>(kBits[tensor.dtype]) + 7) / 8;
}

// A tensor as it was when its kernel was enqueued: its dims, its place on the device, or what it held in host memory, which is the host's again
// after the call.
struct Saved {
  onnxrun_tensor view{};
  std::vector<int64_t> dims;
  std::vector<std::max_align_t> host;

  explicit Saved(const onnxrun_tensor& tensor)
      : view(tensor), dims(tensor.dims, tensor.dims + (tensor.rank > 0 ? tensor.rank : 0)) {
    if (view.dtype == 0 || view.rank < 0 || view.memory != 0) return;
    host.resize(bytes_of(view) / sizeof(std::max_align_t) + 1);
    if (view.data != nullptr) std::memcpy(host.data(), view.data, bytes_of(view));
  }

  // The tensor in memory that the host can read.
  onnxrun_tensor readable() {
    onnxrun_tensor result = view;
    result.dims = dims.data();
    if (result.dtype == 0 || result.rank < 0) return result;
    result.data = result.memory == 0 ? host.data() : memory().shadow(view.data, bytes_of(view));
    result.memory = 0;
    return result;
  }
};

// A kernel of the CPU provider, bound.
struct Bound {
  const onnxrun_kernel* kernel = nullptr;
  void* state = nullptr;
  size_t scratch = 0;
  ~Bound() {
    if (kernel != nullptr) kernel->release(state);
  }
};

// The context in which the CPU kernel runs; `outer`, that of the caller, only while the caller waits.
struct Context : onnxrun_run_context {
  onnxrun_run_context* outer = nullptr;
  std::vector<onnxrun_tensor> views;
  std::vector<const onnxrun_tensor*> in;
  std::vector<onnxrun_tensor*> out;

  static void parallel(onnxrun_run_context*, int64_t count, int64_t, void (*task)(void*, int64_t, int64_t), void* arg) {
    if (count > 0) task(arg, 0, count);
  }
  static int32_t cancelled(const onnxrun_run_context* context) {
    onnxrun_run_context* outer = static_cast<const Context*>(context)->outer;
    return outer != nullptr ? outer->host->cancelled(outer) : 0;
  }
  static onnxrun_code allocate_output(onnxrun_run_context* context, size_t index, const int64_t* dims, int32_t rank,
                                      onnxrun_sink* sink) {
    auto& self = *static_cast<Context*>(context);
    return guard(sink, [&] {
      if (self.outer == nullptr) throw Error(Code::kInternal, "late: a shape that depends on data was not foreseen");
      const onnxrun_code code = self.outer->host->allocate_output(self.outer, index, dims, rank, sink);
      if (code != ONNXRUN_OK) return code;
      const onnxrun_tensor& real = *self.outer->outputs[index];
      *self.out[index] = real;
      if (real.memory != 0) self.out[index]->data = memory().shadow(real.data, bytes_of(real));
      self.out[index]->memory = 0;
      return ONNXRUN_OK;
    });
  }
};

void run_kernel(const Bound& bound, std::vector<Saved>& inputs, std::vector<Saved>& outputs,
                onnxrun_run_context* outer) {
  static constexpr onnxrun_host kHost = {&Context::parallel, &Context::allocate_output, &Context::cancelled};
  Context context;
  context.outer = outer;
  for (auto* list : {&inputs, &outputs})
    for (Saved& saved : *list) context.views.push_back(saved.readable());
  for (size_t i = 0; i < context.views.size(); ++i)
    if (i < inputs.size()) context.in.push_back(&context.views[i]);
    else context.out.push_back(&context.views[i]);
  const auto scratch = std::make_unique<char[]>(bound.scratch + 64);
  context.host = &kHost;
  context.inputs = context.in.data();
  context.outputs = context.out.data();
  context.input_count = context.in.size();
  context.output_count = context.out.size();
  context.threads = 1;
  void* aligned = scratch.get();
  size_t space = bound.scratch + 64;
  context.scratch = std::align(64, bound.scratch, aligned, space);
  std::string message;
  onnxrun_sink sink{&message, [](void* text, const char* piece, size_t length) {
                      static_cast<std::string*>(text)->append(piece, length);
                    }};
  if (const onnxrun_code code = bound.kernel->run(bound.state, &context, &sink); code != ONNXRUN_OK)
    throw Error(static_cast<Code>(code), message);
}

onnxrun_code late_run(const void* state, onnxrun_run_context* context, onnxrun_sink* sink) {
  return guard(sink, [&] {
    std::vector<Saved> inputs, outputs;
    bool wait = false;
    for (size_t i = 0; i < context->input_count; ++i) inputs.emplace_back(*context->inputs[i]);
    for (size_t i = 0; i < context->output_count; ++i) {
      const onnxrun_tensor& output = *context->outputs[i];
      wait |= output.dtype != 0 && (output.rank < 0 || output.memory == 0);
      outputs.emplace_back(output);
    }
    const auto& bound = *static_cast<const std::shared_ptr<Bound>*>(state);
    Stream& stream = stream_of(context->stream);
    if (!wait) {
      stream.enqueue([bound, inputs, outputs]() mutable { run_kernel(*bound, inputs, outputs, nullptr); });
      return ONNXRUN_OK;
    }
    // A shape that depends on data, or a result in host memory: the caller needs it when this returns.
    stream.finish();
    run_kernel(*bound, inputs, outputs, context);
    for (size_t i = 0; i < outputs.size(); ++i)
      if (const onnxrun_tensor& real = *context->outputs[i];
          outputs[i].view.rank >= 0 && outputs[i].view.memory == 0 && real.dtype != 0)
        std::memcpy(real.data, outputs[i].host.data(), bytes_of(real));
    return ONNXRUN_OK;
  });
}

// C functions carry no state: the function of the I-th kernel here stands for the CPU provider's I-th.
constexpr size_t kMostKernels = 2048;

template <size_t I>
struct Mirror {
  static onnxrun_code accepts(const onnxrun_node* node, onnxrun_acceptance* out, onnxrun_sink* sink) {
    for (size_t i = 0; i < node->input_count; ++i)
      if (node->inputs[i].dtype == ONNXRUN_DTYPE_STRING) return ONNXRUN_UNSUPPORTED;
    for (size_t i = 0; i < node->output_count; ++i)
      if (node->outputs[i].dtype == ONNXRUN_DTYPE_STRING) return ONNXRUN_UNSUPPORTED;
    return onnxrun::cpu::provider()->kernels[I].accepts(node, out, sink);
  }
  static onnxrun_code bind(const onnxrun_node* node, const void* packed, void** state, size_t* scratch,
                           onnxrun_sink* sink) {
    auto bound = std::make_shared<Bound>();
    const onnxrun_kernel& kernel = onnxrun::cpu::provider()->kernels[I];
    const onnxrun_code code = kernel.bind(node, packed, &bound->state, &bound->scratch, sink);
    if (code != ONNXRUN_OK) return code;
    bound->kernel = &kernel;
    *state = new std::shared_ptr<Bound>(std::move(bound));
    *scratch = 0;
    return ONNXRUN_OK;
  }
};

template <size_t... I>
std::vector<onnxrun_kernel> mirrors(std::index_sequence<I...>) {
  using Accepts = decltype(onnxrun_kernel::accepts);
  using Bind = decltype(onnxrun_kernel::bind);
  static constexpr Accepts kAccepts[] = {&Mirror<I>::accepts...};
  static constexpr Bind kBind[] = {&Mirror<I>::bind...};
  const onnxrun_provider& cpu = *onnxrun::cpu::provider();
  if (cpu.kernel_count > kMostKernels) throw Error(Code::kInternal, "late: raise kMostKernels");
  std::vector<onnxrun_kernel> kernels;
  for (size_t k = 0; k < cpu.kernel_count; ++k) {
    onnxrun_kernel kernel = cpu.kernels[k];
    kernel.accepts = kAccepts[k];
    kernel.bind = kBind[k];
    kernel.run = late_run;
    kernel.release = [](void* state) { delete static_cast<std::shared_ptr<Bound>*>(state); };
    kernel.state_bytes = [](const void* state) {
      const Bound& bound = **static_cast<const std::shared_ptr<Bound>*>(state);
      return bound.kernel->state_bytes(bound.state);
    };
    kernels.push_back(kernel);
  }
  return kernels;
}

onnxrun_provider make_provider() {
  static const std::vector<onnxrun_kernel> kernels = mirrors(std::make_index_sequence<kMostKernels>());
  onnxrun_provider provider{};
  provider.abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
  provider.abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
  provider.name = "late";
  provider.description = "test double of a device: separate memory, late execution";
  provider.kernels = kernels.data();
  provider.kernel_count = kernels.size();
  provider.device_memory = 1;
  provider.allocate = [](void*, size_t bytes, void** out, onnxrun_sink* sink) {
    return guard(sink, [&] {
      *out = memory().allocate(bytes);
      return ONNXRUN_OK;
    });
  };
  provider.deallocate = [](void*, void* address) { memory().deallocate(address); };
  provider.create_stream = [](void*, void** stream, onnxrun_sink*) {
    *stream = new StreamPtr(std::make_shared<Stream>());
    return ONNXRUN_OK;
  };
  provider.destroy_stream = [](void*, void* stream) { delete static_cast<StreamPtr*>(stream); };
  provider.copy = [](void*, void* stream, const void* from, int32_t from_device, void* to, int32_t to_device,
                     size_t bytes, onnxrun_sink* sink) {
    return guard(sink, [&] {
      stream_of(stream).enqueue([=] {
        std::memcpy(to_device ? memory().shadow(to, bytes) : to, from_device ? memory().shadow(from, bytes) : from,
                    bytes);
      });
      return ONNXRUN_OK;
    });
  };
  provider.synchronize = [](void*, void* stream, onnxrun_sink* sink) {
    return guard(sink, [&] {
      stream_of(stream).finish();
      return ONNXRUN_OK;
    });
  };
  provider.destroy = [](void*) {};
  provider.device_type = 12;  // DLPack's kDLExtDev
  provider.create_event = [](void*, void** event, onnxrun_sink*) {
    *event = new Event;
    return ONNXRUN_OK;
  };
  provider.destroy_event = [](void*, void* event) { delete static_cast<Event*>(event); };
  provider.record_event = [](void*, void* event, void* stream, onnxrun_sink*) {
    *static_cast<Event*>(event) = {*static_cast<StreamPtr*>(stream), stream_of(stream).given()};
    return ONNXRUN_OK;
  };
  provider.await_event = [](void*, void* event, void* stream, onnxrun_sink*) {
    stream_of(stream).enqueue([placed = *static_cast<Event*>(event)] {
      if (const StreamPtr other = placed.stream.lock()) other->finish_until(placed.at);
    });
    return ONNXRUN_OK;
  };
  return provider;
}

}  // namespace

extern "C" ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const* options,
                                                               size_t option_count, const onnxrun_provider** out,
                                                               onnxrun_sink* error) {
  return guard(error, [&] {
    if (abi_version != ONNXRUN_PROVIDER_ABI_VERSION)
      throw Error(Code::kUnsupported, "late: another provider ABI version");
    for (size_t i = 0; i < option_count; ++i)
      if (std::strncmp(options[i], "fail_at=", 8) == 0) until_failure = std::strtoll(options[i] + 8, nullptr, 10);
    static const onnxrun_provider provider = make_provider();
    *out = &provider;
    return ONNXRUN_OK;
  });
}
