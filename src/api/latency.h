// Counts of runs and of how long they took, kept without locks.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/error.h"

namespace onnxrun::api {

// Bounds of the histogram lie at powers of two of a microsecond and half way between them: bucket k counts what took no longer than bucket_end(k) and longer
// than the bucket before; the last has no end.
inline constexpr size_t kLatencyBuckets = 54;
// Nanoseconds; INT64_MAX for the last.
int64_t bucket_end(size_t bucket);
size_t bucket_of(int64_t nanoseconds);

// All that was counted at one moment.
struct LatencyCounts {
  std::array<int64_t, kLatencyBuckets> buckets{};  // of runs that succeeded
  int64_t count = 0;
  int64_t sum_ns = 0, min_ns = 0, max_ns = 0;
  std::map<base::Code, int64_t> errors;

  // The time within which `share` of the runs were done, in seconds; 0 without runs.
  double quantile(double share) const;
};

// Written by any number of threads at once: each writes to one of several sets of counters, so that they seldom meet.
class Latency {
 public:
  void succeeded(int64_t nanoseconds) noexcept;
  void failed(base::Code code) noexcept;
  LatencyCounts counts() const;

 private:
  static constexpr size_t kShards = 16;
  static constexpr size_t kCodes = 16;
  struct alignas(64) Shard {
    std::array<std::atomic<int64_t>, kLatencyBuckets> buckets{};
    std::atomic<int64_t> sum_ns{0}, min_ns{INT64_MAX}, max_ns{0};
    std::array<std::atomic<int64_t>, kCodes> errors{};
  };
  static size_t own_shard() noexcept;
  std::array<Shard, kShards> shards_;
};

}  // namespace onnxrun::api
