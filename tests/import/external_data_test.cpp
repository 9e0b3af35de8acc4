// External data and its attacks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "import/files.h"

namespace onnxrun::import::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Files, ExternalDataIsViewedOrCopied) {
  write("w.bin", floats({9, 1.5f, -2}));
  external_model({{"location", "w.bin"}, {"offset", "4"}, {"length", "8"}});
  for (const LoadMode mode : {LoadMode::kMap, LoadMode::kCopy}) {
    ImportOptions options = tiny_options();
    options.load = mode;
    options.budget = std::make_shared<base::Budget>();
    const ir::Model m = import_file(path("m.onnx"), options);
    EXPECT_THAT(m.graph->value(m.graph->find_value("w")).fact.constant.span<float>(), ElementsAre(1.5f, -2));
    EXPECT_EQ(m.path, path("m.onnx"));
  }
  external_model({{"location", "./w.bin"}, {"offset", "4"}});
  EXPECT_EQ(load_error("m.onnx"), "");
  fs::create_directory(root_ / "model" / "sub");
  write("sub/w.bin", floats({1, 2}));
  EXPECT_EQ(external_error({{"location", "sub/w.bin"}}), "");
}

TEST_F(Files, ExternalDataStaysInside) {
  write("w.bin", floats({1, 2}));
  std::ofstream(root_ / "outside.bin") << floats({1, 2});
  EXPECT_THAT(external_error({{"location", "../outside.bin"}}), HasSubstr("'..'"));
  EXPECT_THAT(external_error({{"location", "x/../../outside.bin"}}), HasSubstr("'..'"));
  EXPECT_THAT(external_error({{"location", (root_ / "outside.bin").string()}}), HasSubstr("absolute"));
  EXPECT_THAT(external_error({{"location", "/dev/zero"}}), HasSubstr("absolute"));
  EXPECT_THAT(external_error({{"location", ""}}), HasSubstr("empty"));
  EXPECT_THAT(external_error({{"location", "."}}), HasSubstr("names no file"));
  EXPECT_THAT(external_error({{"location", std::string("w.bin\0/../x", 11)}}), HasSubstr("NUL"));
  EXPECT_THAT(external_error({{"location", "*/_ORT_MEM_ADDR_/*"}}), HasSubstr("memory"));
  EXPECT_THAT(external_error({{"location", "missing.bin"}}),
              AllOf(HasSubstr("'missing.bin' is missing"), HasSubstr("tensor 'w'")));
}

TEST_F(Files, ExternalDataThroughLinks) {
  std::ofstream(root_ / "outside.bin") << floats({1, 2});
  fs::create_symlink("../outside.bin", root_ / "model" / "link.bin");
  fs::create_directory(root_ / "dir");
  std::ofstream(root_ / "dir" / "w.bin") << floats({1, 2});
  fs::create_directory_symlink("../dir", root_ / "model" / "sub");
  fs::create_hard_link(root_ / "outside.bin", root_ / "model" / "hard.bin");
  EXPECT_THAT(external_error({{"location", "link.bin"}}), HasSubstr("symbolic link"));
  EXPECT_THAT(external_error({{"location", "sub/w.bin"}}), HasSubstr("symbolic link"));
  EXPECT_THAT(external_error({{"location", "hard.bin"}}), HasSubstr("hard link"));
  ImportOptions options = tiny_options();
  options.allow_links = true;
  for (const char* name : {"link.bin", "sub/w.bin", "hard.bin"})
    EXPECT_EQ(external_error({{"location", name}}, {2}, options), "") << name;
}

TEST_F(Files, ExternalDataMustBeARegularFile) {
  ASSERT_EQ(mkfifo(path("pipe").c_str(), 0600), 0);
  fs::create_directory(root_ / "model" / "folder");
  EXPECT_THAT(external_error({{"location", "pipe"}}), HasSubstr("no regular file"));
  EXPECT_THAT(external_error({{"location", "folder"}}), HasSubstr("no regular file"));
  EXPECT_THAT(external_error({{"location", "pipe/x"}}), HasSubstr("cannot open"));
}

