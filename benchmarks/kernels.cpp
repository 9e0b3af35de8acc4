// Speed of single CPU kernels on the shapes of known networks, and of those that move data on large tensors: GFLOP/s and GB/s by kernel and number of
// threads. roofline.py compares them with what the machine can do at most.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <onnxrun/provider.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "base/tensor.h"
#include "cpu/loops/block_convolution.h"

namespace onnxrun::cpu {
void register_all(provider::KernelTable& table);
}

namespace {

using namespace onnxrun;

// A kernel bound to tensors of random values, with a thread pool.
class BoundCall {
 public:
  // `op` is in the domain onnxrun where it begins with "Blocked"; kernel "" is the first that accepts.
  BoundCall(const char* op, const char* kernel, std::vector<base::Dims> inputs, std::vector<bool> constant,
            base::Dims output, std::vector<std::pair<const char*, std::vector<int64_t>>> lists,
            std::vector<std::pair<const char*, int64_t>> ints, int threads, int precision = ONNXRUN_PRECISION_HIGHEST,
            std::vector<base::DType> types = {}, base::DType type = base::DType::kFloat32)
      : pool_(threads) {
    types.resize(inputs.size(), base::DType::kFloat32);
    for (size_t i = 0; i < inputs.size(); ++i) tensors_.push_back(random(types[i], inputs[i]));
    tensors_.emplace_back(type, output);
    for (const base::Tensor& tensor : tensors_) views_.push_back(tensor.view());
    std::vector<onnxrun_attribute> attributes;
    for (const auto& [name, values] : lists) {
      onnxrun_attribute a{};
      a.name = name;
      a.kind = ONNXRUN_ATTRIBUTE_INTS;
      a.ints = values.data();
      a.count = values.size();
      attributes.push_back(a);
    }
    for (const auto& [name, value] : ints) {
      onnxrun_attribute a{};
      a.name = name;
      a.kind = ONNXRUN_ATTRIBUTE_INT;
      a.i = value;
      attributes.push_back(a);
    }
    std::vector<onnxrun_tensor> facts(views_.begin(), views_.end() - 1);
    for (size_t i = 0; i < facts.size(); ++i)
      if (!constant[i]) facts[i].data = nullptr;
    onnxrun_tensor out = views_.back();
    out.data = nullptr;
    const char* domain = std::string_view(op).starts_with("Blocked") ? "onnxrun" : "";
    const onnxrun_node node{domain,       op,   "", attributes.data(), attributes.size(), facts.data(),
                            facts.size(), &out, 1,  threads,           precision};
    static const provider::KernelTable table = [] {
      provider::KernelTable result;
      cpu::register_all(result);
      return result;
    }();
    onnxrun_sink sink{nullptr, nullptr};
    for (const onnxrun_kernel& candidate : table.kernels()) {
      if (std::string_view(candidate.op_type) != op || (*kernel != 0 && std::string_view(candidate.name) != kernel) ||
          std::string_view(candidate.domain) != domain || state_ != nullptr)
        continue;
      onnxrun_acceptance terms{};
      if (candidate.accepts(&node, &terms, &sink) != ONNXRUN_OK) continue;
      packed_ = base::Buffer::allocate(terms.pack_bytes + 1);
      const bool packs = candidate.pack != nullptr && terms.pack_bytes != 0;
      if (packs && candidate.pack(&node, packed_->data(), &sink) != ONNXRUN_OK) continue;
      size_t scratch = 0;
      if (candidate.bind(&node, packs ? packed_->data() : nullptr, &state_, &scratch, &sink) != ONNXRUN_OK) continue;
      scratch_ = base::Buffer::allocate(scratch + 1);
      kernel_ = candidate;
    }
    for (size_t i = 0; i + 1 < views_.size(); ++i) inputs_.push_back(&views_[i]);
    outputs_.push_back(&views_.back());
  }
  ~BoundCall() {
    if (state_ != nullptr) kernel_.release(state_);
  }

  explicit operator bool() const { return state_ != nullptr; }

  // What a run reads and writes at least.
  double bytes() const {
    double total = 0;
    for (const base::Tensor& tensor : tensors_) total += static_cast<double>(tensor.bytes());
    return total;
  }

  void run() {
    Context context;
    context.pool = &pool_;
    context.c = {&kHost, inputs_.data(),   outputs_.data(), inputs_.size(),
                 1,      scratch_->data(), nullptr,         pool_.threads()};
    onnxrun_sink sink{nullptr, nullptr};
    if (kernel_.run(state_, &context.c, &sink) != ONNXRUN_OK) std::abort();
  }

