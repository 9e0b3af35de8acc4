// What sessions of one model have in common, found again by the options that it depends on.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "optimize/driver.h"
#include "run/session.h"

struct onnxrun_options;

namespace onnxrun::api {

// A model after the optimizer, with kernels and packed weights.
struct Preparation {
  std::shared_ptr<const run::Prepared> prepared;
  optimize::OptimizeReport optimization;
};

// Those of one model that sessions hold. Thread-safe.
class Preparations {
 public:
  // Null where no session holds one for such options, or plug-ins take part: what they keep is theirs to say.
  std::shared_ptr<const Preparation> find(const onnxrun_options& options) const;
  void add(const onnxrun_options& options, const std::shared_ptr<const Preparation>& preparation);

 private:
  struct Key;
  static Key key_of(const onnxrun_options& options);

  mutable std::mutex mutex_;
  std::vector<std::pair<std::shared_ptr<const Key>, std::weak_ptr<const Preparation>>> entries_;
};

}  // namespace onnxrun::api
