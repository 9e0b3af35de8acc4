// DeviceBindings: what a run has of its caller's in the memory of devices - inputs that lie there, outputs that are to be written there.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
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
  // How the program reads a slot of host memory, apart from copies to one memory.
  struct Reads {
    std::vector<std::pair<int, int>> copies;  // the steps that copy it there, and the slots they make
    bool by_host = false;
  };

  // Lets go of what was the caller's; the vectors keep their memory for the next run.
  void end_run() {
    inputs.clear();
    outputs.clear();
    needless.clear();
    data.clear();
    copies = false;
  }

  std::vector<Range> inputs;    // of those on devices
  std::vector<Output> outputs;  // by output
  std::vector<int> needless;    // copies of inputs that lie where they are copied to
  std::vector<void*> data;      // by slot: where the bytes of this root are in place of a block; null: there
  bool copies = false;          // results are on their way at the end

  std::map<std::pair<int, int>, Reads> reads;  // by slot and memory, found once: they depend on the program alone
};

}  // namespace onnxrun::run
