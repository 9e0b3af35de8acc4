// Inputs that an output is about to replace.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace cli {

// Keeps files under NAME.bak while they are replaced; what was kept is taken back unless `keep` is called.
class Backup {
 public:
  explicit Backup(bool allowed) : allowed_(allowed) {}
  ~Backup();
  Backup(const Backup&) = delete;
  Backup& operator=(const Backup&) = delete;

  // Does nothing where `output` is not the file `input`. Throws Failure where it is and backups are not allowed, or NAME.bak is there already.
  void protect(const std::string& input, const std::string& output);
  // Returns what was kept.
  std::vector<std::filesystem::path> keep() { return std::exchange(made_, {}); }

 private:
  bool allowed_;
  std::vector<std::filesystem::path> made_;
};

}  // namespace cli
