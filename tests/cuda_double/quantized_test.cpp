// Products and convolutions of 8-bit integers, and with weights of few bits, on the double: the same as the CPU's, by cuBLASLt and without it.
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "on_double.h"

namespace {

using on_double::cuda;
using onnxrun::Shape;
using onnxrun::Tensor;

template <class T>
constexpr const char* kName = std::is_same_v<T, float>     ? "float32"
                              : std::is_same_v<T, int32_t> ? "int32"
                              : std::is_same_v<T, int8_t>  ? "int8"
                                                           : "uint8";
const double kAll = 1000;  // a bound beyond the bytes: all of them

// A graph of drawn inputs and a body that gives y.
class Graph {
 public:
  template <class T>
  void feed(const std::string& name, const Shape& shape, double low = -kAll, double high = kAll) {
    size_t count = 1;
    for (const int64_t dim : shape) count *= static_cast<size_t>(dim);
    std::vector<T> values(count);
    for (T& value : values) {
      if constexpr (std::is_same_v<T, float>) {
        value = std::uniform_real_distribution<float>(static_cast<float>(low), static_cast<float>(high))(random_);
      } else {
        const auto least = std::max<int64_t>(std::numeric_limits<T>::lowest(), static_cast<int64_t>(low));
        const auto most = std::min<int64_t>(std::numeric_limits<T>::max(), static_cast<int64_t>(high));
        value = static_cast<T>(std::uniform_int_distribution<int64_t>(least, most)(random_));
      }
    }
    declared_ += fmt::format("{}{}: {}[{}]", declared_.empty() ? "" : ", ", name, kName<T>, fmt::join(shape, ","));
    inputs_.emplace_back(name, Tensor::from<T>(shape, values));
  }
  Tensor run(const std::string& body, const onnxrun::Options& options) const {
    const std::string text = "onnxrun text 1\nir_version 10\nopset ai.onnx 21\nopset com.microsoft 1\ngraph g(" +
                             declared_ + ") -> (y) {\n" + body + "\n}\n";
    return onnxrun::Session(onnxrun::Model::from_text(text), options).run(inputs_).at("y");
  }
  // The device's result, whose elements are T, differs from the CPU's by no more than `tolerance` times the largest.
  template <class T>
  void compare(const std::string& body, double tolerance = 0) const {
    SCOPED_TRACE(declared_ + " | " + body);
    const Tensor expected = run(body, {}), result = run(body, cuda());
    ASSERT_EQ(result.shape(), expected.shape());
    const auto want = expected.span<T>(), got = result.span<T>();
    double largest = 1;
    for (const T value : want) largest = std::max(largest, std::fabs(static_cast<double>(value)));
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(static_cast<double>(got[i]), static_cast<double>(want[i]), tolerance * largest) << "element " << i;
  }

