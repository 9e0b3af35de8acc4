// Speed of single CPU kernels on the shapes of known networks: GFLOP/s by kernel and number of threads.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <onnxrun/provider.hpp>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/tensor.h"

namespace onnxrun::cpu {
void register_all(provider::KernelTable& table);
}

namespace {

using namespace onnxrun;

// A kernel bound to tensors of random values, with a thread pool.
class BoundCall {
 public:
  BoundCall(const char* op, const char* kernel, std::vector<base::Dims> inputs, std::vector<bool> constant,
            base::Dims output, std::vector<std::pair<const char*, std::vector<int64_t>>> lists,
            std::vector<std::pair<const char*, int64_t>> ints, int threads)
      : pool_(threads) {
    for (const base::Dims& dims : inputs) {
      base::Tensor tensor(base::DType::kFloat32, dims);
      uint32_t state = 1;
      for (int64_t i = 0; i < tensor.count(); ++i) {
        state = state * 1664525u + 1013904223u;
        tensor.mutable_data<float>()[i] = static_cast<float>(state >> 8) * 0x1p-23f - 1.0f;
      }
      tensors_.push_back(std::move(tensor));
    }
    tensors_.emplace_back(base::DType::kFloat32, output);
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
    const onnxrun_node node{"",   op, "",     attributes.data(), attributes.size(), facts.data(), facts.size(),
                            &out, 1,  threads};
    static const provider::KernelTable table = [] {
      provider::KernelTable result;
      cpu::register_all(result);
      return result;
    }();
    onnxrun_sink sink{nullptr, nullptr};
    for (const onnxrun_kernel& candidate : table.kernels()) {
      if (std::string_view(candidate.op_type) != op || std::string_view(candidate.name) != kernel ||
          *candidate.domain != 0)
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

  void run() {
    Context context;
    context.pool = &pool_;
    context.c = {&kHost, inputs_.data(),   outputs_.data(), inputs_.size(),
                 1,      scratch_->data(), nullptr,         pool_.threads()};
    onnxrun_sink sink{nullptr, nullptr};
    if (kernel_.run(state_, &context.c, &sink) != ONNXRUN_OK) std::abort();
  }

 private:
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
  for (auto _ : state) call.run();
  state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
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
    {"resnet_512_128", 512, 28, 128, 1, 1, 1},
    {"resnet_256_3x3", 256, 14, 256, 3, 1, 1},
    {"resnet_1024_256", 1024, 14, 256, 1, 1, 1},
    {"resnet_256_1024", 256, 14, 1024, 1, 1, 1},
    {"resnet_512_3x3", 512, 7, 512, 3, 1, 1},
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
};

void convolution(benchmark::State& state, const ConvShape& s, const char* kernel, int threads) {
  const int64_t pad = s.kernel / 2, out = (s.size + 2 * pad - s.kernel) / s.stride + 1;
  BoundCall call("Conv", kernel,
                 {{1, s.channels, s.size, s.size}, {s.filters, s.channels / s.group, s.kernel, s.kernel}, {s.filters}},
                 {false, true, true}, {1, s.filters, out, out},
                 {{"pads", {pad, pad, pad, pad}}, {"strides", {s.stride, s.stride}}}, {{"group", s.group}}, threads);
  measure(state, call, 2.0 * static_cast<double>(s.filters * out * out * s.channels / s.group * s.kernel * s.kernel));
}

struct ProductShape {
  int64_t m, k, n;
};

constexpr ProductShape kProducts[] = {{1, 768, 768},    {1, 768, 50257},  {8, 768, 3072},   {128, 768, 768},
                                      {128, 768, 3072}, {128, 3072, 768}, {197, 768, 2304}, {1024, 1024, 1024},
                                      {128, 64, 128},   {12, 512, 128}};

void product(benchmark::State& state, const ProductShape& s, const char* kernel, bool constant, int threads) {
  BoundCall call("MatMul", kernel, {{s.m, s.k}, {s.k, s.n}}, {false, constant}, {s.m, s.n}, {}, {}, threads);
  measure(state, call, 2.0 * static_cast<double>(s.m * s.k * s.n));
  state.counters["GB/s of B"] =
      benchmark::Counter(static_cast<double>(s.k * s.n) * 4e-9, benchmark::Counter::kIsIterationInvariantRate);
}

// One thread is timed by its own CPU time, several by the wall clock.
void on_clock(int threads, benchmark::internal::Benchmark* made) {
  if (threads > 1) made->UseRealTime();
}

const bool kRegistered = [] {
  for (int threads : {1, 2}) {
    const std::string suffix = "/threads:" + std::to_string(threads);
    for (const ConvShape& s : kConvolutions)
      for (const char* kernel : {"onednn", "panels"})
        on_clock(threads, benchmark::RegisterBenchmark(("conv/" + std::string(s.name) + "/" + kernel + suffix).c_str(),
                                                       [&s, kernel, threads](benchmark::State& state) {
                                                         convolution(state, s, kernel, threads);
                                                       }));
    for (const ProductShape& s : kProducts)
      for (bool constant : {true, false})
        on_clock(threads,
                 benchmark::RegisterBenchmark(("matmul/" + std::to_string(s.m) + "x" + std::to_string(s.k) + "x" +
                                               std::to_string(s.n) + "/" + (constant ? "packed" : "dynamic") + suffix)
                                                  .c_str(),
                                              [&s, constant, threads](benchmark::State& state) {
                                                product(state, s, "panels", constant, threads);
                                              }));
  }
  return true;
}();

}  // namespace
