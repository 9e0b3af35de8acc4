// Counting allocations while code runs: ours, and those inside oneDNN and its OpenMP runtime; letting one fail.
#pragma once

#include <cstdint>
#include <string>

namespace onnxrun::testing {

// Whether this build counts; sanitizers bring a malloc of their own.
bool counts_allocations();

struct AllocationCount {
  int64_t ours = 0;
  int64_t onednn = 0;
  std::string first;  // where the first of ours came from
};

// All threads' allocations from one call to the other.
void start_counting();
AllocationCount stop_counting();

// Of this thread's allocations from now on, the one after `n` more gets no memory.
void fail_allocation(int64_t n);
// No more fails; whether one did.
bool stop_failing();

}  // namespace onnxrun::testing
