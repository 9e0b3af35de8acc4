// Streams of devices: giving them work in order, and waiting for them.
#include "run/device_streams.h"

#include "base/error.h"
#include "plan/device_memory.h"

namespace onnxrun::run {

DeviceStreams::DeviceStreams(std::shared_ptr<const plan::ProviderSet> providers)
    : providers_(std::move(providers)), devices_(static_cast<size_t>(providers_->size())) {
  for (int p = 0; p < providers_->size(); ++p)
    if (providers_->at(p).device_memory) at(p).lanes[0] = plan::create_stream(providers_->at(p));
}

DeviceStreams::~DeviceStreams() { settle(); }

void* DeviceStreams::stream(int provider, Lane lane) {
  if (!providers_->has_events(provider)) lane = Lane::kKernels;
  std::shared_ptr<void>& made = at(provider).lanes[static_cast<size_t>(lane)];
  if (!made) made = plan::create_stream(providers_->at(provider));
  return made.get();
}

void* DeviceStreams::event(int provider, int number) {
  auto& events = at(provider).events;
  while (events.size() <= static_cast<size_t>(number)) events.push_back(plan::create_event(providers_->at(provider)));
  return events[static_cast<size_t>(number)].get();
}

// Calls f(lane, stream) for the streams that there are, results first: who waits takes them over while the last kernels work.
template <class F>
void DeviceStreams::each_lane(int provider, F&& f) {
  for (size_t lane = 3; lane-- > 0;)
    if (void* made = at(provider).lanes[lane].get()) f(lane, made);
}

void DeviceStreams::copy(int provider, const void* from, bool from_device, void* to, bool to_device, size_t bytes,
                         Lane lane) {
  if (lane == Lane::kDownloads) at(provider).downloading = true;
  plan::copy_on(providers_->at(provider), stream(provider, lane), from, from_device, to, to_device, bytes);
}

void DeviceStreams::await(int provider, Lane lane, int number) {
  plan::await_event(providers_->at(provider), event(provider, number), stream(provider, lane));
}

void DeviceStreams::record(int provider, Lane lane, int number) {
  plan::record_event(providers_->at(provider), event(provider, number), stream(provider, lane));
}

void DeviceStreams::await_callers(int provider) {
  plan::await_callers(providers_->at(provider), stream(provider, Lane::kKernels));
  meet();
}

void DeviceStreams::meet() {
  for (int p = 0; p < providers_->size(); ++p) {
    if (!providers_->has_events(p)) continue;
    const onnxrun_provider& provider = providers_->at(p);
    Device& device = at(p);
    // What has no stream of its own yet waits for nothing when it gets one.
    stream(p, Lane::kUploads);
    stream(p, Lane::kDownloads);
    each_lane(p, [&](size_t lane, void* made) {
      if (!device.meeting[lane]) device.meeting[lane] = plan::create_event(provider);
      plan::record_event(provider, device.meeting[lane].get(), made);
    });
    each_lane(p, [&](size_t lane, void* made) {
      for (size_t other = 0; other < 3; ++other)
        if (other != lane) plan::await_event(provider, device.meeting[other].get(), made);
    });
  }
}

void DeviceStreams::wait(int provider) { plan::wait_for(providers_->at(provider), of(provider)); }

void DeviceStreams::wait_for_downloads(int provider) {
  if (!at(provider).downloading) return;
  at(provider).downloading = false;
  plan::wait_for(providers_->at(provider), stream(provider, Lane::kDownloads));
}

void DeviceStreams::wait_for_downloads() {
  for (int p = 0; p < providers_->size(); ++p) wait_for_downloads(p);
}

void DeviceStreams::wait_all() {
  for (int p = 0; p < providers_->size(); ++p) {
    at(p).downloading = false;
    each_lane(p, [&](size_t, void* made) { plan::wait_for(providers_->at(p), made); });
  }
}

void DeviceStreams::settle() noexcept {
  for (int p = 0; p < providers_->size(); ++p) {
    at(p).downloading = false;
    each_lane(p, [&](size_t, void* made) {
      try {
        plan::wait_for(providers_->at(p), made);
      } catch (...) {  // the run has failed already
      }
    });
  }
}

void DeviceStreams::trim() {
  for (int p = 0; p < providers_->size(); ++p) {
    const onnxrun_provider& provider = providers_->at(p);
    if (provider.trim_stream == nullptr) continue;
    each_lane(p, [&](size_t, void* made) { provider.trim_stream(provider.self, made); });
  }
}

}  // namespace onnxrun::run
