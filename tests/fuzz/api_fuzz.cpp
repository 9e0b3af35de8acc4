// Calls of the C interface in any order, with the handles that earlier ones made: bytes decide which function comes next and what it gets. Every
// call comes back with a status, and whatever is left is freed in any order.
#include <onnxrun/custom_op.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <vector>

#include "api/model_bytes.h"
#include "fuzz/api_arguments.h"

namespace {

using namespace onnxrun::fuzz;

constexpr const char* kText = R"(onnxrun text 1
ir_version 8
opset ai.onnx 17
graph sums(x: float32[n,3], y: float32[n,3]) -> (z) {
  w: float32[3] = {1, 2, 3}
  t = Add(x, y)  # node 'first'
  u = Mul(t, w)  # node 'scale'
  z = Add(u, x)  # node 'second'
}
)";

void set_option(World& w) {
  static constexpr const char* kOptions[][2] = {{"level", "0"},
                                                {"level", "3"},
                                                {"level", "7"},
                                                {"strict", "1"},
                                                {"threads", "1"},
                                                {"threads", "2"},
                                                {"streams", "2"},
                                                {"kernels", "reference"},
                                                {"statistics", "tensors"},
                                                {"statistics", "runs"},
                                                {"statistics_values", "t,u"},
                                                {"dim.n", "2"},
                                                {"max_memory", "1M"},
                                                {"max_memory", "1K"},
                                                {"max_nodes", "2"},
                                                {"timeout", "1"},
                                                {"timeout", "-1"},
                                                {"opset", "12"},
                                                {"portable", "1"},
                                                {"denormals", "keep"},
                                                {"providers", "cpu,late"},
                                                {"passes", "fold-constants"},
                                                {"print_after", "all"},
                                                {"max_patches", "1"},
                                                {"float32_matmul_precision", "medium"},
                                                {"load", "copy"},
                                                {"max_plans", "1K"},
                                                {"nothing", "1"}};
  const auto& [key, value] = w.random.pick(kOptions);
  settle(api().options_set(w.some<onnxrun_options>(), key, value));
}

void load(World& w) {
  static const std::string kModel = model_bytes::sums();
  onnxrun_model* model = nullptr;
  const size_t size = w.random.chance(90) ? kModel.size() : w.random.below(kModel.size());
  settle(api().model_load_bytes(kModel.data(), size, w.some<onnxrun_options>(), &model));
  w.adopt(model);
}

void load_text(World& w) {
  onnxrun_model* model = nullptr;
  settle(api().model_from_text(kText, std::strlen(kText), w.some<onnxrun_options>(), &model));
  w.adopt(model);
}

struct Stream {
  std::string bytes = model_bytes::sums();
  size_t at = 0;
  size_t step = 16;
  static int64_t read(void* context, void* to, size_t capacity) {
    auto& self = *static_cast<Stream*>(context);
    const size_t count = std::min({capacity, self.step, self.bytes.size() - self.at});
    std::memcpy(to, self.bytes.data() + self.at, count);
    self.at += count;
    return self.step == 3 ? -1 : static_cast<int64_t>(count);
  }
};

void load_stream(World& w) {
  Stream stream;
  stream.step = 3 + w.random.below(60);
  onnxrun_model* model = nullptr;
  settle(
      api().model_load_stream(w.random.chance(5) ? nullptr : Stream::read, &stream, w.some<onnxrun_options>(), &model));
  w.adopt(model);
}

// What the model in hand takes, mostly.
void fit_input(World& w) {
  const std::array<int64_t, 2> dims = {w.random.between(0, 3), w.random.chance(90) ? 3 : 2};
  onnxrun_value* value = nullptr;
  settle(api().value_create_tensor(w.random.chance(90) ? ONNXRUN_DTYPE_FLOAT32 : ONNXRUN_DTYPE_INT64, dims.data(), 2,
                                   &value));
  w.adopt(value);
  settle(api().run_set_input(w.some<onnxrun_run>(), w.random.chance(50) ? "x" : "y", value));
}

