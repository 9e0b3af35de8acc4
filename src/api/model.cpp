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

namespace {

// Loads and finds the shapes that follow from constants of the file.
template <class Import>
onnxrun_model* load(const onnxrun_options& options, const Import& import) {
  const import::ImportOptions settings = import_options(options);
  ir::Model model = import(settings);
  resolve_shapes(model, settings);
  return make_handle(std::move(model));
}

}  // namespace

onnxrun_status* model_load(const char* path, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    *out = load(or_defaults(options), [&](const auto& settings) { return import::import_file(path, settings); });
  });
}

onnxrun_status* model_load_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    *out = load(or_defaults(options), [&](const auto& settings) {
      return import::import_bytes(bytes, nullptr, settings, "model in memory");
    });
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
