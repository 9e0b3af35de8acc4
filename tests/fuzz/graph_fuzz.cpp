// Loads, optimises, saves and runs models that stay mostly valid: a result or a clear error, and what is saved loads again. The model's own
// version chooses the level and the inputs.
#include "fuzz/graph_mutator.h"
#include "fuzz/model_runs.h"

namespace {

using namespace onnxrun::fuzz;

void save_and_load(const onnxrun_model* model, const onnxrun_options* options) {
  const auto saved = made<onnxrun_blob>([&](auto** out) { return api().model_save_bytes(model, options, out); });
  if (saved == nullptr) return;
  std::string message;
  onnxrun_code code = ONNXRUN_OK;
  const auto again = made<onnxrun_model>(
      [&](auto** out) {
        return api().model_load_bytes(api().blob_data(saved.get()), api().blob_size(saved.get()), options, out);
      },
      &code, &message);
  if (again != nullptr || code == ONNXRUN_LIMIT_EXCEEDED || code == ONNXRUN_DEADLINE) return;
  std::fprintf(stderr, "what was saved does not load: %s\n", message.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  onnxrun::proto::ModelProto header;
  if (!get(data, size, header)) return 0;
  Random random(static_cast<uint64_t>(header.model_version()));
  const auto options = settings({{"level", std::to_string(random.below(4))},
                                 {"kernels", random.chance(20) ? "reference" : "fastest"},
                                 {"strict", random.chance(10) ? "1" : "0"}});
  const auto model = load({data, size}, options.get());
  if (model == nullptr) return 0;
  if (random.chance(30)) save_and_load(model.get(), options.get());
  std::vector<Feed> feeds;
  if (make_feeds(model.get(), random, true, feeds)) run(model.get(), options.get(), feeds);
  return 0;
}
