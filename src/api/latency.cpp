// Counters of runs, spread over threads and summed when they are asked for.
#include "api/latency.h"

#include <algorithm>
#include <bit>

namespace onnxrun::api {

namespace {
constexpr int64_t kUnit = 1000;  // nanoseconds of the first bound
constexpr auto kRelaxed = std::memory_order_relaxed;
}  // namespace

int64_t bucket_end(size_t bucket) {
  if (bucket + 1 >= kLatencyBuckets) return INT64_MAX;
  const int64_t octave = kUnit << (bucket / 2);
  return bucket % 2 == 0 ? octave : octave + octave / 2;
}

size_t bucket_of(int64_t nanoseconds) {
  if (nanoseconds <= kUnit) return 0;
  const auto octave = static_cast<size_t>(std::bit_width(static_cast<uint64_t>((nanoseconds - 1) / kUnit)) - 1);
  const size_t bucket = 2 * octave + 1;
  if (bucket >= kLatencyBuckets) return kLatencyBuckets - 1;
  return nanoseconds <= bucket_end(bucket) ? bucket : bucket + 1;
}

double LatencyCounts::quantile(double share) const {
  if (count == 0) return 0;
  const double wanted = share * static_cast<double>(count);
  int64_t before = 0;
  for (size_t i = 0; i < kLatencyBuckets; ++i) {
    if (buckets[i] == 0 || static_cast<double>(before + buckets[i]) < wanted) {
      before += buckets[i];
      continue;
    }
    // What was measured lies between the extremes, whatever the bounds are.
    const auto low = static_cast<double>(std::max(i == 0 ? 0 : bucket_end(i - 1), min_ns));
    const auto high = static_cast<double>(std::min(bucket_end(i), max_ns));
    const double part = (wanted - static_cast<double>(before)) / static_cast<double>(buckets[i]);
    return (low + (high - low) * std::clamp(part, 0.0, 1.0)) / 1e9;
  }
  return static_cast<double>(max_ns) / 1e9;
}

size_t Latency::own_shard() noexcept {
  static std::atomic<size_t> next{0};
  thread_local const size_t mine = next.fetch_add(1, kRelaxed) % kShards;
  return mine;
}

void Latency::succeeded(int64_t nanoseconds) noexcept {
  Shard& shard = shards_[own_shard()];
  shard.buckets[bucket_of(nanoseconds)].fetch_add(1, kRelaxed);
  shard.sum_ns.fetch_add(nanoseconds, kRelaxed);
  for (int64_t least = shard.min_ns.load(kRelaxed);
       nanoseconds < least && !shard.min_ns.compare_exchange_weak(least, nanoseconds, kRelaxed);) {
  }
  for (int64_t most = shard.max_ns.load(kRelaxed);
       nanoseconds > most && !shard.max_ns.compare_exchange_weak(most, nanoseconds, kRelaxed);) {
  }
}

void Latency::failed(base::Code code) noexcept {
  const auto index = static_cast<size_t>(code);
  if (index < kCodes) shards_[own_shard()].errors[index].fetch_add(1, kRelaxed);
}

LatencyCounts Latency::counts() const {
  LatencyCounts total;
  total.min_ns = INT64_MAX;
  for (const Shard& shard : shards_) {
    for (size_t i = 0; i < kLatencyBuckets; ++i) total.buckets[i] += shard.buckets[i].load(kRelaxed);
    for (size_t i = 0; i < kCodes; ++i)
      if (const int64_t count = shard.errors[i].load(kRelaxed)) total.errors[static_cast<base::Code>(i)] += count;
    total.sum_ns += shard.sum_ns.load(kRelaxed);
    total.min_ns = std::min(total.min_ns, shard.min_ns.load(kRelaxed));
    total.max_ns = std::max(total.max_ns, shard.max_ns.load(kRelaxed));
  }
  for (const int64_t count : total.buckets) total.count += count;
  if (total.count == 0) total.min_ns = 0;
  return total;
}

}  // namespace onnxrun::api
