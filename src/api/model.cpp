// Model functions of the C interface: loading, declared inputs and outputs, metadata.
#include <cstring>

#include "api/assemble.h"
#include "api/functions.h"
#include "api/status.h"

namespace onnxrun::api {

onnxrun_model* make_handle(ir::Model model) {
  auto result = std::make_unique<onnxrun_model>();
  result->inputs = input_ports(model);
  result->outputs = output_ports(model);
  result->model = std::make_shared<const ir::Model>(std::move(model));
  return result.release();
}

onnxrun_status* model_load(const char* path, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    *out = make_handle(import::import_file(path, import_options(or_defaults(options))));
  });
}

onnxrun_status* model_load_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    *out = make_handle(import::import_bytes(bytes, nullptr, import_options(or_defaults(options)), "model in memory"));
  });
}

void model_free(onnxrun_model* model) { delete model; }

onnxrun_status* model_input_count(const onnxrun_model* model, size_t* out) {
  return guard([&] { need(out, "out") = need(model, "model").inputs.size(); });
}

onnxrun_status* model_output_count(const onnxrun_model* model, size_t* out) {
  return guard([&] { need(out, "out") = need(model, "model").outputs.size(); });
}

onnxrun_status* model_input(const onnxrun_model* model, size_t index, const onnxrun_port** out) {
  return guard([&] { need(out, "out") = &need(model, "model").inputs.at(index, "input"); });
}

onnxrun_status* model_output(const onnxrun_model* model, size_t index, const onnxrun_port** out) {
  return guard([&] { need(out, "out") = &need(model, "model").outputs.at(index, "output"); });
}

onnxrun_status* model_metadata(const onnxrun_model* model, const char* key, const char** out) {
  return guard([&] {
    need(model, "model");
    need(key, "key");
    const auto& metadata = model->model->metadata;
    const auto found = metadata.find(key);
    need(out, "out") = found == metadata.end() ? nullptr : found->second.c_str();
  });
}

}  // namespace onnxrun::api
