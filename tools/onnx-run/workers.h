// Work spread over child processes, so that a crash or a hang costs one item and not the run.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cli {

struct Outcome {
  bool passed = false;
  std::string message;
  double seconds = 0;
};

// Runs work(index) for every index below `count` in `jobs` child processes. A result is passed when the text that `work` returns is empty. An exception, a crash
// ("crashed (signal 11)") and a run of more than `timeout` seconds are failures of that item; a
// process whose item failed gets no other. `done` is called in this process, in the order of completion.
// The calling process must have no other threads.
void run_in_workers(size_t count, int jobs, double timeout, const std::function<std::string(size_t)>& work,
                    const std::function<void(size_t, const Outcome&)>& done);

}  // namespace cli
