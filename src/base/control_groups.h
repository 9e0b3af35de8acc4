// The control groups that limit this process.
#pragma once

#include <functional>
#include <string>

namespace onnxrun::base {

// Calls visit(folder, version) for this process's group and each above it, in version 2 and in the hierarchy that has `controller` in version 1.
// `root` is put before the paths of /proc and /sys. Folders need not exist.
void for_each_group(const std::string& root, const std::string& controller,
                    const std::function<void(const std::string& folder, int version)>& visit);

}  // namespace onnxrun::base
