// Waiting for devices.
#include "run/device_streams.h"

#include "base/error.h"
#include "plan/device_memory.h"

namespace onnxrun::run {

DeviceStreams::DeviceStreams(std::shared_ptr<const plan::ProviderSet> providers)
    : providers_(std::move(providers)), streams_(static_cast<size_t>(providers_->size())) {
  for (int p = 0; p < providers_->size(); ++p)
    if (providers_->at(p).device_memory) streams_[static_cast<size_t>(p)] = plan::create_stream(providers_->at(p));
}

DeviceStreams::~DeviceStreams() { settle(); }

void DeviceStreams::copy(int provider, const void* from, bool from_device, void* to, bool to_device, size_t bytes) {
  plan::copy_on(providers_->at(provider), of(provider), from, from_device, to, to_device, bytes);
}

void DeviceStreams::wait(int provider) { plan::wait_for(providers_->at(provider), of(provider)); }

void DeviceStreams::wait_all() {
  for (int p = 0; p < providers_->size(); ++p)
    if (of(p) != nullptr) wait(p);
}

void DeviceStreams::settle() noexcept {
  for (int p = 0; p < providers_->size(); ++p) {
    if (of(p) == nullptr) continue;
    try {
      wait(p);
    } catch (...) {  // the run has failed already
    }
  }
}

}  // namespace onnxrun::run