void wrap(World& w) {
  alignas(64) static std::array<char, 4096> memory;
  static const auto release = [](void*) {};
  const std::array<int64_t, 2> dims = {w.random.between(0, 5), w.random.between(0, 5)};
  onnxrun_value* value = nullptr;
  settle(api().value_wrap_tensor(static_cast<int32_t>(w.random.between(0, 29)), dims.data(), w.random.below(3),
                                 memory.data() + (w.random.chance(80) ? 0 : w.random.below(9)), w.random.below(900),
                                 w.random.below(2) != 0, w.random.chance(50) ? +release : nullptr, nullptr, &value));
  w.adopt(value);
}

void to_doubles(World& w) {
  const onnxrun_value* value = w.some<onnxrun_value>();
  std::vector<double> out(w.random.below(64));
  int64_t count = 0;
  const bool tensor = settle(api().value_tensor_info(value, nullptr, nullptr, nullptr, &count)) == ONNXRUN_OK;
  if (tensor && count < 100000 && w.random.chance(80)) out.resize(static_cast<size_t>(count));
  settle(api().value_to_doubles(value, out.data(), out.size()));
}

void write(World& w) {
  void* data = nullptr;
  size_t bytes = 0;
  if (settle(api().value_mutable_data(w.some<onnxrun_value>(), &data, &bytes)) == ONNXRUN_OK && bytes > 0)
    std::memset(data, static_cast<int>(w.random.below(2)), bytes);
}

// Every tensor that comes as DLPack goes back as one, or is let go.
struct DlManaged {  // DLManagedTensor: a DLTensor of 48 bytes, the maker's own, and what frees it
  std::array<char, 48> tensor;
  void* context;
  void (*deleter)(DlManaged*);
};
// By the library's type for the struct, which the sanitizer takes for another.
__attribute__((no_sanitize("undefined"))) void give_back(DlManaged* managed) { managed->deleter(managed); }

void dlpack(World& w) {
  void* out = nullptr;
  if (settle(api().value_to_dlpack(w.some<onnxrun_value>(), static_cast<uint32_t>(w.random.chance(80) ? 0 : 2),
                                   &out)) != ONNXRUN_OK)
    return;
  onnxrun_value* value = nullptr;
  if (w.random.chance(50) && settle(api().value_from_dlpack(out, 0, &value)) == ONNXRUN_OK) return w.adopt(value);
  give_back(static_cast<DlManaged*>(out));
}

void set_log(World& w) {
  static const auto log = [](void*, int32_t, const char*) {};
  settle(api().options_set_log(w.some<onnxrun_options>(), static_cast<int32_t>(w.random.between(0, 5)),
                               w.random.chance(80) ? +log : nullptr, nullptr, nullptr));
}

void set_allocator(World& w) {
  static const auto allocate = [](void*, size_t bytes, size_t alignment) -> void* {
    return bytes > (size_t{64} << 20) ? nullptr
                                      : std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  };
  static const auto deallocate = [](void*, void* block, size_t) { std::free(block); };
  settle(api().options_set_allocator(w.some<onnxrun_options>(), w.random.chance(90) ? +allocate : nullptr,
                                     w.random.chance(90) ? +deallocate : nullptr, nullptr, nullptr));
}

void set_tap(World& w) {
  static const auto tap = [](void*, const char*, const onnxrun_value*) {};
  settle(api().run_set_tap(w.some<onnxrun_run>(), w.text(), w.random.chance(80) ? +tap : nullptr, nullptr));
}

void set_poll(World& w) {
  static const auto never = [](void*) { return int32_t{0}; };
  static const auto at_once = [](void*) { return int32_t{1}; };
  settle(api().run_set_poll(w.some<onnxrun_run>(),
                            w.random.chance(20)   ? nullptr
                            : w.random.chance(80) ? +never
                                                  : +at_once,
                            nullptr));
}