 private:
  std::mt19937 random_{7};
  std::string declared_;
  onnxrun::NamedValues inputs_;
};

// Sizes that tensor cores are worth, few of them multiples of 16.
struct Sizes {
  int64_t m, k, n;
};
const Sizes kProducts[] = {{37, 259, 61}, {64, 128, 129}, {1, 517, 600}, {3, 300, 301}, {17, 400, 160}, {130, 48, 180}};

template <class A, class B>
void multiply(std::span<const Sizes> products = kProducts) {
  for (const auto& [m, k, n] : products) {
    Graph plain;
    plain.feed<A>("a", {m, k});
    plain.feed<B>("b", {k, n});
    plain.compare<int32_t>("y = MatMulInteger(a, b)");
    Graph zeros;
    zeros.feed<A>("a", {m, k});
    zeros.feed<B>("b", {k, n});
    zeros.feed<A>("p", {m});
    zeros.feed<B>("q", {n});
    zeros.compare<int32_t>("y = MatMulInteger(a, b, p, q)");
  }
}

TEST(CudaQuantized, MultipliesEveryPairOfTypes) {
  multiply<uint8_t, uint8_t>();
  multiply<uint8_t, int8_t>();
  multiply<int8_t, uint8_t>();
  multiply<int8_t, int8_t>();
}

TEST(CudaQuantized, MultipliesStacksOfMatrices) {
  Graph graph;
  graph.feed<uint8_t>("a", {2, 3, 21, 270});
  graph.feed<int8_t>("b", {3, 270, 190});
  graph.feed<uint8_t>("p", {});
  graph.feed<int8_t>("q", {});
  graph.compare<int32_t>("y = MatMulInteger(a, b, p, q)");
  Graph shared;
  shared.feed<uint8_t>("a", {2, 3, 21, 270});
  shared.feed<int8_t>("b", {270, 60});
  shared.feed<uint8_t>("p", {1});
  shared.compare<int32_t>("y = MatMulInteger(a, b, p)");
  Graph vector;
  vector.feed<uint8_t>("a", {700});
  vector.feed<int8_t>("b", {700, 500});
  vector.compare<int32_t>("y = MatMulInteger(a, b)");
}

TEST(CudaQuantized, TakesManyColumnsInChunks) {
  Graph graph;
  graph.feed<uint8_t>("a", {9, 16});
  graph.feed<int8_t>("b", {16, 240000});
  graph.feed<uint8_t>("p", {});
  graph.feed<int8_t>("q", {240000});
  graph.compare<int32_t>("y = MatMulInteger(a, b, p, q)");
}

TEST(CudaQuantized, MultipliesNothing) {
  for (const Sizes& sizes : {Sizes{0, 700, 500}, Sizes{700, 0, 500}, Sizes{700, 500, 0}}) {
    Graph graph;
    graph.feed<uint8_t>("a", {sizes.m, sizes.k});
    graph.feed<uint8_t>("b", {sizes.k, sizes.n});
    graph.compare<int32_t>("y = MatMulInteger(a, b)");
  }
}

template <class A, class B, class Y>
void requantize(int64_t rows, int64_t columns, std::span<const Sizes> products = kProducts) {
  for (const auto& [m, k, n] : products) {
    Graph graph;
    graph.feed<A>("a", {m, k});
    graph.feed<B>("b", {k, n});
    graph.feed<float>("s", rows != 0 ? Shape{m} : Shape{}, 0.01, 0.03);
    graph.feed<A>("p", rows != 0 ? Shape{m} : Shape{});
    graph.feed<float>("t", columns != 0 ? Shape{n} : Shape{}, 0.01, 0.03);
    graph.feed<B>("q", columns != 0 ? Shape{n} : Shape{});
    graph.feed<float>("u", {}, 4, 8);
    graph.feed<Y>("r", {});
    graph.compare<Y>("y = QLinearMatMul(a, s, p, b, t, q, u, r)");
  }
}

TEST(CudaQuantized, RequantizesProducts) {
  requantize<uint8_t, uint8_t, uint8_t>(0, 0);
  requantize<uint8_t, int8_t, int8_t>(0, 1);
  requantize<int8_t, int8_t, int8_t>(1, 1);
}

TEST(CudaQuantized, EndsProductsInFloat) {
  for (const auto& [m, k, n] : kProducts) {
    Graph graph;
    graph.feed<uint8_t>("a", {m, k});
    graph.feed<int8_t>("b", {k, n});
    graph.feed<float>("s", {}, 0.01, 0.03);
    graph.feed<float>("t", {n}, 0.01, 0.03);
    graph.feed<uint8_t>("p", {});
    graph.feed<int8_t>("q", {n});
    graph.feed<float>("c", {n}, -9, 9);
    graph.compare<float>("y = com.microsoft.MatMulIntegerToFloat(a, b, s, t, p, q, c)", 1e-6);
    Graph dynamic;
    dynamic.feed<float>("a", {m, k}, -3, 5);
    dynamic.feed<int8_t>("b", {k, n});
    dynamic.feed<float>("t", {n}, 0.01, 0.03);
    dynamic.feed<int8_t>("q", {n});
    dynamic.feed<float>("c", {n}, -9, 9);
    dynamic.compare<float>("y = com.microsoft.DynamicQuantizeMatMul(a, b, t, q, c)", 1e-6);
  }
}

struct Images {
  Shape x, w;
  const char* attributes;
};
const Images kImages[] = {
    {{2, 20, 15, 17}, {33, 20, 3, 3}, "pads=[1,2,0,1]"},
    {{1, 320, 14, 14}, {64, 320, 1, 1}, "strides=[2,2]"},
    {{1, 3, 33, 31}, {40, 3, 7, 7}, "strides=[2,2], pads=[3,3,3,3]"},
    {{3, 32, 9, 11}, {48, 16, 3, 2}, "group=2, dilations=[2,1], auto_pad='SAME_UPPER'"},
    {{2, 32, 9, 11}, {80, 16, 3, 3}, "group=2, pads=[1,1,1,1]"},
    {{1, 40, 200}, {32, 40, 5}, "pads=[2,2]"},
    {{1, 8, 7, 8, 9}, {16, 8, 3, 3, 3}, "pads=[1,1,1,1,1,1]"},
    {{1, 24, 20, 20},
     {24, 1, 3, 3},
     "group=24, pads=[1,1,1,1], dilations=[2,2]"},                              // of one filter each: without a library
    {{1, 4, 5, 6}, {3, 4, 1, 2}, "dilations=[2147483647,2], pads=[0,1,0,1]"},   // as far as dilations go
    {{1, 12, 9, 10}, {18, 4, 2, 3}, "group=3, strides=[2,3], pads=[0,1,1,0]"},  // small
};

template <class X, class W>
void convolve(std::span<const Images> images = kImages) {
  for (const auto& [x, w, attributes] : images) {
    Graph plain;
    plain.feed<X>("x", x);
    plain.feed<W>("w", w);
    plain.feed<X>("p", {});
    plain.compare<int32_t>(fmt::format("y = ConvInteger(x, w, p, {})", attributes));
    Graph scaled;
    scaled.feed<X>("x", x);
    scaled.feed<float>("s", {}, 0.01, 0.03);
    scaled.feed<X>("p", {});
    scaled.feed<W>("w", w);
    scaled.feed<float>("t", {w[0]}, 0.01, 0.03);
    scaled.feed<W>("q", {w[0]});
    scaled.feed<float>("u", {}, 1, 3);
    scaled.feed<X>("r", {});
    scaled.feed<int32_t>("c", {w[0]}, -20000, 20000);
    scaled.compare<X>(fmt::format("y = QLinearConv(x, s, p, w, t, q, u, r, c, {})", attributes));
  }
}

TEST(CudaQuantized, ConvolvesEveryPairOfTypes) {
  convolve<uint8_t, uint8_t>();
  convolve<uint8_t, int8_t>();
  convolve<int8_t, int8_t>();
}

TEST(CudaQuantized, NeedsNoSumsOfTheImageForWeightsAroundZero) {
  Graph graph;
  graph.feed<uint8_t>("x", {1, 16, 15, 17});
  graph.feed<float>("s", {}, 0.01, 0.03);
  graph.feed<uint8_t>("p", {});
  graph.feed<int8_t>("w", {40, 16, 3, 3});
  graph.feed<float>("t", {}, 0.01, 0.03);
  graph.feed<float>("u", {}, 1, 3);
  graph.feed<uint8_t>("r", {});
  graph.compare<uint8_t>("q: int8[1] = {0}\ny = QLinearConv(x, s, p, w, t, q, u, r)");
  graph.compare<uint8_t>("q: int8[1] = {3}\ny = QLinearConv(x, s, p, w, t, q, u, r)");
}

TEST(CudaQuantized, DoesWithoutTheLibrarysProductsOfBytes) {
  const on_double::Variable machine("CUDA_DOUBLE", "no-int8");
  multiply<uint8_t, int8_t>({&kProducts[3], 1});
  requantize<uint8_t, int8_t, int8_t>(0, 1, {&kProducts[3], 1});
  convolve<uint8_t, int8_t>({&kImages[1], 1});
}

// Rows for the kernel that unpacks as it multiplies, and for products of unpacked weights, in more than one chunk of columns.
TEST(CudaQuantized, MultipliesByWeightsOfFewBits) {
  struct Weights {
    int64_t m, k, n, bits, block;
    const char* level;
  };
  for (const auto& [m, k, n, bits, block, level] :
       {Weights{1, 128, 70, 4, 32, "0"}, Weights{3, 100, 33, 4, 16, "0"}, Weights{8, 72, 13, 8, 32, "0"},
        Weights{5, 90, 9, 2, 16, "0"}, Weights{21, 64, 30, 4, 64, "4"}, Weights{10, 48, 18, 4, 32, "1"},
        Weights{300, 250, 260, 8, 128, "0"}, Weights{70, 1024, 320, 2, 16, "0"}}) {
    const int64_t blocks = (k + block - 1) / block;
    for (const bool zeros : {false, true})
      for (const char* type : {"1", "10", "16"}) {
        Graph graph;
        graph.feed<float>("a", {m, k}, -1, 1);
        graph.feed<uint8_t>("w", {n, blocks, block * bits / 8});
        graph.feed<float>("s", {n * blocks}, 0.01, 0.1);
        graph.feed<float>("c", {n}, -3, 3);
        if (zeros) graph.feed<uint8_t>("z", {n, (blocks * bits + 7) / 8});
        const auto body = fmt::format(
            "aa = Cast(a, to={0})\nss = Cast(s, to={0})\ncc = Cast(c, to={0})\n"
            "yy = com.microsoft.MatMulNBits(aa, w, ss, {1}, _, cc, K={2}, N={3}, bits={4}, block_size={5}, "
            "accuracy_level={6})\n"
            "y = Cast(yy, to=1)",
            type, zeros ? "z" : "_", k, n, bits, block, level);
        const bool coarse = level == std::string("4");
        graph.compare<float>(body, type == std::string("1") ? (coarse ? 1e-2 : 1e-5) : 2e-2);
      }
  }
}

// Of a scale for all, for each channel of planes that are and are not whole packs, for each last element, and for blocks.
TEST(CudaQuantized, QuantizesInPacksAndWithout) {
  struct Scaled {
    Shape x, scales;
    const char* attributes;
  };
  for (const auto& [x, scales, attributes] :
       {Scaled{{3, 5, 7, 9}, {}, "axis=1"}, Scaled{{3, 5, 4, 8}, {5}, "axis=1"}, Scaled{{3, 5, 7, 3}, {5}, "axis=1"},
        Scaled{{19, 33}, {33}, "axis=1"}, Scaled{{6, 10, 12}, {6, 3, 12}, "axis=1, block_size=4"},
        Scaled{{40000}, {1}, "axis=0"}}) {
    Graph graph;
    graph.feed<float>("x", x, -9, 9);
    graph.feed<float>("s", scales, 0.02, 0.2);
    graph.feed<uint8_t>("z", scales);
    graph.compare<uint8_t>(fmt::format("y = QuantizeLinear(x, s, z, {})", attributes));
    graph.compare<float>(
        fmt::format("q = QuantizeLinear(x, s, z, {0})\ny = DequantizeLinear(q, s, z, {0})", attributes));
    Graph shorts;
    shorts.feed<float>("x", x, -9, 9);
    shorts.feed<float>("s", scales, 0.0002, 0.002);
    shorts.compare<float>(
        fmt::format("q = QuantizeLinear(x, s, output_dtype=5, {0})\ny = DequantizeLinear(q, s, {0})", attributes));
  }
}

// Of floats of every size and sign, infinities, numbers that are none, and those halfway between two codes.
Tensor floats_of_all_sizes() {
  std::vector<float> values;
  for (uint32_t high = 0; high < 0x10000; high += 3)
    for (const uint32_t low : {0u, 1u, 0xffffu}) values.push_back(std::bit_cast<float>(high << 16 | low));
  for (const uint32_t word : {0x00000000u, 0x80000000u, 0x7f800000u, 0xff800000u, 0x7fc00000u})
    values.push_back(std::bit_cast<float>(word));
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
}

// The results are the CPU's to the bit, whatever the sign of those that are no numbers.
void expect_same_floats(const std::string& body) {
  const std::string text =
      "onnxrun text 1\nir_version 10\nopset ai.onnx 21\ngraph g(x: float32[n]) -> (y) {\n" + body + "\n}\n";
  const auto run = [&](const onnxrun::Options& options) {
    return Tensor(
        onnxrun::Session(onnxrun::Model::from_text(text), options).run({{"x", floats_of_all_sizes()}}).at("y"));
  };
  const Tensor expected = run({{"level", "0"}}), result = run(cuda());
  const auto want = expected.span<float>(), got = result.span<float>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) {
    if (std::isnan(want[i])) ASSERT_TRUE(std::isnan(got[i])) << body << " " << i << ": " << got[i];
    else ASSERT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(want[i])) << body << " " << i;
  }
}

