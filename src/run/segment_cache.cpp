// Keeping planned segments, and dropping those not used for longest.
#include "run/segment_cache.h"

#include <algorithm>

namespace onnxrun::run {

namespace {

// Memory that a plan takes, with what kernels say that they keep for their shapes.
size_t plan_bytes(const plan::Segment& segment, const SegmentKey& key) {
  constexpr size_t kBlock = 32;  // at least, of each allocation
  size_t bytes = sizeof(plan::Segment) + 512 + segment.given.size() * 256 + key.size() * sizeof(int64_t) +
                 segment.slots.capacity() * sizeof(plan::SegmentSlot) +
                 segment.steps.capacity() * sizeof(plan::SegmentStep) + segment.per_run.capacity() * sizeof(size_t) +
                 segment.live.capacity() * sizeof(plan::LiveRange);
  for (const plan::SegmentSlot& slot : segment.slots)
    bytes += kBlock + slot.dims.size() * sizeof(int64_t) + (slot.constant ? 256 + slot.constant.bytes() : 0);
  for (const plan::SegmentStep& step : segment.steps)
    bytes += kBlock + step.kernel.state_bytes() + step.frees.capacity() * sizeof(int);
  return bytes;
}

}  // namespace

SegmentCache::SegmentCache(PlanAccount& account) : account_(account) { account_.caches.push_back(this); }

SegmentCache::~SegmentCache() {
  clear();
  std::erase(account_.caches, this);
}

void SegmentCache::begin_run() {
  path_.clear();
  run_ = ++account_.runs;
}

const plan::Segment* SegmentCache::advance(const SegmentKey& key) {
  Entry& from = last();
  const auto found = from.next.find(key);
  if (found == from.next.end()) return nullptr;
  path_.push_back(found->second.get());
  path_.back()->last_run = run_;
  return path_.back()->segment.get();
}

const plan::Segment& SegmentCache::add(const SegmentKey& key, std::unique_ptr<plan::Segment> segment) {
  const size_t bytes = plan_bytes(*segment, key);
  make_room(account_, bytes);
  Entry& from = last();
  auto entry = std::make_unique<Entry>();
  entry->segment = std::move(segment);
  entry->before = &from;
  entry->bytes = bytes;
  entry->depth = path_.size();
  entry->last_run = run_;
  path_.reserve(path_.size() + 1);
  const auto [added, fresh] = from.next.emplace(key, std::move(entry));
  added->second->key = &added->first;
  account_.used += bytes;
  path_.push_back(added->second.get());
  return *path_.back()->segment;
}

// Dropping is rare but looks at all entries, so it makes a quarter of the cap free at once.
void SegmentCache::make_room(PlanAccount& account, size_t bytes) {
  if (account.used + bytes <= account.cap) return;
  const size_t keep = account.cap - account.cap / 4;
  std::vector<std::pair<SegmentCache*, Entry*>> entries;
  for (SegmentCache* cache : account.caches) cache->collect(cache->root_, entries);
  // An entry was used at least as late as those after it, which therefore go first.
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.second->last_run != b.second->last_run ? a.second->last_run < b.second->last_run
                                                    : a.second->depth > b.second->depth;
  });
  for (const auto& [cache, entry] : entries) {
    if (account.used + bytes <= keep) break;
    cache->drop(*entry);
  }
}

void SegmentCache::collect(Entry& entry, std::vector<std::pair<SegmentCache*, Entry*>>& entries) {
  for (const auto& [key, after] : entry.next) {
    collect(*after, entries);
    if (std::find(path_.begin(), path_.end(), after.get()) == path_.end()) entries.emplace_back(this, after.get());
  }
}

void SegmentCache::drop(Entry& entry) {
  if (entry.depth < placed_.size() && placed_[entry.depth] == &entry) forget_placed(entry.depth);
  account_.used -= entry.bytes;
  entry.before->next.erase(entry.before->next.find(*entry.key));
}

size_t SegmentCache::bytes_after(const Entry& entry) {
  size_t bytes = 0;
  for (const auto& [key, after] : entry.next) bytes += after->bytes + bytes_after(*after);
  return bytes;
}

void SegmentCache::clear() noexcept {
  path_.clear();
  placed_.clear();
  account_.used -= bytes_after(root_);
  root_.next.clear();
}

}  // namespace onnxrun::run
