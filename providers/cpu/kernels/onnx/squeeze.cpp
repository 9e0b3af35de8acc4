// Squeeze and Unsqueeze: the input's bytes, copied where the output has memory of its own.
#include "cpu/loops/same_bytes.h"

namespace onnxrun::cpu {

void kernels_onnx_squeeze(provider::KernelTable& table) {
  table.add<SameBytes>("", "Squeeze", "copy");
  table.add<SameBytes>("", "Unsqueeze", "copy");
}

}  // namespace onnxrun::cpu
