// DeviceStreams: the streams on which one session stream works, for each device provider one of kernels and one of copies in each direction.
#pragma once

#include <memory>
#include <vector>

#include "plan/provider_set.h"

namespace onnxrun::run {

// The streams of a device. Copies have none of their own where the provider has no events: theirs is that of the kernels then.
enum class Lane : uint8_t { kKernels, kUploads, kDownloads };

class DeviceStreams {
 public:
  explicit DeviceStreams(std::shared_ptr<const plan::ProviderSet> providers);
  // Waits for what is pending.
  ~DeviceStreams();
  DeviceStreams(const DeviceStreams&) = delete;
  DeviceStreams& operator=(const DeviceStreams&) = delete;

  const std::shared_ptr<const plan::ProviderSet>& providers() const { return providers_; }
  // The stream of kernels; null for host providers.
  void* of(int provider) const { return at(provider).lanes[0].get(); }

  // Enqueues a copy on a stream of the device provider `provider`.
  void copy(int provider, const void* from, bool from_device, void* to, bool to_device, size_t bytes,
            Lane lane = Lane::kKernels);

  // Lets what a stream is given from now on wait for event number `event`, or puts that behind what it was given.
  void await(int provider, Lane lane, int event);
  void record(int provider, Lane lane, int event);
  // Lets the device's streams wait for what callers gave its default stream.
  void await_callers(int provider);
  // Lets each stream wait for what all streams of its device were given so far.
  void meet();

  // Waits for the stream of kernels, for that of copies to the host, or for all; throws the first error of the work.
  void wait(int provider);
  void wait_for_downloads(int provider);
  void wait_for_downloads();
  void wait_all();
  // Waits for all after a failure, whose error is the one to be reported.
  void settle() noexcept;
  // Gives back what the idle streams hold in reserve.
  void trim();

 private:
  struct Device {
    std::shared_ptr<void> lanes[3];             // by Lane; copies' are made when they are first used
    std::vector<std::shared_ptr<void>> events;  // by number
    std::shared_ptr<void> meeting[3];           // by Lane
    bool downloading = false;                   // something may be under way
  };
  Device& at(int provider) { return devices_[static_cast<size_t>(provider)]; }
  const Device& at(int provider) const { return devices_[static_cast<size_t>(provider)]; }
  void* stream(int provider, Lane lane);
  void* event(int provider, int number);
  template <class F>
  void each_lane(int provider, F&& f);

  std::shared_ptr<const plan::ProviderSet> providers_;
  std::vector<Device> devices_;  // by provider
};

}  // namespace onnxrun::run
