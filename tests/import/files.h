// A folder of model files, which tests write and load.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "import/wire_model.h"

namespace onnxrun::import::test {

namespace fs = std::filesystem;

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "onnxrun_import_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    fs::create_directory(root_ / "model");
  }
  void TearDown() override { fs::remove_all(root_); }

  std::string path(const std::string& name) const { return (root_ / "model" / name).string(); }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(root_ / "model" / name, std::ios::binary) << bytes;
  }

  std::string load_error(const std::string& name, const ImportOptions& options = tiny_options()) const {
    try {
      import_file(path(name), options);
      return {};
    } catch (const Error& e) {
      EXPECT_NE(e.code(), Code::kInternal) << e.what();
      return e.what();
    }
  }

  using Entries = std::vector<std::pair<std::string, std::string>>;

  static std::string external_tensor(const Entries& entries, std::vector<int64_t> dims = {2}) {
    std::string bytes;
    Writer w(bytes);
    for (const int64_t dim : dims) w.add_int64(1, dim);
    w.add_int32(2, 1);
    w.add_string(8, "w");
    for (const auto& [key, value] : entries) {
      std::string entry;
      Writer e(entry);
      e.add_string(1, key);
      e.add_string(2, value);
      w.add_message(13, entry);
    }
    w.add_int32(14, 1);
    return bytes;
  }

  // A model whose weight w lies outside; writes it as m.onnx.
  void external_model(const Entries& entries, std::vector<int64_t> dims = {2}) const {
    write("m.onnx", model(graph({.nodes = {node("Add", {"x", "w"}, {"y"})},
                                 .inputs = {value_info("x")},
                                 .outputs = {value_info("y")},
                                 .initializers = {external_tensor(entries, std::move(dims))}})));
  }
  std::string external_error(const Entries& entries, std::vector<int64_t> dims = {2},
                             const ImportOptions& options = tiny_options()) const {
    external_model(entries, std::move(dims));
    return load_error("m.onnx", options);
  }

  static std::string floats(std::vector<float> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * 4};
  }

  fs::path root_;
};

}  // namespace onnxrun::import::test
