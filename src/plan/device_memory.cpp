// Calls of a device provider's memory functions.
#include "plan/device_memory.h"

#include <algorithm>

#include "base/error.h"
#include "plan/node_view.h"

namespace onnxrun::plan {

namespace {

void check(const onnxrun_provider& provider, onnxrun_code code, const Message& message) {
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<base::Code>(code),
                      std::string("provider '") + provider.name + "': " + message.text());
}

}  // namespace

std::shared_ptr<void> create_stream(const onnxrun_provider& provider) {
  Message message;
  void* stream = nullptr;
  check(provider, provider.create_stream(provider.self, &stream, message.sink()), message);
  return {stream, [&provider](void* s) { provider.destroy_stream(provider.self, s); }};
}

base::BufferPtr allocate_on_device(const std::shared_ptr<const ProviderSet>& providers, int memory, size_t bytes,
                                   const base::BudgetPtr& budget) {
  bytes = std::max<size_t>(bytes, 1);
  const int index = memory - 1;
  const onnxrun_provider& provider = providers->at(index);
  const auto charged = static_cast<int64_t>(bytes);
  if (budget) budget->charge(charged);
  Message message;
  void* data = nullptr;
  const onnxrun_code code = provider.allocate(provider.self, bytes, &data, message.sink());
  if (code != ONNXRUN_OK && budget) budget->release(charged);
  check(provider, code, message);
  const std::shared_ptr<void> owner(data, [providers, index, budget, charged](void* owned) {
    providers->at(index).deallocate(providers->at(index).self, owned);
    if (budget) budget->release(charged);
  });
  return base::Buffer::wrap(data, bytes, owner);
}

void copy_on(const onnxrun_provider& provider, void* stream, const void* from, bool from_device, void* to,
             bool to_device, size_t bytes) {
  if (bytes == 0) return;
  Message message;
  check(provider, provider.copy(provider.self, stream, from, from_device, to, to_device, bytes, message.sink()),
        message);
}

void wait_for(const onnxrun_provider& provider, void* stream) {
  Message message;
  check(provider, provider.synchronize(provider.self, stream, message.sink()), message);
}

}  // namespace onnxrun::plan
