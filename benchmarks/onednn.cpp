// What oneDNN's own primitives reach on one thread, at the shapes of bench_kernels' products and of a transformer's rows and a network's
// pools: which of them deserve to be used is decided by comparing the two tables.
#include <benchmark/benchmark.h>

#include <array>
#include <bit>
#include <string>
#include <unordered_map>
#include <vector>

#include "cpu/onednn/single_thread.h"

namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using onnxrun::cpu::onednn::engine;
using onnxrun::cpu::onednn::SingleThread;

using Type = memory::data_type;
constexpr auto kF32 = Type::f32;

// Numbers from -1 to 1, or bytes of any value.
memory filled(const memory::desc& desc) {
  memory result(desc, engine());
  void* values = result.get_data_handle();
  uint32_t state = 1;
  const auto next = [&] { return state = state * 1664525u + 1013904223u; };
  const auto number = [&] { return static_cast<float>(next() >> 8) * 0x1p-23f - 1.0f; };
  const Type type = desc.get_data_type();
  const size_t count = desc.get_size() / memory::data_type_size(type);
  for (size_t i = 0; i < count; ++i)
    if (type == kF32) static_cast<float*>(values)[i] = number();
    else if (type == Type::bf16)
      static_cast<uint16_t*>(values)[i] = static_cast<uint16_t>(std::bit_cast<uint32_t>(number()) >> 16);
    else static_cast<uint8_t*>(values)[i] = static_cast<uint8_t>(next() >> 24);
  return result;
}

void execute(benchmark::State& state, const dnnl::primitive& primitive, std::unordered_map<int, memory> arguments,
             double operations) {
  const SingleThread single;
  dnnl::stream stream(engine());
  for (auto _ : state) {
    primitive.execute(stream, arguments);
    stream.wait();
  }
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate);
}

struct ProductTypes {
  const char* name;
  Type a, b, c;
};

constexpr ProductTypes kProductTypes[] = {{"onednn", kF32, kF32, kF32},
                                          {"onednn/bfloat16", Type::bf16, Type::bf16, kF32},
                                          {"onednn/int8", Type::u8, Type::s8, Type::s32}};

void product(benchmark::State& state, const ProductTypes& types, int64_t m, int64_t k, int64_t n) {
  const SingleThread single;
  const memory::desc a({m, k}, types.a, Tag::ab), b({k, n}, types.b, Tag::any), c({m, n}, types.c, Tag::ab);
  const dnnl::matmul::primitive_desc pd(engine(), a, b, c);
  execute(state, dnnl::matmul(pd),
          {{DNNL_ARG_SRC, filled(a)}, {DNNL_ARG_WEIGHTS, filled(pd.weights_desc())}, {DNNL_ARG_DST, filled(c)}},
          2.0 * static_cast<double>(m * k * n));
}

void softmax(benchmark::State& state, int64_t rows, int64_t length) {
  const SingleThread single;
  const memory::desc x({rows, length}, kF32, Tag::ab);
  const dnnl::softmax_forward::primitive_desc pd(engine(), dnnl::prop_kind::forward_inference,
                                                 dnnl::algorithm::softmax_accurate, x, x, 1);
  execute(state, dnnl::softmax_forward(pd), {{DNNL_ARG_SRC, filled(x)}, {DNNL_ARG_DST, filled(x)}},
          static_cast<double>(rows * length));
}

void layer_normalization(benchmark::State& state, int64_t rows, int64_t length) {
  const SingleThread single;
  const memory::desc x({rows, length}, kF32, Tag::ab), row({length}, kF32, Tag::a);
  const dnnl::layer_normalization_forward::primitive_desc pd(
      engine(), dnnl::prop_kind::forward_inference, x, x, 1e-5f,
      dnnl::normalization_flags::use_scale | dnnl::normalization_flags::use_shift);
  execute(state, dnnl::layer_normalization_forward(pd),
          {{DNNL_ARG_SRC, filled(x)},
           {DNNL_ARG_DST, filled(x)},
           {DNNL_ARG_SCALE, filled(row)},
           {DNNL_ARG_SHIFT, filled(row)}},
          static_cast<double>(rows * length));
}

void max_pool(benchmark::State& state, int64_t channels, int64_t size) {
  const SingleThread single;
  const int64_t out = (size + 1) / 2;
  const memory::desc x({1, channels, size, size}, kF32, Tag::abcd), y({1, channels, out, out}, kF32, Tag::abcd);
  const dnnl::pooling_forward::primitive_desc pd(engine(), dnnl::prop_kind::forward_inference,
                                                 dnnl::algorithm::pooling_max, x, y, {2, 2}, {3, 3}, {0, 0}, {1, 1},
                                                 {1, 1});
  execute(state, dnnl::pooling_forward(pd), {{DNNL_ARG_SRC, filled(x)}, {DNNL_ARG_DST, filled(y)}},
          static_cast<double>(channels * out * out * 9));
}

const bool kRegistered = [] {
  for (const auto& [m, k, n] : std::vector<std::array<int64_t, 3>>{{1, 768, 768},
                                                                   {1, 768, 50257},
                                                                   {8, 768, 3072},
                                                                   {128, 768, 768},
                                                                   {128, 768, 3072},
                                                                   {128, 3072, 768},
                                                                   {197, 768, 2304},
                                                                   {1024, 1024, 1024}})
    for (const ProductTypes& types : kProductTypes)
      benchmark::RegisterBenchmark(
          ("matmul/" + std::to_string(m) + "x" + std::to_string(k) + "x" + std::to_string(n) + "/" + types.name)
              .c_str(),
          [&types, m = m, k = k, n = n](benchmark::State& state) { product(state, types, m, k, n); });
  benchmark::RegisterBenchmark("softmax/1536x128/onednn", [](benchmark::State& state) { softmax(state, 1536, 128); });
  benchmark::RegisterBenchmark("layer_normalization/128x768/onednn",
                               [](benchmark::State& state) { layer_normalization(state, 128, 768); });
  benchmark::RegisterBenchmark("max_pool/64x112/onednn", [](benchmark::State& state) { max_pool(state, 64, 112); });
  return true;
}();

}  // namespace
