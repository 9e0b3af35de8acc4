// Memory of device providers: allocation under the byte budget, copies and waiting, with errors thrown.
#pragma once

#include <memory>

#include "base/buffer.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

// A stream of a device provider; the provider must outlive it.
std::shared_ptr<void> create_stream(const onnxrun_provider& provider);

// Memory of the device provider behind memory kind `memory`, charged to `budget` (may be null) while the buffer lives.
base::BufferPtr allocate_on_device(const std::shared_ptr<const ProviderSet>& providers, int memory, size_t bytes,
                                   const base::BudgetPtr& budget);

// Enqueues a copy; see onnxrun_provider::copy for how long host memory must stay. Zero bytes are no copy.
void copy_on(const onnxrun_provider& provider, void* stream, const void* from, bool from_device, void* to,
             bool to_device, size_t bytes);

// Waits for all work of the stream; throws the first error of that work.
void wait_for(const onnxrun_provider& provider, void* stream);

}  // namespace onnxrun::plan
