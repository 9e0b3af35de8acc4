// Lifetimes: until which step the bytes of each slot are needed.
#pragma once

#include "plan/program.h"

namespace onnxrun::plan {

// Sets root, last_use and output of all slots.
void find_lifetimes(const std::vector<Step>& steps, const std::vector<int>& outputs, const ProviderSet& providers,
                    std::vector<Slot>& slots);

}  // namespace onnxrun::plan