TEST(CudaQuantized, ConvertsFloat8) {
  for (const int type : {17, 18, 19, 20})
    for (const int saturate : {0, 1}) {
      for (const int real : {1, 10, 16})
        expect_same_floats(fmt::format(
            "r = Cast(x, to={1})\nq = Cast(r, to={0}, saturate={2})\nw = Cast(q, to={1})\ny = Cast(w, to=1)", type,
            real, saturate));
      for (const float zero : {0.0f, -1.5f})
        for (const int scale : {1, 10, 16})
          expect_same_floats(
              fmt::format("sf: float32[] = 0.37\nzf: float32[] = {1}\ns = Cast(sf, to={2})\nz = Cast(zf, to={0})\nr = "
                          "Cast(x, to={2})\n"
                          "q = QuantizeLinear(r, s, z, saturate={3})\nw = DequantizeLinear(q, s, z)\ny = Cast(w, to=1)",
                          type, zero, scale, saturate));
    }
}

TEST(CudaQuantized, FindsTheScaleOfFewElementsAndOfMany) {
  for (const int64_t count : {1, 1000, 8193, 600000}) {
    Graph graph;
    graph.feed<float>("x", {count}, -3, 7);
    graph.compare<uint8_t>("y, s, z = DynamicQuantizeLinear(x)");
    graph.compare<float>("q, y, z = DynamicQuantizeLinear(x)");
    graph.compare<uint8_t>("q, s, y = DynamicQuantizeLinear(x)");
  }
}

