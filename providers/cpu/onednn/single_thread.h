// oneDNN's engine, and the guard that keeps its primitives on the calling thread.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include "base/error.h"

namespace onnxrun::cpu::onednn {

// The one CPU engine of the process.
const dnnl::engine& engine();

// While it lives, oneDNN creates and executes primitives on this thread alone; then the thread's OpenMP setting is restored.
// All primitives must be created and executed under one.
class SingleThread {
 public:
  SingleThread();
  ~SingleThread();
  SingleThread(const SingleThread&) = delete;
  SingleThread& operator=(const SingleThread&) = delete;

 private:
  int saved_ = 0;
};

// Runs `body` and turns oneDNN's exceptions into Error.
template <class F>
auto guarded(F&& body) {
  try {
    return body();
  } catch (const dnnl::error& error) {
    const auto code = error.status == dnnl_out_of_memory ? base::Code::kLimitExceeded : base::Code::kInternal;
    base::fail(code, "oneDNN: {}", error.what());
  }
}

}  // namespace onnxrun::cpu::onednn
