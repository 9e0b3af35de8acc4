// The order of the passes, with its reasons.
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

std::span<const Pass> pipeline() {
  static constexpr Pass kPasses[] = {
      // First, so that no later pass works on what nobody reads.
      {"eliminate-dead", "removes nodes whose outputs nobody reads", kBasic, match_eliminate_dead, true},
      // Before folding: folding then sees constants through identities.
      {"eliminate-identity", "lets readers of an Identity read its input", kBasic, match_eliminate_identity},
      // The next three before folding, which would turn quantised weights into floats.
      {"drop-relu-before-quantize", "removes a Relu that QuantizeLinear's saturation repeats", kBasic, match_drop_relu},
      {"fuse-quantized", "computes what stands between DequantizeLinear and QuantizeLinear on quantised values", kExtended, match_fuse_quantized},
      // After the one before, which takes the quantisation of the result along.
      {"fuse-dequantized-product", "computes products of dequantised values on quantised values", kExtended, match_fuse_dequantized_product},
      {"fuse-integer-product", "gives MatMulInteger its scales and its bias", kBasic, match_fuse_integer_product},
      // Last of the basic ones, as the others may leave nodes with constant inputs only.
      {"fold-constants", "computes nodes whose inputs are all constant", kBasic, match_fold_constants},
  };
  return kPasses;
}

}  // namespace onnxrun::optimize