TEST(CudaQuantized, ComputesWithBytes) {
  for (const Shape& b : {Shape{2, 3, 8, 8}, Shape{}, Shape{3, 1, 1}, Shape{8}}) {
    Graph graph;
    graph.feed<int8_t>("a", {2, 3, 8, 8});
    graph.feed<int8_t>("b", b);
    for (const char* scale : {"s", "t", "u"}) graph.feed<float>(scale, {}, 0.01, 0.03);
    for (const char* zero : {"p", "q", "r"}) graph.feed<int8_t>(zero, {});
    graph.compare<int8_t>("y = com.microsoft.QLinearAdd(a, s, p, b, t, q, u, r)");
    graph.compare<int8_t>("y = com.microsoft.QLinearMul(a, s, p, b, t, q, u, r)");
    graph.compare<int8_t>("y = com.microsoft.QLinearLeakyRelu(a, s, p, u, r, alpha=0.3)");
  }
}

// Of tokens that share the reading of their experts' weights, and of too few for that; rows that are whole words, and that are not.
TEST(CudaQuantized, MixesExperts) {
  struct Mixed {
    int64_t tokens, experts, hidden, inner, bits, block;
  };
  for (const auto& [tokens, experts, hidden, inner, bits, block] :
       {Mixed{40, 3, 32, 48, 4, 16}, Mixed{40, 3, 32, 48, 8, 0}, Mixed{2, 3, 32, 48, 4, 0}, Mixed{30, 2, 36, 20, 2, 0},
        Mixed{25, 6, 64, 16, 2, 16}}) {
    Graph graph;
    graph.feed<float>("x", {tokens, hidden}, -1, 1);
    graph.feed<float>("r", {tokens, experts}, -1, 1);
    graph.feed<float>("f", {experts, inner, hidden}, -1, 1);
    graph.feed<float>("b", {experts, inner}, -1, 1);
    graph.feed<float>("g", {experts, hidden, inner}, -1, 1);
    graph.compare<float>("y = com.microsoft.MoE(x, r, f, b, g, k=2)", 1e-5);
    const auto scales = [all = experts, size = block](int64_t rows, int64_t columns) {
      return size == 0 ? Shape{all, rows} : Shape{all, rows, columns / size};
    };
    Graph coded;
    coded.feed<float>("x", {tokens, hidden}, -1, 1);
    coded.feed<float>("r", {tokens, experts}, -1, 1);
    coded.feed<uint8_t>("f", {experts, inner, hidden * bits / 8});
    coded.feed<float>("s", scales(inner, hidden), 0.01, 0.1);
    coded.feed<float>("b", {experts, inner}, -1, 1);
    coded.feed<uint8_t>("g", {experts, hidden, inner * bits / 8});
    coded.feed<float>("t", scales(hidden, inner), 0.01, 0.1);
    const std::string blocks = block == 0 ? "" : fmt::format(", block_size={}", block);
    coded.compare<float>(
        fmt::format("y = com.microsoft.QMoE(x, r, f, s, b, g, t, k=2, expert_weight_bits={}{})", bits, blocks), 1e-5);
  }
}

}  // namespace
