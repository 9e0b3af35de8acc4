// Lending blocks. Sets are exchanged, so that a run allocates nothing for it.
#include "run/block_pool.h"

#include <algorithm>
#include <utility>

namespace onnxrun::run {
namespace {

int64_t bytes_of(const BlockPool::Set& set) {
  int64_t bytes = 0;
  for (const base::BufferPtr& block : set) bytes += block ? static_cast<int64_t>(block->bytes()) : 0;
  return bytes;
}

}  // namespace

bool BlockPool::take(Set& set, uint64_t wanted) {
  const std::lock_guard lock(mutex_);
  Entry* found = nullptr;
  for (Entry& entry : entries_) {
    if (entry.number == 0) continue;
    if (entry.number == wanted) {
      found = &entry;
      break;
    }
    if (found == nullptr || bytes_of(entry.set) > bytes_of(found->set)) found = &entry;
  }
  if (found == nullptr) {
    entries_.push_back({Set(set.size()), 0});
    return false;
  }
  const bool same = found->number == wanted;
  std::swap(found->set, set);
  found->number = 0;
  return same;
}

uint64_t BlockPool::put(Set& set) noexcept {
  const std::lock_guard lock(mutex_);
  const auto entry = std::ranges::find(entries_, uint64_t{0}, &Entry::number);
  std::swap(entry->set, set);
  return entry->number = ++last_;
}

void BlockPool::clear() {
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const Entry& entry) { return entry.number != 0; });
}

int64_t BlockPool::bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t bytes = 0;
  for (const Entry& entry : entries_) bytes += bytes_of(entry.set);
  return bytes;
}

}  // namespace onnxrun::run
