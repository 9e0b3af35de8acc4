// The CPU quota that control groups set.
#pragma once

#include <string>

namespace onnxrun::base {

// CPUs (rounded up, at least 1) that the tightest cgroup v1 or v2 quota of this process allows, or 0 without a quota. `root` is put
// before the paths of /proc and /sys.
int cpu_quota(const std::string& root = "");

}  // namespace onnxrun::base
