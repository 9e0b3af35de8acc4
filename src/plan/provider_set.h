// The providers of a session in the caller's order, and their kernels by operator.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <onnxrun/provider.h>

namespace onnxrun::plan {

// Index of a provider in its set; memory kind 0 is the host's, memory kind k + 1 that of device provider k.
using ProviderPtr = std::shared_ptr<const onnxrun_provider>;

// Kernels that are no provider's own, by the name of the provider they belong to.
using ExtraKernels = std::vector<std::pair<std::string, const onnxrun_kernel*>>;

class ProviderSet {
 public:
  // `listed` in the caller's order. `host` runs what belongs on the host (strings, shape arithmetic) and is added unlisted when the caller did not
  // name it: then it takes no other node. `extra`, which must outlive the set, come after the providers' own.
  ProviderSet(std::vector<ProviderPtr> listed, ProviderPtr host, const ExtraKernels& extra = {});

  int size() const { return static_cast<int>(providers_.size()); }
  const onnxrun_provider& at(int index) const { return *providers_[static_cast<size_t>(index)]; }
  bool listed(int index) const { return index < listed_; }
  int host() const { return host_; }
  // Memory kind that the provider computes in.
  int memory(int index) const { return at(index).device_memory ? index + 1 : 0; }

  // The provider's kernels for an operator, best first.
  const std::vector<const onnxrun_kernel*>& kernels(int provider, std::string_view domain, std::string_view op) const;

 private:
  std::vector<ProviderPtr> providers_;
  int listed_;
  int host_;
  std::vector<std::unordered_map<std::string, std::vector<const onnxrun_kernel*>>> kernels_;
};

}  // namespace onnxrun::plan
