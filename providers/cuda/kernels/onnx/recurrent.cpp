// RNN, GRU and LSTM: all steps in one kernel where that is small enough, else cuDNN's where it can, else step by step.
#include "cuda/kernels/library_recurrent.h"
#include "cuda/kernels/recurrent_loop.h"
#include "cuda/kernels/recurrent_steps.h"

namespace onnxrun::cuda {

void kernels_onnx_recurrent(provider::KernelTable& table) {
  for (const char* op : {"RNN", "GRU", "LSTM"}) {
    add<RecurrentAtOnce>(table, "", op, "loop");
    add<LibraryRecurrent>(table, "", op, "cudnn");
    add<RecurrentSteps>(table, "", op, "cublaslt");
  }
}

}  // namespace onnxrun::cuda
