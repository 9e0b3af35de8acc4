// Saving functions of the C interface: optimising a model, and writing one.
#include "api/assemble.h"
#include "api/functions.h"
#include "api/status.h"

namespace onnxrun::api {
onnxrun_status* model_optimize(const onnxrun_model* model, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    need(model, "model");
    *out = make_handle(optimized(*model->model, options_for(*model, options)), model->ops);
  });
}

onnxrun_status* model_save(const onnxrun_model* model, const char* path, const onnxrun_options* options) {
  return guard([&] {
    need(model, "model");
    need(path, "path");
    import::export_file(*model->model, path, export_options(options_for(*model, options)));
  });
}

onnxrun_status* model_save_bytes(const onnxrun_model* model, const onnxrun_options* options, onnxrun_blob** out) {
  return guard([&] {
    need(out, "out");
    need(model, "model");
    *out = new onnxrun_blob{import::export_bytes(*model->model, export_options(options_for(*model, options)))};
  });
}

}  // namespace onnxrun::api
