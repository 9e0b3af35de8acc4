// Assembly of the CPU provider from its generated kernel table.
#include "cpu/provider.h"

#include <onnxrun/provider.hpp>

namespace onnxrun::cpu {

void register_all(provider::KernelTable& table);

std::shared_ptr<const onnxrun_provider> provider() {
  // Never destroyed: kernels may run while the process ends.
  struct Built {
    provider::KernelTable table;
    onnxrun_provider provider{};
  };
  static const Built& cpu = *[] {
    auto* built = new Built;
    register_all(built->table);
    built->provider.abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    built->provider.name = "cpu";
    built->provider.description = "kernels for every processor, the fast ones chosen by its instruction set";
    built->provider.kernels = built->table.kernels().data();
    built->provider.kernel_count = built->table.kernels().size();
    return built;
  }();
  return {std::shared_ptr<void>(), &cpu.provider};
}

}  // namespace onnxrun::cpu
