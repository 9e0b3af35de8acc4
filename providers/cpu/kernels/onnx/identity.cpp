// Identity: the input's bytes, copied where the output has memory of its own.
#include "cpu/loops/same_bytes.h"

namespace onnxrun::cpu {

void kernels_onnx_identity(provider::KernelTable& table) { table.add<SameBytes>("", "Identity", "copy"); }

}  // namespace onnxrun::cpu
