// The C interface: models and reports.

#include "c_calls.h"

namespace {

using namespace c_calls;

TEST(Model, TellsItsInterface) {
  const auto model = load_sums();
  size_t count = 0;
  ASSERT_OK(api().model_input_count(model.get(), &count));
  EXPECT_EQ(count, 2u);
  ASSERT_OK(api().model_output_count(model.get(), &count));
  EXPECT_EQ(count, 1u);
  const onnxrun_port* port = nullptr;
  ASSERT_OK(api().model_input(model.get(), 1, &port));
  EXPECT_STREQ(port->name, "y");
  EXPECT_STREQ(port->type, "float32[n,3]");
  EXPECT_EQ(port->kind, ONNXRUN_KIND_TENSOR);
  EXPECT_EQ(port->dtype, ONNXRUN_DTYPE_FLOAT32);
  ASSERT_EQ(port->rank, 2);
  EXPECT_EQ(port->dims[0], -1);
  EXPECT_STREQ(port->symbols[0], "n");
  EXPECT_EQ(port->dims[1], 3);
  EXPECT_EQ(port->symbols[1], nullptr);
  EXPECT_EQ(port->has_default, 0);
  ASSERT_OK(api().model_output(model.get(), 0, &port));
  EXPECT_STREQ(port->name, "z");
  EXPECT_REFUSED(api().model_input(model.get(), 2, &port), "input 2");
  EXPECT_REFUSED(api().model_output(model.get(), 1, &port), "output 1");
  const char* found = nullptr;
  ASSERT_OK(api().model_metadata(model.get(), "key", &found));
  EXPECT_STREQ(found, "text");
  ASSERT_OK(api().model_metadata(model.get(), "other", &found));
  EXPECT_EQ(found, nullptr);
}

TEST(Model, RefusesNull) {
  const auto model = load_sums();
  size_t count = 0;
  const onnxrun_port* port = nullptr;
  const char* found = nullptr;
  onnxrun_model* out = nullptr;
  onnxrun_blob* blob = nullptr;
  EXPECT_REFUSED(api().model_load(nullptr, nullptr, &out), "path");
  EXPECT_REFUSED(api().model_load("x", nullptr, nullptr), "out");
  EXPECT_REFUSED(api().model_load_bytes(nullptr, 5, nullptr, &out), "data");
  EXPECT_REFUSED(api().model_load_bytes("x", 1, nullptr, nullptr), "out");
  EXPECT_REFUSED(api().model_input_count(nullptr, &count), "model");
  EXPECT_REFUSED(api().model_output_count(nullptr, &count), "model");
  EXPECT_REFUSED(api().model_input(nullptr, 0, &port), "model");
  EXPECT_REFUSED(api().model_output(nullptr, 0, &port), "model");
  EXPECT_REFUSED(api().model_metadata(nullptr, "key", &found), "model");
  EXPECT_REFUSED(api().model_metadata(model.get(), nullptr, &found), "key");
  EXPECT_REFUSED(api().model_inspect(nullptr, nullptr, 0, &blob), "model");
  EXPECT_REFUSED(api().model_inspect(model.get(), nullptr, 0, nullptr), "out");
  EXPECT_REFUSED(api().model_inspect(model.get(), nullptr, 1u << 20, &blob), "parts");
  EXPECT_REFUSED(api().model_check(nullptr, nullptr, &blob), "path");
  EXPECT_EQ(Outcome(api().model_load("/nowhere/model.onnx", nullptr, &out)).code, ONNXRUN_IO);
  EXPECT_EQ(Outcome(api().model_load_bytes("garbage", 7, nullptr, &out)).code, ONNXRUN_INVALID_MODEL);
  EXPECT_EQ(Outcome(api().model_load_bytes(nullptr, 0, nullptr, &out)).code, ONNXRUN_INVALID_MODEL);
  EXPECT_EQ(out, nullptr);
}

TEST(Model, ReportsEveryPart) {
  const auto model = load_sums();
  const uint32_t all = ONNXRUN_INSPECT_OPS | ONNXRUN_INSPECT_SHAPES | ONNXRUN_INSPECT_WEIGHTS |
                       ONNXRUN_INSPECT_EXPLAIN | ONNXRUN_INSPECT_DIGESTS;
  const auto report =
      made<onnxrun_blob>([&](auto** out) { return api().model_inspect(model.get(), nullptr, all, out); });
  const std::string json = text(report.get());
  for (const char* part : {"\"ops\"", "\"values\"", "\"weights\"", "\"steps\"", "\"digest\"", "\"known\"",
                           "\"producer\":\"tests\"", "\"opsets\":{\"ai.onnx\":17}"})
    EXPECT_NE(json.find(part), std::string::npos) << part << " in " << json;
}

}  // namespace
