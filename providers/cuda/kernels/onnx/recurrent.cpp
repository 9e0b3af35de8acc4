// RNN, GRU and LSTM: cuDNN's where it can, else all steps in one kernel, else step by step.
#include "cuda/kernels/library_recurrent.h"
#include "cuda/kernels/recurrent_loop.h"
#include "cuda/kernels/recurrent_steps.h"

namespace onnxrun::cuda {

void kernels_onnx_recurrent(provider::KernelTable& table) {
  for (const char* op : {"RNN", "GRU", "LSTM"}) {
    add<LibraryRecurrent>(table, "", op, "cudnn");
    add<RecurrentAtOnce>(table, "", op, "loop");
    add<RecurrentSteps>(table, "", op, "cublaslt");
  }
}

}  // namespace onnxrun::cuda
