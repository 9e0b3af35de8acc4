// Finding what sessions of one model have in common.
#include "api/preparations.h"

#include "api/handles.h"

namespace onnxrun::api {

// What decides about the optimizer, the kernels, the packed weights and where they lie.
struct Preparations::Key {
  std::vector<std::string> providers, passes, disabled_passes, print_after;
  int level, threads, precision;
  int64_t max_patches;
  bool reference_kernels, flush_denormals, strict;
  std::vector<std::pair<int64_t base::Limits::*, int64_t>> limits;
  const base::Allocator* allocator;  // alive while what was prepared with it is

  bool operator==(const Key&) const = default;
};

Preparations::Key Preparations::key_of(const onnxrun_options& options) {
  return {options.providers,       options.passes,      options.disabled_passes,
          options.print_after,     options.level,       options.threads,
          options.precision,       options.max_patches, options.reference_kernels,
          options.flush_denormals, options.strict,      options.set_limits,
          options.allocator.get()};
}

std::shared_ptr<const Preparation> Preparations::find(const onnxrun_options& options) const {
  if (!options.plugins.empty()) return nullptr;
  const Key wanted = key_of(options);
  const std::lock_guard lock(mutex_);
  for (const auto& [key, preparation] : entries_)
    if (auto found = preparation.lock(); found && *key == wanted) return found;
  return nullptr;
}

void Preparations::add(const onnxrun_options& options, const std::shared_ptr<const Preparation>& preparation) {
  if (!options.plugins.empty()) return;
  auto key = std::make_shared<const Key>(key_of(options));
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [](const auto& entry) { return entry.second.expired(); });
  entries_.emplace_back(std::move(key), preparation);
}

}  // namespace onnxrun::api
