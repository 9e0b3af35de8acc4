// Finds the folders of a process's control groups.
#include "base/control_groups.h"

#include <fstream>
#include <sstream>

namespace onnxrun::base {
namespace {

bool has_item(const std::string& list, const std::string& item) {
  std::istringstream stream(list);
  for (std::string name; std::getline(stream, name, ',');)
    if (name == item) return true;
  return false;
}

}  // namespace

void for_each_group(const std::string& root, const std::string& controller,
                    const std::function<void(const std::string& folder, int version)>& visit) {
  const auto upwards = [&](const std::string& mount, std::string path, int version) {
    while (true) {
      visit(mount + path, version);
      const size_t slash = path.rfind('/');
      if (slash == std::string::npos) return;
      path.resize(slash);
    }
  };
  std::ifstream groups(root + "/proc/self/cgroup");
  // Each line is number:controllers:path, and has no controllers in version 2.
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string path = line.substr(second + 1);
    if (controllers.empty()) {
      upwards(root + "/sys/fs/cgroup", path, 2);
      upwards(root + "/sys/fs/cgroup/unified", path, 2);
    } else if (has_item(controllers, controller)) {
      upwards(root + "/sys/fs/cgroup/" + controllers, path, 1);
      if (controllers != controller) upwards(root + "/sys/fs/cgroup/" + controller, path, 1);
    }
  }
}

}  // namespace onnxrun::base
