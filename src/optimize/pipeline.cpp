// The order of the passes, with its reasons.
#include "optimize/pipeline.h"

namespace onnxrun::optimize {

std::span<const Pass> pipeline() {
  static constexpr Pass kPasses[] = {
      // First, so that no later pass works on what nobody reads.
      {"eliminate-dead", "removes nodes whose outputs nobody reads", kBasic, match_eliminate_dead, true},
      // Before folding: folding then sees constants through identities.
      {"eliminate-identity", "lets readers of an Identity read its input", kBasic, match_eliminate_identity},
      // Last of the basic ones, as the others may leave nodes with constant inputs only.
      {"fold-constants", "computes nodes whose inputs are all constant", kBasic, match_fold_constants},
  };
  return kPasses;
}

}  // namespace onnxrun::optimize
