// What every kernel class of the CUDA provider uses.
#pragma once

#include <onnxrun/provider.hpp>

#include "base/dtype.h"
#include "base/error.h"
#include "cuda/device/queue.h"
#include "cuda/host/stream.h"

namespace onnxrun::cuda {

using base::DType;
using provider::Acceptance;
using provider::Node;
using provider::RunContext;

inline DType dtype(const onnxrun_tensor& tensor) { return static_cast<DType>(tensor.dtype); }

inline Stream& stream_of(RunContext& context) { return *static_cast<Stream*>(context.stream()); }

// Where a kernel's launches go.
Queue queue_of(Stream& stream);
inline Queue queue_of(RunContext& context) { return queue_of(stream_of(context)); }

// K with a check: a run that leaves elements to compute must have given the device some work.
template <class K>
class Recorded : public K {
 public:
  using K::K;
  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    stream.device().use();
    const uint64_t before = stream.work();
    K::run(context);
    if (stream.work() != before) return;
    for (size_t i = 0; i < context.output_count(); ++i)
      if (context.has_output(i) && context.output(i).memory != ONNXRUN_MEMORY_HOST &&
          provider::count(context.output(i)) > 0)
        base::fail(base::Code::kInternal, "a CUDA kernel gave the device no work");
  }
};

template <class K>
void add(provider::KernelTable& table, const char* domain, const char* op, const char* name) {
  table.add<Recorded<K>>(domain, op, name);
}

}  // namespace onnxrun::cuda
