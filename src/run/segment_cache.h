// SegmentCache: the segments that a frame has planned, found again by shapes and values, within the cap on all plans of a stream.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "plan/segment.h"

namespace onnxrun::run {

// Shapes or values of what a segment was selected by.
using SegmentKey = std::vector<int64_t>;
struct SegmentKeyHash {
  size_t operator()(const SegmentKey& key) const noexcept {
    uint64_t hash = 0xcbf29ce484222325u;
    for (int64_t word : key) hash = (hash ^ static_cast<uint64_t>(word)) * 0x9E3779B97F4A7C15u, hash ^= hash >> 29;
    return static_cast<size_t>(hash);
  }
};

class SegmentCache;

// What the caches of one stream's frames share: the cap, what they use of it, and the order of use.
struct PlanAccount {
  size_t cap = SIZE_MAX;
  std::atomic<size_t> used{0};  // other threads may read it
  uint64_t runs = 0;
  std::vector<SegmentCache*> caches;
};

// One thread at a time. During a run the segments it goes through are its path; they and what is placed of them stay until the run ends.
class SegmentCache {
 public:
  explicit SegmentCache(PlanAccount& account);
  ~SegmentCache();
  SegmentCache(const SegmentCache&) = delete;
  SegmentCache& operator=(const SegmentCache&) = delete;

  void begin_run();
  void end_run() { path_.clear(); }
  // The next segment of the path that `key` selects, null when there is none yet: then `add` it.
  const plan::Segment* advance(const SegmentKey& key);
  const plan::Segment& add(const SegmentKey& key, std::unique_ptr<plan::Segment> segment);

  // Segments whose places the frame's views show; a path of the tree as well, and only ever one that still exists.
  bool is_placed(size_t depth) const { return depth < placed_.size() && placed_[depth] == path_[depth]; }
  void set_placed() { placed_.assign(path_.begin(), path_.end()); }
  void forget_placed(size_t from = 0) { placed_.resize(std::min(from, placed_.size())); }

  // The segments of the current path, the latest last.
  size_t depth() const { return path_.size(); }
  const plan::Segment& on_path(size_t depth) const { return *path_[depth]->segment; }

  // Not during a run.
  void clear() noexcept;

 private:
  struct Entry {
    std::unique_ptr<plan::Segment> segment;
    Entry* before = nullptr;
    const SegmentKey* key = nullptr;  // its own in `before->next`
    size_t bytes = 0;
    size_t depth = 0;
    uint64_t last_run = 0;
    std::unordered_map<SegmentKey, std::unique_ptr<Entry>, SegmentKeyHash> next;
  };

  static size_t bytes_after(const Entry& entry);  // of all that follow it
  static void make_room(PlanAccount& account, size_t bytes);
  void collect(Entry& entry, std::vector<std::pair<SegmentCache*, Entry*>>& entries);
  void drop(Entry& entry);
  Entry& last() { return path_.empty() ? root_ : *path_.back(); }

  PlanAccount& account_;
  Entry root_;        // without a segment: the first ones are its `next`
  uint64_t run_ = 0;  // the current one
  std::vector<Entry*> path_, placed_;
};

}  // namespace onnxrun::run
