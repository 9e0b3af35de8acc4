// Assembly of the CPU provider from its generated kernel table.
#include "cpu/provider.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void register_all(provider::KernelTable& table);

std::shared_ptr<const onnxrun_provider> provider() {
  static const onnxrun_provider& cpu = *[] {
    auto* table = new provider::KernelTable;
    register_all(*table);
    auto* built = new onnxrun_provider{};
    built->abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    built->name = "cpu";
    built->description = "kernels for every processor, the fast ones chosen by its instruction set";
    built->kernels = table->kernels().data();
    built->kernel_count = table->kernels().size();
    return built;
  }();
  return {std::shared_ptr<void>(), &cpu};
}

}  // namespace onnxrun::cpu
