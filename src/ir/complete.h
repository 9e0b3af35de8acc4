// What a declaration adds to what inference finds.
#pragma once

#include "ir/fact.h"

namespace onnxrun::ir {

// Gives `fact` what `declared` says beyond it as far as that cannot be wrong: type and rank, never sizes, for these follow from the inputs. False, and nothing
// done, where the types contradict.
bool complete(Fact& fact, const Fact& declared);

}  // namespace onnxrun::ir