void execute_async(World& w) {
  static const auto done = [](void*, onnxrun_status* status) { settle(status); };
  onnxrun_run* run = w.some<onnxrun_run>();
  settle(api().run_execute_async(run, w.random.chance(90) ? +done : nullptr, nullptr));
  if (w.random.chance(50)) settle(api().run_wait(run));
}

void add_ops(World& w) {
  static const auto infer = [](void*, onnxrun_infer_call* call, onnxrun_sink* error) {
    const int64_t dims[] = {2};
    return call->set_output(call, 0, ONNXRUN_DTYPE_FLOAT32, dims, 1, error);
  };
  onnxrun_op op = {};
  op.domain = w.random.chance(70) ? "mine" : w.text();
  op.name = w.random.chance(70) ? "Own" : w.text();
  op.since_version = static_cast<int32_t>(w.random.between(-1, 3));
  op.inputs = w.random.chance(70) ? "X:T, b?:T" : w.text();
  op.outputs = w.random.chance(70) ? "Y:T" : w.text();
  op.types = w.random.chance(70) ? "T: floats" : w.text();
  op.attributes = w.random.chance(70) ? "alpha:float" : w.text();
  op.infer = w.random.chance(90) ? +infer : nullptr;
  onnxrun_op_library library = {};
  library.abi_version = w.random.chance(95) ? ONNXRUN_OP_ABI_VERSION : 7;
  library.abi_revision = w.random.chance(95) ? ONNXRUN_PROVIDER_ABI_REVISION : 9;
  library.name = w.text();
  library.ops = &op;
  library.op_count = w.random.below(2);
  settle(api().options_add_ops(w.some<onnxrun_options>(), w.random.chance(95) ? &library : nullptr));
}

void quantize(World& w) {
  static const auto sample = [](void*, size_t index, onnxrun_run* run) -> int32_t {
    if (index > 1) return 0;
    const int64_t dims[] = {2, 3};
    onnxrun_value* value = nullptr;
    settle(api().value_create_tensor(ONNXRUN_DTYPE_FLOAT32, dims, 2, &value));
    settle(api().run_set_input(run, "x", value));
    settle(api().run_set_input(run, "y", value));
    api().value_free(value);
    return 1;
  };
  onnxrun_model* model = nullptr;
  onnxrun_blob* report = nullptr;
  settle(api().model_quantize(w.some<onnxrun_model>(), w.some<onnxrun_options>(), w.texts.data(), w.random.below(3),
                              w.random.chance(50) ? +sample : nullptr, nullptr, &model,
                              w.random.chance(80) ? &report : nullptr));
  w.adopt(model);
  w.adopt(report);
}

// Never fail, and take null.
void read_blob(World& w) {
  const onnxrun_blob* blob = w.some<onnxrun_blob>();
  const size_t size = api().blob_size(blob);
  if (const char* data = api().blob_data(blob); data != nullptr && data[size] != '\0') std::abort();
}

void free_any(World& w) {
  switch (w.random.below(8)) {
    case 0: w.free_one<onnxrun_options>(); break;
    case 1: w.free_one<onnxrun_model>(); break;
    case 2: w.free_one<onnxrun_session>(); break;
    case 3: w.free_one<onnxrun_run>(); break;
    case 4: w.free_one<onnxrun_value>(); break;
    case 5: w.free_one<onnxrun_editor>(); break;
    case 6: api().value_free(nullptr); break;
    default: w.free_one<onnxrun_blob>();
  }
}

using Step = std::function<void(World&)>;

template <class Function>
Step plain(Function function) {
  return [function](World& w) { call(w, function); };
}

