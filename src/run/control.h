// RunControl: how a run is stopped from outside - cancellation and deadline.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "base/error.h"

namespace onnxrun::run {

struct RunControl {
  const std::atomic<bool>* cancel = nullptr;  // may be null; must outlive the run
  std::optional<std::chrono::steady_clock::time_point> deadline;

  bool past_deadline() const { return deadline && std::chrono::steady_clock::now() >= *deadline; }
  bool cancelled() const { return (cancel != nullptr && cancel->load(std::memory_order_relaxed)) || past_deadline(); }

  // Throws kCancelled or kDeadline.
  void check() const {
    if (cancel != nullptr && cancel->load(std::memory_order_relaxed))
      throw base::Error(base::Code::kCancelled, "the run was cancelled");
    if (past_deadline())
      throw base::Error(base::Code::kDeadline,
                        "the run did not end before its deadline; give it more time or a smaller input");
  }
};

}  // namespace onnxrun::run
