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

std::shared_ptr<void> create_event(const onnxrun_provider& provider) {
  Message message;
  void* event = nullptr;
  check(provider, provider.create_event(provider.self, &event, message.sink()), message);
  return {event, [&provider](void* e) { provider.destroy_event(provider.self, e); }};
}

void record_event(const onnxrun_provider& provider, void* event, void* stream) {
  Message message;
  check(provider, provider.record_event(provider.self, event, stream, message.sink()), message);
}

void await_event(const onnxrun_provider& provider, void* event, void* stream) {
  Message message;
  check(provider, provider.await_event(provider.self, event, stream, message.sink()), message);
}

void await_callers(const onnxrun_provider& provider, void* stream) {
  if (provider.await_callers == nullptr) return;
  Message message;
  check(provider, provider.await_callers(provider.self, stream, message.sink()), message);
}

Capture::Capture(const onnxrun_provider& provider, void* stream) : provider_(provider), stream_(stream) {
  Message message;
  check(provider, provider.begin_capture(provider.self, stream, message.sink()), message);
}

Capture::~Capture() {
  if (!open_) return;
  Message message;
  void* graph = nullptr;
  if (provider_.end_capture(provider_.self, stream_, &graph, message.sink()) == ONNXRUN_OK)
    provider_.destroy_graph(provider_.self, graph);
}

void Capture::end(std::shared_ptr<void>& graph) {
  Message message;
  void* made = graph.get();
  open_ = false;
  check(provider_, provider_.end_capture(provider_.self, stream_, &made, message.sink()), message);
  if (!graph) graph = {made, [&provider = provider_](void* g) { provider.destroy_graph(provider.self, g); }};
}

void launch_graph(const onnxrun_provider& provider, void* graph, void* stream) {
  Message message;
  check(provider, provider.launch_graph(provider.self, graph, stream, message.sink()), message);
}

void wait_for(const onnxrun_provider& provider, void* stream) {
  Message message;
  check(provider, provider.synchronize(provider.self, stream, message.sink()), message);
}

}  // namespace onnxrun::plan
