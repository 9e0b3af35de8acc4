// Reads the machine's memory and the limits of control groups.
#include "base/machine_memory.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "base/control_groups.h"

namespace onnxrun::base {
namespace {

// A number of bytes; "max" and the like are none.
std::optional<int64_t> read_bytes(const std::string& path) {
  std::ifstream file(path);
  int64_t bytes = 0;
  if (!(file >> bytes) || bytes <= 0) return std::nullopt;
  return bytes;
}

std::optional<int64_t> total_memory(const std::string& path) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    int64_t kilobytes = 0;
    if (words >> key >> kilobytes && key == "MemTotal:" && kilobytes > 0 && kilobytes < INT64_MAX / 1024)
      return kilobytes * 1024;
  }
  return std::nullopt;
}

}  // namespace

int64_t available_memory(const std::string& root) {
  int64_t least = total_memory(root + "/proc/meminfo").value_or(INT64_MAX);
  for_each_group(root, "memory", [&](const std::string& folder, int version) {
    const char* const name = version == 2 ? "/memory.max" : "/memory.limit_in_bytes";
    if (const auto bytes = read_bytes(folder + name)) least = std::min(least, *bytes);
  });
  return least;
}

int64_t default_memory_limit() {
  static const int64_t limit = available_memory() / 5 * 4;
  return limit;
}

}  // namespace onnxrun::base
