// StreamContext: what all frames of a stream share - threads, recycled memory, devices, limits, and the current run's control and observer.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/limits.h"
#include "base/parallel.h"
#include "run/block_pool.h"
#include "run/control.h"
#include "run/device_streams.h"
#include "run/observer.h"
#include "run/segment_cache.h"
#include "run/tensor_pool.h"

namespace onnxrun::run {

// One run at a time.
struct StreamContext {
  base::ThreadPool* pool = nullptr;
  DeviceStreams* devices = nullptr;
  TensorPool* tensors = nullptr;
  BlockPool* blocks = nullptr;  // of the frame of the main graph
  base::BudgetPtr budget;
  base::Limits limits;
  PlanAccount plans;
  std::atomic<int64_t> block_bytes{0};  // that all frames hold; may be read by other threads
  const RunControl* control = nullptr;  // of the current run
  Observer* observer = nullptr;         // of the current run; may be null
  int depth = 0;                        // graphs around the running one
};

}  // namespace onnxrun::run
