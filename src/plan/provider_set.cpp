// Indexing of providers' kernel tables.
#include "plan/provider_set.h"

#include "base/error.h"

namespace onnxrun::plan {

using base::Code;
using base::fail;

ProviderSet::ProviderSet(std::vector<ProviderPtr> listed, ProviderPtr host, const ExtraKernels& extra)
    : providers_(std::move(listed)), listed_(static_cast<int>(providers_.size())), host_(-1) {
  for (int i = 0; i < listed_; ++i)
    if (providers_[static_cast<size_t>(i)] == host) host_ = i;
  if (host_ < 0) {
    host_ = listed_;
    providers_.push_back(std::move(host));
  }
  for (const ProviderPtr& provider : providers_) {
    if (provider->abi_version != ONNXRUN_PROVIDER_ABI_VERSION)
      fail(Code::kUnsupported, "provider '{}' was built for provider ABI version {}, this library has version {}",
           provider->name, provider->abi_version, ONNXRUN_PROVIDER_ABI_VERSION);
    auto& index = kernels_.emplace_back();
    for (size_t k = 0; k < provider->kernel_count; ++k) {
      const onnxrun_kernel& kernel = provider->kernels[k];
      index[std::string(kernel.domain) + ':' + kernel.op_type].push_back(&kernel);
    }
    for (const auto& [name, kernel] : extra)
      if (name == provider->name) index[std::string(kernel->domain) + ':' + kernel->op_type].push_back(kernel);
  }
}

int ProviderSet::kind_of(int32_t memory) const {
  for (int p = 0; p < size(); ++p)
    if (at(p).device_memory && at(p).device_type != 0 && memory == memory_on(at(p).device_type, at(p).device_id))
      return p + 1;
  return -1;
}

const std::vector<const onnxrun_kernel*>& ProviderSet::kernels(int provider, std::string_view domain,
                                                               std::string_view op) const {
  static const std::vector<const onnxrun_kernel*> kNothing;
  const auto& index = kernels_[static_cast<size_t>(provider)];
  const auto found = index.find(std::string(domain) + ':' + std::string(op));
  return found == index.end() ? kNothing : found->second;
}

}  // namespace onnxrun::plan