// What leads somewhere comes several times. Files are written nowhere: of model_save only what fails is called.
const std::vector<Step>& steps() {
  static const std::vector<Step> all = [] {
    const onnxrun_api& a = api();
    std::vector<Step> made = {
        plain(a.options_create),
        set_option,
        set_option,
        load,
        load,
        load_text,
        load_text,
        load_stream,
        fit_input,
        fit_input,
        fit_input,
        plain(a.session_create),
        plain(a.session_create),
        plain(a.run_create),
        plain(a.run_create),
        plain(a.run_execute),
        plain(a.run_execute),
        plain(a.run_execute),
        execute_async,
        plain(a.run_wait),
        wrap,
        to_doubles,
        write,
        dlpack,
        set_log,
        set_allocator,
        set_tap,
        set_poll,
        add_ops,
        quantize,
        read_blob,
        free_any,
        free_any,
        plain(a.model_input_count),
        plain(a.model_output_count),
        plain(a.model_input),
        plain(a.model_output),
        plain(a.model_metadata),
        plain(a.model_inspect),
        plain(a.model_check),
        plain(a.value_create_tensor),
        plain(a.value_create_strings),
        plain(a.value_create_sequence),
        plain(a.value_create_map),
        plain(a.value_create_absent),
        plain(a.value_share),
        plain(a.value_kind),
        plain(a.value_describe),
        plain(a.value_tensor_info),
        plain(a.value_data),
        plain(a.value_string),
        plain(a.value_from_doubles),
        plain(a.value_sequence_length),
        plain(a.value_sequence_element),
        plain(a.value_map_keys),
        plain(a.value_map_values),
        plain(a.value_from_proto),
        plain(a.value_to_proto),
        plain(a.session_input_count),
        plain(a.session_output_count),
        plain(a.session_input),
        plain(a.session_output),
        plain(a.session_trim),
        plain(a.session_memory),
        plain(a.run_set_input),
        plain(a.run_set_output),
        plain(a.run_set_profile),
        plain(a.run_cancel),
        plain(a.run_output_count),
        plain(a.run_output_name),
        plain(a.run_output),
        plain(a.run_output_by_name),
        plain(a.run_profile),
        plain(a.run_set_timeout),
        plain(a.providers_report),
        plain(a.model_optimize),
        plain(a.model_save_bytes),
        plain(a.model_to_text),
        plain(a.editor_create),
        plain(a.editor_create),
        plain(a.editor_finish),
        plain(a.editor_select),
        plain(a.editor_node),
        plain(a.editor_extract),
        plain(a.editor_rename_value),
        plain(a.editor_rename_node),
        plain(a.editor_remove_node),
        plain(a.editor_bypass_node),
        plain(a.editor_insert),
        plain(a.editor_set_node_input),
        plain(a.editor_replace_uses),
        plain(a.editor_add_input),
        plain(a.editor_add_output),
        plain(a.editor_remove_output),
        plain(a.editor_set_input),
        plain(a.editor_constant),
        plain(a.editor_set_constant),
        plain(a.editor_set_metadata),
        plain(a.editor_strip_weights),
        plain(a.editor_merge),
        plain(a.run_take_output),
        plain(a.model_check_bytes),
        plain(a.model_load_bytes),
        plain(a.session_stats),
        plain(a.session_prometheus),
        plain(a.model_metadata_count),
        plain(a.model_metadata_entry),
        [](World& w) { settle(api().model_load("/nonexistent/model.onnx", w.some<onnxrun_options>(), nullptr)); },
        [](World& w) {
          settle(api().model_save(w.some<onnxrun_model>(), "/nonexistent/model.onnx", w.some<onnxrun_options>()));
        },
        [](World& w) {
          settle(api().options_add_provider_library(w.some<onnxrun_options>(), "/nonexistent.so", w.texts.data(),
                                                    w.random.below(3)));
        },
        [](World& w) {
          settle(api().options_add_op_library(w.some<onnxrun_options>(), "/nonexistent.so", w.texts.data(),
                                              w.random.below(3)));
        }};
    return made;
  }();
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kMostCalls = 120;
  Random random(std::span<const uint8_t>(data, size));
  World world(random);
  for (size_t i = 0; i < kMostCalls && !random.decided(); ++i) random.pick(steps())(world);
  return 0;
}
