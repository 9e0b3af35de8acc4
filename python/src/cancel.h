// Cancelling runs from another thread.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <algorithm>
#include <mutex>
#include <vector>

namespace onnxrun::python {

// Ends every run that was given it, those to come too, until it is reset.
class CancelToken {
 public:
  void cancel() { set(true); }
  void reset() { set(false); }
  bool cancelled() const {
    const std::lock_guard lock(mutex_);
    return cancelled_;
  }

  // A run is known to the token while one of these lives.
  class Entry {
   public:
    Entry(CancelToken* token, Run& run) : token_(token), run_(&run) {
      if (token_ != nullptr) token_->add(run);
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() {
      if (token_ != nullptr) token_->remove(*run_);
    }

   private:
    CancelToken* token_;
    Run* run_;
  };

 private:
  void add(Run& run) {
    const std::lock_guard lock(mutex_);
    runs_.push_back(&run);
    if (cancelled_) run.cancel();
  }
  void remove(Run& run) {
    const std::lock_guard lock(mutex_);
    runs_.erase(std::find(runs_.begin(), runs_.end(), &run));
  }
  void set(bool on) {
    const std::lock_guard lock(mutex_);
    cancelled_ = on;
    for (Run* run : runs_) run->cancel(on);
  }

  mutable std::mutex mutex_;
  bool cancelled_ = false;
  std::vector<Run*> runs_;
};

}  // namespace onnxrun::python
