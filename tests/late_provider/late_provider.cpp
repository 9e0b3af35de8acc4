// A test provider that shows every missing copy, wait and ordering: its memory cannot be touched by the host, and nothing it is asked to do
// happens before the host waits for it.
//
// Device addresses lie in pages without any access; the real bytes are in a shadow allocation. Copies and kernels are queued and run, in
// order, in `synchronize`. Host memory that is to be copied to the device is read only then. Kernels are those of the CPU provider.
#include <sys/mman.h>

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
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

struct Stream {
  std::vector<std::function<void()>> queue;
};

size_t bytes_of(const onnxrun_tensor& tensor) {
  static constexpr int kBits[] = {0, 32, 8, 8, 16, 16, 32, 64, 0, 8, 16, 64, 32, 64, 64, 128, 16, 8, 8, 8, 8, 4, 4, 4, 8, 2, 2, 6, 6};
  return (static_cast<size_t>(onnxrun::provider::count(tensor)) * static_cast<size_t>(kBits[tensor.dtype]) + 7) / 8;
}

// A tensor whose dims live as long as it does.
struct Saved {
  onnxrun_tensor view{};
  std::vector<int64_t> dims;
  explicit Saved(const onnxrun_tensor& tensor) : view(tensor), dims(tensor.dims, tensor.dims + (tensor.rank > 0 ? tensor.rank : 0)) {}
};

const onnxrun_host kHost = {
    [](onnxrun_run_context*, int64_t count, int64_t, void (*task)(void*, int64_t, int64_t), void* arg) {
      if (count > 0) task(arg, 0, count);
    },
    [](onnxrun_run_context*, size_t, const int64_t*, int32_t, onnxrun_sink* sink) {
      const char text[] = "late: output shapes that depend on data are not supported";
      sink->write(sink->context, text, sizeof text - 1);
      return ONNXRUN_UNSUPPORTED;
    },
    [](const onnxrun_run_context*) -> int32_t { return 0; },
};

struct Bound {
  const onnxrun_kernel* kernel;
  void* state;
  size_t scratch;
  ~Bound() { kernel->release(state); }
};

// The CPU kernel `kernel` with what was known when it ran, to be run later.
void run_later(const std::shared_ptr<Bound>& bound, std::vector<Saved> inputs, std::vector<Saved> outputs) {
  std::vector<onnxrun_tensor> views;
  for (auto* list : {&inputs, &outputs})
    for (Saved& saved : *list) {
      saved.view.dims = saved.dims.data();
      if (saved.view.dtype != 0) saved.view.data = memory().shadow(saved.view.data, bytes_of(saved.view));
      saved.view.memory = 0;
      views.push_back(saved.view);
    }
  std::vector<const onnxrun_tensor*> in;
  std::vector<onnxrun_tensor*> out;
  for (size_t i = 0; i < views.size(); ++i)
    if (i < inputs.size()) in.push_back(&views[i]);
    else out.push_back(&views[i]);
  const auto scratch = std::make_unique<char[]>(bound->scratch + 64);
  onnxrun_run_context context{};
  context.host = &kHost;
  context.inputs = in.data();
  context.outputs = out.data();
  context.input_count = in.size();
  context.output_count = out.size();
  context.threads = 1;
  void* aligned = scratch.get();
  size_t space = bound->scratch + 64;
  context.scratch = std::align(64, bound->scratch, aligned, space);
  std::string message;
  onnxrun_sink sink{&message, [](void* text, const char* piece, size_t length) { static_cast<std::string*>(text)->append(piece, length); }};
  if (const onnxrun_code code = bound->kernel->run(bound->state, &context, &sink); code != ONNXRUN_OK)
    throw Error(static_cast<Code>(code), message);
}

// C functions carry no state, so each operator of the table finds its CPU kernel again by name, kept in the state that `bind` makes.
struct LateState {
  std::shared_ptr<Bound> bound;
};

const onnxrun_kernel* cpu_kernel(const onnxrun_node* node, onnxrun_acceptance* terms, onnxrun_sink* sink) {
  const onnxrun_provider& cpu = *onnxrun::cpu::provider();
  for (size_t k = 0; k < cpu.kernel_count; ++k) {
    const onnxrun_kernel& kernel = cpu.kernels[k];
    if (std::strcmp(kernel.domain, node->domain) != 0 || std::strcmp(kernel.op_type, node->op_type) != 0) continue;
    if (kernel.accepts(node, terms, sink) == ONNXRUN_OK && terms->pack_bytes == 0) return &kernel;
    *terms = {};
  }
  return nullptr;
}

