// RunControl: how a run is stopped from outside - cancellation, deadline, and what its caller says when asked.
#pragma once

#include <atomic>

#include "base/deadline.h"
#include "base/error.h"
#include "run/poll.h"

namespace onnxrun::run {

struct RunControl {
  const std::atomic<bool>* cancel = nullptr;  // may be null; must outlive the run
  base::Deadline deadline;
  Poll* poll = nullptr;  // may be null; must outlive the run

  bool past_deadline() const { return deadline.past(); }
  bool stopped() const {
    return (cancel != nullptr && cancel->load(std::memory_order_relaxed)) || (poll != nullptr && poll->ended());
  }
  bool cancelled() const { return stopped() || past_deadline(); }

  // Throws kCancelled or kDeadline.
  void check() const {
    if (stopped()) throw base::Error(base::Code::kCancelled, "the run was cancelled");
    if (past_deadline()) throw base::Error(base::Code::kDeadline, std::string(base::kPastDeadline));
  }
};

}  // namespace onnxrun::run
