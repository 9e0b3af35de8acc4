// Activations of one input.
#include "ops/attributes/activation.h"

#include "cuda/kernels/elementwise.h"

namespace onnxrun::cuda {
namespace {

struct Choice {
  static UnaryLaunch find(const Node& node) {
    const bool by_tanh = node.op() == "Gelu" && ops::gelu_by_tanh(node);
    return find_activation(by_tanh ? "GeluTanh" : node.op(), dtype(node.input(0)));
  }
  static Formula formula(const Node& node) {
    const ops::ActivationAttributes a = ops::read_activation(node.op(), node);
    Formula result;
    result.alpha = a.alpha, result.beta = a.beta, result.gamma = a.gamma, result.lambd = a.lambd, result.bias = a.bias;
    return result;
  }
};

}  // namespace

void kernels_onnx_activation(provider::KernelTable& table) {
  for (const char* op : {"Relu", "LeakyRelu", "Elu", "Celu", "Selu", "Sigmoid", "HardSigmoid", "HardSwish", "Softplus",
                         "Softsign", "ThresholdedRelu", "Mish", "Gelu", "Swish", "Shrink"})
    add<Unary<Choice>>(table, "", op, "map");
}

}  // namespace onnxrun::cuda
