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

// An event of a provider that has them; the provider must outlive it.
std::shared_ptr<void> create_event(const onnxrun_provider& provider);
// Puts the event behind what the stream was given; lets what it is given from now on wait for the event.
void record_event(const onnxrun_provider& provider, void* event, void* stream);
void await_event(const onnxrun_provider& provider, void* event, void* stream);

// Lets what the stream is given from now on wait for what others gave the device's default stream, where the provider knows one.
void await_callers(const onnxrun_provider& provider, void* stream);

// Lets a stream of a provider that records keep what it is given, from here to `end`.
class Capture {
 public:
  Capture(const onnxrun_provider& provider, void* stream);
  // Ends a recording that came to nothing.
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  // Sets `graph`, which the stream must outlive, to what was kept; one that is there is changed to it. Throws what could not be kept.
  void end(std::shared_ptr<void>& graph);

 private:
  const onnxrun_provider& provider_;
  void* stream_;
  bool open_ = true;
};
void launch_graph(const onnxrun_provider& provider, void* graph, void* stream);

// Waits for all work of the stream; throws the first error of that work.
void wait_for(const onnxrun_provider& provider, void* stream);

}  // namespace onnxrun::plan
