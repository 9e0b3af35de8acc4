// The C interface: optimising models and saving them.
#include <fstream>
#include <sstream>

#include "c_calls.h"

namespace {

using namespace c_calls;

class Saving : public ::testing::Test {
 protected:
  void set(const char* key, const char* value) { ASSERT_OK(api().options_set(options_.get(), key, value)); }
  std::string saved(const onnxrun_model* model) {
    const auto blob =
        made<onnxrun_blob>([&](auto** out) { return api().model_save_bytes(model, options_.get(), out); });
    return {api().blob_data(blob.get()), api().blob_size(blob.get())};
  }
  std::string report(const std::string& bytes) {
    const auto model = made<onnxrun_model>(
        [&](auto** out) { return api().model_load_bytes(bytes.data(), bytes.size(), nullptr, out); });
    const auto blob = made<onnxrun_blob>(
        [&](auto** out) { return api().model_inspect(model.get(), nullptr, ONNXRUN_INSPECT_TEXT, out); });
    return api().blob_data(blob.get());
  }

  Handle<onnxrun_options> options_ = made<onnxrun_options>([](auto** out) { return api().options_create(out); });
  Handle<onnxrun_model> model_ = load_sums();
};

TEST_F(Saving, WritesBytesThatLoadAgain) {
  const std::string bytes = saved(model_.get());
  EXPECT_EQ(saved(model_.get()), bytes);
  const std::string text = report(bytes);
  EXPECT_NE(text.find("\"ai.onnx\":17"), std::string::npos) << text;
  EXPECT_NE(text.find("\"key\":\"text\""), std::string::npos) << "metadata is kept";
  EXPECT_NE(text.find("z: float32[n,3] = Add(t, x)"), std::string::npos) << text;
  set("opset", "7");
  EXPECT_NE(report(saved(model_.get())).find("\"ai.onnx\":7"), std::string::npos);
}

TEST_F(Saving, FilesAreTheSame) {
  const std::string path = ::testing::TempDir() + "/onnxrun_save_test.onnx";
  ASSERT_OK(api().model_save(model_.get(), path.c_str(), options_.get()));
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  EXPECT_EQ(content.str(), saved(model_.get()));
  std::remove(path.c_str());
}

TEST_F(Saving, OptimizesACopy) {
  // y = Identity(x + y): one node is left.
  using namespace model_bytes;
  const std::string bytes_of =
      model(bytes(1, node("Add", {"x", "x"}, {"t"}, "add")) + bytes(1, node("Identity", {"t"}, {"z"}, "same")) +
            bytes(2, "g") + bytes(11, value_info("x", 1, {"n", "3"})) + bytes(12, value_info("z", 1, {"n", "3"})));
  const auto before = made<onnxrun_model>(
      [&](auto** out) { return api().model_load_bytes(bytes_of.data(), bytes_of.size(), nullptr, out); });
  const auto after =
      made<onnxrun_model>([&](auto** out) { return api().model_optimize(before.get(), options_.get(), out); });
  EXPECT_NE(report(saved(before.get())).find("\"nodes\":2"), std::string::npos);
  EXPECT_NE(report(saved(after.get())).find("\"nodes\":1"), std::string::npos);
}

TEST_F(Saving, ASessionWritesTheOptimizedModel) {
  using namespace model_bytes;
  const std::string bytes_of =
      model(bytes(1, node("Add", {"x", "x"}, {"t"}, "add")) + bytes(1, node("Identity", {"t"}, {"z"}, "same")) +
            bytes(2, "g") + bytes(11, value_info("x", 1, {"n", "3"})) + bytes(12, value_info("z", 1, {"n", "3"})));
  const auto before = made<onnxrun_model>(
      [&](auto** out) { return api().model_load_bytes(bytes_of.data(), bytes_of.size(), nullptr, out); });
  const std::string path = ::testing::TempDir() + "optimized.onnx";
  set("optimized_model", path.c_str());
  const auto session =
      made<onnxrun_session>([&](auto** out) { return api().session_create(before.get(), options_.get(), out); });
  const auto after = made<onnxrun_model>([&](auto** out) { return api().model_load(path.c_str(), nullptr, out); });
  EXPECT_NE(report(saved(after.get())).find("\"nodes\":1"), std::string::npos);
  std::remove(path.c_str());
  set("optimized_model", "/nowhere/model.onnx");
  onnxrun_session* none = nullptr;
  EXPECT_EQ(Outcome(api().session_create(before.get(), options_.get(), &none)).code, ONNXRUN_IO);
  EXPECT_EQ(none, nullptr);
}

TEST_F(Saving, Refusals) {
  onnxrun_blob* blob = nullptr;
  onnxrun_model* model = nullptr;
  EXPECT_REFUSED(api().model_save(nullptr, "x", nullptr), "model");
  EXPECT_REFUSED(api().model_save(model_.get(), nullptr, nullptr), "path");
  EXPECT_REFUSED(api().model_save_bytes(model_.get(), nullptr, nullptr), "out");
  EXPECT_REFUSED(api().model_optimize(nullptr, nullptr, &model), "model");
  EXPECT_EQ(Outcome(api().model_save(model_.get(), "/nowhere/model.onnx", nullptr)).code, ONNXRUN_IO);
  set("external_data", "weights");
  EXPECT_REFUSED(api().model_save_bytes(model_.get(), options_.get(), &blob), "external data");
  set("external_data", "");
  set("opset", "99");
  EXPECT_REFUSED(api().model_save_bytes(model_.get(), options_.get(), &blob), "99");
  EXPECT_REFUSED(api().options_set(options_.get(), "opset", "-1"), "opset");
  set("passes", "eliminate-dead,block-channels");
  EXPECT_REFUSED(api().model_optimize(model_.get(), options_.get(), &model), "'block-channels'");
  EXPECT_EQ(blob, nullptr);
}

}  // namespace
