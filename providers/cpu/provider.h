// The CPU provider: every kernel of kernels/ behind the provider ABI.
#pragma once

#include <onnxrun/provider.h>

#include <memory>

namespace onnxrun::cpu {

// The provider "cpu", made on first use and never destroyed. Thread-safe.
std::shared_ptr<const onnxrun_provider> provider();

}  // namespace onnxrun::cpu