onnxrun_code late_accepts(const onnxrun_node* node, onnxrun_acceptance* out, onnxrun_sink* sink) {
  for (size_t i = 0; i < node->output_count; ++i)
    if (node->outputs[i].dtype == ONNXRUN_DTYPE_STRING) return ONNXRUN_UNSUPPORTED;
  return cpu_kernel(node, out, sink) != nullptr ? ONNXRUN_OK : ONNXRUN_UNSUPPORTED;
}

onnxrun_code late_bind(const onnxrun_node* node, const void*, void** state, size_t* scratch, onnxrun_sink* sink) {
  onnxrun_acceptance terms{};
  const onnxrun_kernel* kernel = cpu_kernel(node, &terms, sink);
  if (kernel == nullptr) return ONNXRUN_UNSUPPORTED;
  auto bound = std::make_shared<Bound>(Bound{kernel, nullptr, 0});
  const onnxrun_code code = kernel->bind(node, nullptr, &bound->state, &bound->scratch, sink);
  if (code != ONNXRUN_OK) return code;
  *state = new LateState{std::move(bound)};
  *scratch = 0;
  return ONNXRUN_OK;
}

onnxrun_code late_run(const void* state, onnxrun_run_context* context, onnxrun_sink* sink) {
  return guard(sink, [&] {
    std::vector<Saved> inputs, outputs;
    for (size_t i = 0; i < context->input_count; ++i) inputs.emplace_back(*context->inputs[i]);
    for (size_t i = 0; i < context->output_count; ++i) {
      if (context->outputs[i]->dtype != 0 && context->outputs[i]->rank < 0)
        throw Error(Code::kUnsupported, "late: output shapes that depend on data are not supported");
      outputs.emplace_back(*context->outputs[i]);
    }
    auto bound = static_cast<const LateState*>(state)->bound;
    static_cast<Stream*>(context->stream)->queue.push_back([bound, inputs, outputs] { run_later(bound, inputs, outputs); });
    return ONNXRUN_OK;
  });
}

bool offered(const onnxrun_kernel& kernel) {
  static const char* const kDataDependent[] = {"NonZero", "Unique", "Compress", "NonMaxSuppression"};
  for (const char* name : kDataDependent)
    if (std::strcmp(kernel.op_type, name) == 0) return false;
  return true;
}

std::vector<onnxrun_kernel> make_kernels() {
  std::vector<onnxrun_kernel> kernels;
  const onnxrun_provider& cpu = *onnxrun::cpu::provider();
  for (size_t k = 0; k < cpu.kernel_count; ++k) {
    if (!offered(cpu.kernels[k])) continue;
    if (!kernels.empty() && std::strcmp(kernels.back().op_type, cpu.kernels[k].op_type) == 0 &&
        std::strcmp(kernels.back().domain, cpu.kernels[k].domain) == 0)
      continue;
    onnxrun_kernel kernel{};
    kernel.domain = cpu.kernels[k].domain;
    kernel.op_type = cpu.kernels[k].op_type;
    kernel.name = "late";
    kernel.accepts = late_accepts;
    kernel.bind = late_bind;
    kernel.run = late_run;
    kernel.release = [](void* state) { delete static_cast<LateState*>(state); };
    kernels.push_back(kernel);
  }
  return kernels;
}

onnxrun_provider make_provider() {
  static const std::vector<onnxrun_kernel> kernels = make_kernels();
  onnxrun_provider provider{};
  provider.abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
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
    *stream = new Stream;
    return ONNXRUN_OK;
  };
  provider.destroy_stream = [](void*, void* stream) { delete static_cast<Stream*>(stream); };
  provider.copy = [](void*, void* stream, const void* from, int32_t from_device, void* to, int32_t to_device, size_t bytes, onnxrun_sink* sink) {
    return guard(sink, [&] {
      static_cast<Stream*>(stream)->queue.push_back([=] {
        if (bytes == 0) return;
        std::memcpy(to_device ? memory().shadow(to, bytes) : to, from_device ? memory().shadow(from, bytes) : from, bytes);
      });
      return ONNXRUN_OK;
    });
  };
  provider.synchronize = [](void*, void* stream, onnxrun_sink* sink) {
    return guard(sink, [&] {
      std::vector<std::function<void()>> queue;
      queue.swap(static_cast<Stream*>(stream)->queue);
      for (const auto& work : queue) work();
      return ONNXRUN_OK;
    });
  };
  provider.destroy = [](void*) {};
  return provider;
}

}  // namespace

extern "C" ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const*, size_t,
                                                               const onnxrun_provider** out, onnxrun_sink* error) {
  return guard(error, [&] {
    if (abi_version != ONNXRUN_PROVIDER_ABI_VERSION) throw Error(Code::kUnsupported, "late: another provider ABI version");
    static const onnxrun_provider provider = make_provider();
    *out = &provider;
    return ONNXRUN_OK;
  });
}
