// DeviceBindings: what a run has of its caller's in the memory of devices - inputs that lie there, outputs that are to be written there.
#pragma once

#include <vector>

#include "base/tensor.h"

namespace onnxrun::run {

struct DeviceBindings {
  struct Output {
    int memory = 0;        // kind of the session; 0: an output in host memory
    int copy = -1;         // the step that would copy it to the host; -1: it is made there
    int root = -1;         // the slot whose bytes that step copies
    bool on_host = false;  // the host reads it as well
    bool written = false;  // its kernel writes to `tensor` itself
    base::Tensor tensor;   // the caller's, or one made for it
    base::Tensor target;   // the caller's where it shares memory with an input: `tensor` goes there at the end
  };
  struct Range {
    const char* begin = nullptr;
    size_t bytes = 0;
  };
  std::vector<Range> inputs;    // of those on devices
  std::vector<Output> outputs;  // by output
  std::vector<int> needless;    // copies of inputs that lie where they are copied to
  std::vector<void*> data;      // by slot: where the bytes of this root are in place of a block; null: there
  bool copies = false;          // results are on their way at the end
};

}  // namespace onnxrun::run
