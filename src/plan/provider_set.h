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

// The memory of callers' tensors on a device: DLPack's numbers of the device in one, larger than any memory kind of a session.
constexpr int32_t memory_on(int32_t device_type, int32_t device_id) { return device_type << 16 | (device_id & 0xffff); }
constexpr int32_t device_type_of(int32_t memory) { return memory >> 16; }
constexpr int32_t device_id_of(int32_t memory) { return memory & 0xffff; }

class ProviderSet {
 public:
  // `listed` in the caller's order. `host` runs what belongs on the host (strings, shape arithmetic) and is added unlisted when the caller did not
  // name it: then it takes no other node. `extra`, which must outlive the set, come after the providers' own.
  ProviderSet(std::vector<ProviderPtr> listed, ProviderPtr host, const ExtraKernels& extra = {});

  int size() const { return static_cast<int>(providers_.size()); }
  const onnxrun_provider& at(int index) const { return *providers_[static_cast<size_t>(index)]; }
  bool listed(int index) const { return index < listed_; }
  int host() const { return host_; }
  // Whether copies can go on beside the provider's kernels.
  bool has_events(int index) const { return at(index).device_memory && at(index).create_event != nullptr; }
  // Memory kind that the provider computes in.
  int memory(int index) const { return at(index).device_memory ? index + 1 : 0; }

  // The memory kind in which a caller's tensor lies whose memory is memory_on(...); -1 where no provider works in it.
  int kind_of(int32_t memory) const;

  // The provider's kernels for an operator, best first.
  const std::vector<const onnxrun_kernel*>& kernels(int provider, std::string_view domain, std::string_view op) const;

 private:
  std::vector<ProviderPtr> providers_;
  int listed_;
  int host_;
  std::vector<std::unordered_map<std::string, std::vector<const onnxrun_kernel*>>> kernels_;
};

// Whether it is an operator's plainest kernel, with which faster ones can be compared.
inline bool is_reference(const onnxrun_kernel* kernel) { return std::string_view(kernel->name) == "reference"; }

}  // namespace onnxrun::plan
