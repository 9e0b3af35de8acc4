// Counts the CPUs this process may use.
#include "base/cpus.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/control_groups.h"
#include "base/parallel.h"

namespace onnxrun::base {
namespace {

int cpu_set_size() {
#if defined(__linux__)
  for (int capacity = 1024; capacity <= 1 << 20; capacity *= 2) {
    const size_t bytes = CPU_ALLOC_SIZE(capacity);
    std::vector<unsigned long> words(bytes / sizeof(unsigned long) + 1);
    auto* set = reinterpret_cast<cpu_set_t*>(words.data());
    if (sched_getaffinity(0, bytes, set) == 0) return CPU_COUNT_S(bytes, set);
    if (errno != EINVAL) break;
  }
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::optional<double> read_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return std::nullopt;
  double value = 0;
  if (!(std::istringstream(quota) >> value) || value <= 0) return std::nullopt;
  return value / period;
}

std::optional<double> read_v1(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us");
  std::ifstream period_file(folder + "/cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return std::nullopt;
  return quota / period;
}

}  // namespace

int cpu_quota(const std::string& root) {
  constexpr double kNone = 1e9;
  double least = kNone;
  for_each_group(root, "cpu", [&](const std::string& folder, int version) {
    if (const auto cpus = version == 2 ? read_v2(folder) : read_v1(folder)) least = std::min(least, *cpus);
  });
  if (least >= kNone) return 0;
  const int whole = static_cast<int>(least);
  return std::max(1, whole + (least > whole ? 1 : 0));
}

int available_cpus() {
  const int cpus = cpu_set_size();
  const int quota = cpu_quota();
  return std::max(1, quota > 0 ? std::min(cpus, quota) : cpus);
}

}  // namespace onnxrun::base
