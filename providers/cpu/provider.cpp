// Assembly of the CPU provider from its generated kernel table.
#include "cpu/provider.h"

#include <onnxrun/provider.hpp>

#include <string>

#include "cpu/simd_level.h"

namespace onnxrun::cpu {

void register_all(provider::KernelTable& table);

std::shared_ptr<const onnxrun_provider> provider() {
  // Never destroyed: kernels may run while the process ends.
  struct Built {
    provider::KernelTable table;
    std::string description;
    onnxrun_provider provider{};
  };
  static const Built& cpu = *[] {
    auto* built = new Built;
    register_all(built->table);
    built->provider.abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    built->provider.abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
    built->provider.name = "cpu";
    const std::string_view level = simd_level_name(simd_level());
    built->description =
        "kernels for every processor, the fast ones here at the instruction set level " + std::string(level);
    built->provider.description = built->description.c_str();
    built->provider.kernels = built->table.kernels().data();
    built->provider.kernel_count = built->table.kernels().size();
    return built;
  }();
  return {std::shared_ptr<void>(), &cpu.provider};
}

}  // namespace onnxrun::cpu
