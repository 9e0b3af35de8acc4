// The CPU provider: every kernel of kernels/ behind the provider ABI.
#pragma once

#include <onnxrun/provider.h>

#include <memory>

namespace onnxrun::provider {
class KernelTable;
}

namespace onnxrun::cpu {

// The provider "cpu", made on first use and never destroyed. Thread-safe.
std::shared_ptr<const onnxrun_provider> provider();

// visit(self, "onnx/conv", what adds the kernels of that file), file by file.
void register_all_parts(void (*visit)(void* self, const char* part, void (*add)(provider::KernelTable&)), void* self);

}  // namespace onnxrun::cpu