 private:
  // Numbers from -1 to 1, or bytes of any value.
  static base::Tensor random(base::DType type, const base::Dims& dims) {
    base::Tensor tensor(type, dims);
    uint32_t state = 1;
    for (int64_t i = 0; i < tensor.count(); ++i) {
      state = state * 1664525u + 1013904223u;
      if (type == base::DType::kFloat32)
        tensor.mutable_data<float>()[i] = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
      else static_cast<uint8_t*>(tensor.mutable_raw())[i] = static_cast<uint8_t>(state >> 24);
    }
    return tensor;
  }

  struct Context {
    onnxrun_run_context c;
    base::ThreadPool* pool;
  };
  static void parallel(onnxrun_run_context* context, int64_t count, int64_t grain,
                       void (*task)(void*, int64_t, int64_t), void* arg) {
    reinterpret_cast<Context*>(context)->pool->run(count, grain, task, arg);
  }
  static constexpr onnxrun_host kHost{parallel, nullptr, [](const onnxrun_run_context*) { return 0; }};

  base::ThreadPool pool_;
  std::vector<base::Tensor> tensors_;
  std::vector<onnxrun_tensor> views_;
  std::vector<const onnxrun_tensor*> inputs_;
  std::vector<onnxrun_tensor*> outputs_;
  onnxrun_kernel kernel_{};
  void* state_ = nullptr;
  base::BufferPtr packed_, scratch_;
};

void measure(benchmark::State& state, BoundCall& call, double flops) {
  if (!call) return state.SkipWithError("declined");
  call.run();  // touches its memory for the first time
  for (auto _ : state) call.run();
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GB/s"] = benchmark::Counter(call.bytes() * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["GFLOP"] = flops * 1e-9;
  state.counters["GB"] = call.bytes() * 1e-9;
}

struct ConvShape {
  const char* name;
  int64_t channels, size, filters, kernel, stride, group;
};

constexpr ConvShape kConvolutions[] = {
    {"resnet_stem", 3, 224, 64, 7, 2, 1},
    {"resnet_64_1x1", 64, 56, 64, 1, 1, 1},
    {"resnet_64_3x3", 64, 56, 64, 3, 1, 1},
    {"resnet_64_256", 64, 56, 256, 1, 1, 1},
    {"resnet_256_64", 256, 56, 64, 1, 1, 1},
    {"resnet_128_3x3_s2", 128, 56, 128, 3, 2, 1},
    {"resnet_128_3x3", 128, 28, 128, 3, 1, 1},
    {"resnet_128_512", 128, 28, 512, 1, 1, 1},
    {"resnet_512_128", 512, 28, 128, 1, 1, 1},
    {"resnet_256_512_s2", 256, 56, 512, 1, 2, 1},
    {"resnet_256_3x3", 256, 14, 256, 3, 1, 1},
    {"resnet_1024_256", 1024, 14, 256, 1, 1, 1},
    {"resnet_256_1024", 256, 14, 1024, 1, 1, 1},
    {"resnet_512_3x3", 512, 7, 512, 3, 1, 1},
    {"resnet_512_2048", 512, 7, 2048, 1, 1, 1},
    {"resnet_2048_512", 2048, 7, 512, 1, 1, 1},
    {"mobilenet_stem", 3, 224, 16, 3, 2, 1},
    {"mobilenet_dw_64_3x3_s2", 64, 112, 64, 3, 2, 64},
    {"mobilenet_dw_120_5x5", 120, 28, 120, 5, 1, 120},
    {"mobilenet_dw_672_3x3", 672, 14, 672, 3, 1, 672},
    {"mobilenet_16_64", 16, 112, 64, 1, 1, 1},
    {"mobilenet_160_960", 160, 7, 960, 1, 1, 1},
    {"ocr_96_24", 96, 160, 24, 3, 1, 1},
    {"ocr_48_96_1x1", 48, 160, 96, 1, 1, 1},
    {"ocr_16_24_1x1", 16, 320, 24, 1, 1, 1},
    {"unet_48_16", 48, 256, 16, 3, 1, 1},
    {"unet_192_32", 192, 64, 32, 3, 1, 1},
    {"vgg_64_224", 64, 224, 64, 3, 1, 1},
    {"vgg_128_112", 128, 112, 128, 3, 1, 1},
    {"vgg_256_56", 256, 56, 256, 3, 1, 1},
    {"vgg_512_28", 512, 28, 512, 3, 1, 1},
    {"vgg_512_14", 512, 14, 512, 3, 1, 1},
};

// Kernels on blocked channels are "tiles", "winograd", whose multiplications count as those of the definition, "bfloat16", which rounds operands, and "parts", of
// three and two of which each number is made. With "/high" float32_matmul_precision is that.
void convolution(benchmark::State& state, const ConvShape& s, const std::string& name, int threads) {
  const bool high = name.ends_with("/high");
  const std::string kernel = high ? name.substr(0, name.size() - 5) : name;
  const int64_t pad = s.kernel / 2, out = (s.size + 2 * pad - s.kernel) / s.stride + 1;
  const base::Dims weights{s.filters, s.channels / s.group, s.kernel, s.kernel};
  const std::vector<std::pair<const char*, std::vector<int64_t>>> lists = {{"pads", {pad, pad, pad, pad}},
                                                                           {"strides", {s.stride, s.stride}}};
  base::Dims x{1, s.channels, s.size, s.size}, y{1, s.filters, out, out};
  const bool blocked = kernel != "onednn" && kernel != "panels";
  const int64_t block = std::max<int64_t>(1, onnxrun::cpu::block_convolution_functions().block);
  if (blocked) {
    if (s.channels % block == 0) x = {1, s.channels / block, s.size, s.size, block};
    y = {1, (s.filters + block - 1) / block, out, out, block};
  }
  std::vector<std::pair<const char*, int64_t>> ints = {{"group", s.group}};
  if (blocked) ints.emplace_back("block", block);
  BoundCall call(blocked ? "BlockedConv" : "Conv", kernel.c_str(), {x, weights, {s.filters}}, {false, true, true}, y,
                 lists, ints, threads,
                 kernel == "bfloat16"           ? ONNXRUN_PRECISION_MEDIUM
                 : high || kernel == "winograd" ? ONNXRUN_PRECISION_HIGH
                                                : ONNXRUN_PRECISION_HIGHEST);
  measure(state, call, 2.0 * static_cast<double>(s.filters * out * out * s.channels / s.group * s.kernel * s.kernel));
}

struct ProductShape {
  int64_t m, k, n;
};

constexpr ProductShape kProducts[] = {{1, 768, 768},    {1, 768, 50257},    {8, 768, 3072},   {32, 512, 2048},
                                      {64, 768, 3072},  {128, 768, 768},    {128, 768, 3072}, {128, 3072, 768},
                                      {197, 768, 2304}, {1024, 1024, 1024}, {128, 64, 128},   {12, 512, 128}};

void product(benchmark::State& state, const ProductShape& s, const char* kernel, bool constant, int threads) {
  const std::string_view name = kernel;
  BoundCall call("MatMul", kernel, {{s.m, s.k}, {s.k, s.n}}, {false, constant}, {s.m, s.n}, {}, {}, threads,
                 name == "bfloat16" ? ONNXRUN_PRECISION_MEDIUM
                 : name == "parts"  ? ONNXRUN_PRECISION_HIGH
                                    : ONNXRUN_PRECISION_HIGHEST);
  measure(state, call, 2.0 * static_cast<double>(s.m * s.k * s.n));
}

// Bytes times bytes into 32 bits; B is constant.
void integer_product(benchmark::State& state, const ProductShape& s, int threads) {
  BoundCall call("MatMulInteger", "panels", {{s.m, s.k}, {s.k, s.n}}, {false, true}, {s.m, s.n}, {}, {}, threads,
                 ONNXRUN_PRECISION_HIGHEST, {base::DType::kUint8, base::DType::kInt8}, base::DType::kInt32);
  measure(state, call, 2.0 * static_cast<double>(s.m * s.k * s.n));
}

// Operators that mostly move data, on tensors that no cache holds.
struct DataOp {
  const char *name, *op;
  std::vector<base::Dims> inputs;
  base::Dims output;
  std::vector<std::pair<const char*, std::vector<int64_t>>> lists = {};
  std::vector<std::pair<const char*, int64_t>> ints = {};
  double flops_an_element = 1;  // of the output
};

const std::vector<DataOp>& data_ops() {
  static const std::vector<DataOp> ops = {
      {"add", "Add", {{4096, 4096}, {4096, 4096}}, {4096, 4096}},
      {"add_row", "Add", {{4096, 4096}, {4096}}, {4096, 4096}},
      {"relu", "Relu", {{4096, 4096}}, {4096, 4096}},
      {"sigmoid", "Sigmoid", {{4096, 4096}}, {4096, 4096}},
      {"gelu", "Gelu", {{4096, 4096}}, {4096, 4096}},
      {"softmax", "Softmax", {{4096, 4096}}, {4096, 4096}},
      {"softmax_rows_of_128", "Softmax", {{131072, 128}}, {131072, 128}},
      {"layer_normalization", "LayerNormalization", {{16384, 1024}, {1024}, {1024}}, {16384, 1024}},
      {"transpose", "Transpose", {{4096, 4096}}, {4096, 4096}, {{"perm", {1, 0}}}},
      {"transpose_heads", "Transpose", {{64, 512, 8, 64}}, {64, 8, 512, 64}, {{"perm", {0, 2, 1, 3}}}},
      {"transpose_channels_last", "Transpose", {{16, 64, 128, 128}}, {16, 128, 128, 64}, {{"perm", {0, 2, 3, 1}}}},
      {"concat", "Concat", {{2048, 4096}, {2048, 4096}}, {4096, 4096}, {}, {{"axis", 0}}},
      {"global_average_pool", "GlobalAveragePool", {{64, 64, 64, 64}}, {64, 64, 1, 1}},
      {"max_pool", "MaxPool", {{16, 64, 112, 112}}, {16, 64, 56, 56}, {{"kernel_shape", {2, 2}}, {"strides", {2, 2}}}},
  };
  return ops;
}

void move_data(benchmark::State& state, const DataOp& op, int threads) {
  BoundCall call(op.op, "", op.inputs, std::vector<bool>(op.inputs.size(), false), op.output, op.lists, op.ints,
                 threads);
  double elements = 1;
  for (const int64_t dim : op.output) elements *= static_cast<double>(dim);
  measure(state, call, elements * op.flops_an_element);
}

// Attention of `heads` heads of 64 over `length` queries and keys.
void attention(benchmark::State& state, int64_t heads, int64_t length, int precision, int threads) {
  const base::Dims dims{1, heads, length, 64};
  BoundCall call("Attention", "tiled", {dims, dims, dims}, {false, false, false}, dims, {}, {}, threads, precision);
  measure(state, call, 4.0 * 64 * static_cast<double>(heads * length * length));
}

// One thread is timed by its own CPU time, several by the wall clock.
void on_clock(int threads, benchmark::internal::Benchmark* made) {
  if (threads > 1) made->UseRealTime();
}

const bool kRegistered = [] {
  for (int threads : {1, 2}) {
    const std::string suffix = "/threads:" + std::to_string(threads);
    for (const ConvShape& s : kConvolutions)
      for (const char* kernel : {"tiles", "parts", "parts/high", "winograd", "bfloat16", "onednn", "panels"})
        on_clock(threads, benchmark::RegisterBenchmark(("conv/" + std::string(s.name) + "/" + kernel + suffix).c_str(),
                                                       [&s, kernel, threads](benchmark::State& state) {
                                                         convolution(state, s, kernel, threads);
                                                       }));
    const auto add = [&](const std::string& name, auto&& run) {
      on_clock(threads, benchmark::RegisterBenchmark((name + suffix).c_str(), run));
    };
    for (const ProductShape& s : kProducts)
      for (const char* kernel : {"panels", "parts", "bfloat16"})
        for (bool constant : {true, false}) {
          if (!constant && std::string_view(kernel) == "parts") continue;  // of constants only
          add("matmul/" + std::to_string(s.m) + "x" + std::to_string(s.k) + "x" + std::to_string(s.n) + "/" + kernel +
                  (constant ? "/packed" : "/dynamic"),
              [&s, kernel, constant, threads](benchmark::State& state) {
                product(state, s, kernel, constant, threads);
              });
        }
    for (const ProductShape& s : kProducts)
      add("matmul/" + std::to_string(s.m) + "x" + std::to_string(s.k) + "x" + std::to_string(s.n) + "/int8/packed",
          [&s, threads](benchmark::State& state) { integer_product(state, s, threads); });
    for (const DataOp& op : data_ops())
      add(std::string("data/") + op.name, [&op, threads](benchmark::State& state) { move_data(state, op, threads); });
    for (const auto& [heads, length] : {std::pair<int64_t, int64_t>{12, 128}, {12, 512}, {6, 1500}})
      for (const auto& [name, precision] : {std::pair<const char*, int>{"/highest", ONNXRUN_PRECISION_HIGHEST},
                                            {"/high", ONNXRUN_PRECISION_HIGH},
                                            {"/medium", ONNXRUN_PRECISION_MEDIUM}})
        add("attention/" + std::to_string(heads) + "x" + std::to_string(length) + name,
            [heads = heads, length = length, precision = precision, threads](benchmark::State& state) {
              attention(state, heads, length, precision, threads);
            });
  }
  return true;
}();

}  // namespace
