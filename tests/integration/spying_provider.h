// The CPU provider with its last kernel of Add watched: how often it is bound, and where its second operand lies.
#pragma once

#include "integration/small_models.h"

namespace onnxrun::testing {

struct Spy {
  static int binds;
  static const void* operand;  // of the latest run
};

// `Add` has no other kernel there.
std::shared_ptr<const plan::ProviderSet> spying_cpu();

}  // namespace onnxrun::testing
