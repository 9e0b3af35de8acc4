// Model functions of the C interface: loading, declared inputs and outputs, metadata.
#include <chrono>
#include <iterator>

#include "api/assemble.h"
#include "api/functions.h"
#include "api/status.h"

namespace onnxrun::api {

onnxrun_model* make_handle(ir::Model model, CustomOpsPtr ops) {
  auto result = std::make_unique<onnxrun_model>();
  result->ops = std::move(ops);
  result->inputs = input_ports(model);
  result->outputs = output_ports(model);
  result->model = std::make_shared<const ir::Model>(std::move(model));
  return result.release();
}

namespace {

void log_loaded(const onnxrun_options& options, const ir::Model& model, const std::string& name, double seconds) {
  for (const std::string& warning : model.warnings) write_log(options.log, ONNXRUN_LOG_WARNING, name + ": " + warning);
  if (listens(options.log, ONNXRUN_LOG_INFO))
    write_log(options.log, ONNXRUN_LOG_INFO,
              fmt::format("loaded {}: {} nodes, in {:.3f} ms", name, model.graph->node_count(), seconds * 1e3));
}

// Loads and finds the shapes that follow from constants of the file.
template <class Import>
onnxrun_model* load(const onnxrun_options& options, const std::string& name, const Import& import) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  try {
    const import::ImportOptions settings = import_options(options);
    ir::Model model = import(settings);
    resolve_shapes(model, options, settings);
    log_loaded(options, model, name, std::chrono::duration<double>(Clock::now() - begin).count());
    return make_handle(std::move(model), options.ops);
  } catch (const base::Error& error) {
    write_log(options.log, ONNXRUN_LOG_ERROR, fmt::format("{} was refused: {}", name, error.what()));
    throw;
  }
}

constexpr const char* kMemory = "model in memory";

// All that `read` gives.
std::vector<std::byte> read_all(onnxrun_read read, void* context, int64_t most) {
  constexpr size_t kFirst = size_t{1} << 20;
  std::vector<std::byte> bytes(kFirst);
  size_t size = 0;
  for (;;) {
    if (size == bytes.size()) bytes.resize(bytes.size() * 2);
    const size_t room = bytes.size() - size;
    const int64_t got = read(context, bytes.data() + size, room);
    if (got == 0) break;
    if (got < 0) fail(Code::kIo, "reading the model gave up after {} bytes", size);
    if (static_cast<uint64_t>(got) > room)
      fail(Code::kInvalidArgument, "the read function says that it wrote {} bytes where there was room for {}", got,
           room);
    size += static_cast<size_t>(got);
    if (size > static_cast<uint64_t>(most))
      fail(Code::kLimitExceeded, "the model has more than {} bytes (option max_file)", most);
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace

onnxrun_status* model_load(const char* path, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(path, "path");
    need(out, "out");
    *out = load(or_defaults(options), fmt::format("'{}'", path),
                [&](const auto& settings) { return import::import_file(path, settings); });
  });
}

onnxrun_status* model_load_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    if (size != 0) need(static_cast<const char*>(data), "data");
    const std::span<const std::byte> bytes(static_cast<const std::byte*>(data), size);
    *out = load(or_defaults(options), kMemory,
                [&](const auto& settings) { return import::import_bytes(bytes, nullptr, settings, kMemory); });
  });
}

onnxrun_status* model_load_stream(onnxrun_read read, void* context, const onnxrun_options* options,
                                  onnxrun_model** out) {
  return guard([&] {
    need(out, "out");
    if (read == nullptr) fail(Code::kInvalidArgument, "argument 'read' is null");
    const onnxrun_options& settings = or_defaults(options);
    *out = load(settings, "model from a stream", [&](const auto& import_settings) {
      const auto bytes =
          std::make_shared<const std::vector<std::byte>>(read_all(read, context, settings.limits().max_file_bytes));
      return import::import_bytes(*bytes, bytes, import_settings, "model from a stream");
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

onnxrun_status* model_metadata_count(const onnxrun_model* model, size_t* out) {
  return guard([&] { need(out, "out") = need(model, "model").model->metadata.size(); });
}

onnxrun_status* model_metadata_entry(const onnxrun_model* model, size_t index, const char** key, const char** value) {
  return guard([&] {
    const auto& metadata = need(model, "model").model->metadata;
    need(key, "key");
    need(value, "value");
    if (index >= metadata.size())
      fail(Code::kInvalidArgument, "metadata entry {} does not exist, the model has {}", index, metadata.size());
    const auto entry = std::next(metadata.begin(), static_cast<ptrdiff_t>(index));
    *key = entry->first.c_str();
    *value = entry->second.c_str();
  });
}

}  // namespace onnxrun::api
