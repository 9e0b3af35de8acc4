// Reshape and Flatten: the input's bytes, copied where the output has memory of its own.
#include "cpu/loops/same_bytes.h"

namespace onnxrun::cpu {

void kernels_onnx_reshape(provider::KernelTable& table) {
  table.add<SameBytes>("", "Reshape", "copy");
  table.add<SameBytes>("", "Flatten", "copy");
}

}  // namespace onnxrun::cpu
