// A folder of files that stand for the machine's /proc and /sys.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace onnxrun::base {

class MadeUpRoot : public testing::Test {
 protected:
  MadeUpRoot() {
    std::string pattern = testing::TempDir() + "onnxrun_root_XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~MadeUpRoot() override { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  std::string root_;
};

}  // namespace onnxrun::base