TEST_F(Files, ExternalDataRanges) {
  write("w.bin", floats({1, 2}));
  const auto with = [&](const std::string& key, const std::string& value) {
    return external_error({{"location", "w.bin"}, {key, value}});
  };
  EXPECT_THAT(with("offset", "-4"), HasSubstr("no number of bytes"));
  EXPECT_THAT(with("offset", "9223372036854775808"), HasSubstr("no number of bytes"));
  EXPECT_THAT(with("offset", "9223372036854775807"), HasSubstr("beyond the end"));
  EXPECT_THAT(with("offset", "1"), HasSubstr("beyond the end"));
  EXPECT_THAT(with("offset", "0x0"), HasSubstr("no number of bytes"));
  EXPECT_THAT(with("offset", ""), HasSubstr("no number of bytes"));
  EXPECT_THAT(with("length", "-8"), HasSubstr("no number of bytes"));
  EXPECT_THAT(with("length", "4"), HasSubstr("length 4"));
  EXPECT_THAT(with("length", "16"), HasSubstr("length 16"));
  EXPECT_THAT(with("magic", "1"), HasSubstr("unknown key 'magic'"));
  EXPECT_THAT(with("location", "w.bin"), HasSubstr("twice"));
  EXPECT_THAT(external_error({{"offset", "0"}}), HasSubstr("no location"));
  EXPECT_THAT(external_error({{"location", "w.bin"}}, {1ll << 60}), HasSubstr("beyond the end"));
}

TEST_F(Files, ExternalDataInMemoryModels) {
  const std::string bytes = model(graph({.nodes = {node("Add", {"x", "w"}, {"y"})},
                                         .inputs = {value_info("x")},
                                         .outputs = {value_info("y")},
                                         .initializers = {external_tensor({{"location", "w.bin"}})}}));
  EXPECT_THAT(error_of(bytes), HasSubstr("comes from memory"));
  write("w.bin", floats({1, 2}));
  ImportOptions options = tiny_options();
  options.external_root = (root_ / "model").string();
  EXPECT_EQ(error_of(bytes, options), "");
}

// Where the file is a link to somewhere else half of the time, what is loaded is the folder's own or nothing.
TEST_F(Files, ExternalDataSwappedWhileItLoads) {
  std::ofstream(root_ / "outside.bin") << floats({7, 7});
  write("w.bin", floats({1, 2}));
  external_model({{"location", "w.bin"}});
  std::atomic<bool> stop = false;
  std::thread swapping([&] {
    while (!stop) {
      fs::create_symlink("../outside.bin", root_ / "model" / "next");
      fs::rename(root_ / "model" / "next", path("w.bin"));
      write("next", floats({1, 2}));
      fs::rename(root_ / "model" / "next", path("w.bin"));
    }
  });
  int loaded = 0, refused = 0;
  for (int round = 0; round < 2000 && (round < 200 || loaded == 0 || refused == 0); ++round) {
    ImportOptions options = tiny_options();
    options.load = round % 2 == 0 ? LoadMode::kMap : LoadMode::kCopy;
    try {
      const ir::Model m = import_file(path("m.onnx"), options);
      EXPECT_THAT(m.graph->value(m.graph->find_value("w")).fact.constant.span<float>(), ElementsAre(1, 2));
      ++loaded;
    } catch (const Error& e) {
      EXPECT_THAT(e.what(), HasSubstr("symbolic link"));
      ++refused;
    }
  }
  stop = true;
  swapping.join();
  EXPECT_GT(loaded, 0);
  EXPECT_GT(refused, 0);
}

TEST_F(Files, FilesMayShrinkOnceTheyAreCopied) {
  write("w.bin", floats({1, 2}));
  external_model({{"location", "w.bin"}});
  ImportOptions options = tiny_options();
  options.load = LoadMode::kCopy;
  const ir::Model m = import_file(path("m.onnx"), options);
  fs::resize_file(path("w.bin"), 0);
  fs::resize_file(path("m.onnx"), 0);
  EXPECT_THAT(m.graph->value(m.graph->find_value("w")).fact.constant.span<float>(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace onnxrun::import::test
