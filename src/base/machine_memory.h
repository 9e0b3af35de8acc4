// The memory that this process may use.
#pragma once

#include <cstdint>
#include <string>

namespace onnxrun::base {

// Bytes of the machine's memory, or of the tightest cgroup v1 or v2 limit of this process where that is less; INT64_MAX when nothing tells.
// `root` is put before the paths of /proc and /sys.
int64_t available_memory(const std::string& root = "");

// What a model may make us allocate where the caller sets no limit: four fifths of the available memory, so that what runs beside it keeps
// some. Read once.
int64_t default_memory_limit();

}  // namespace onnxrun::base
