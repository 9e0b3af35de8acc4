// DeviceStreams: the streams on which one session stream works, one a device provider.
#pragma once

#include <memory>
#include <vector>

#include "plan/provider_set.h"

namespace onnxrun::run {

class DeviceStreams {
 public:
  explicit DeviceStreams(std::shared_ptr<const plan::ProviderSet> providers);
  // Waits for what is pending.
  ~DeviceStreams();
  DeviceStreams(const DeviceStreams&) = delete;
  DeviceStreams& operator=(const DeviceStreams&) = delete;

  const std::shared_ptr<const plan::ProviderSet>& providers() const { return providers_; }
  // Null for host providers.
  void* of(int provider) const { return streams_[static_cast<size_t>(provider)].get(); }

  // Enqueues a copy on the stream of the device provider `provider`.
  void copy(int provider, const void* from, bool from_device, void* to, bool to_device, size_t bytes);
  // Waits for one or all; throws the first error of the work.
  void wait(int provider);
  void wait_all();
  // Waits for all after a failure, whose error is the one to be reported.
  void settle() noexcept;

 private:
  std::shared_ptr<const plan::ProviderSet> providers_;
  std::vector<std::shared_ptr<void>> streams_;  // by provider
};

}  // namespace onnxrun::run
