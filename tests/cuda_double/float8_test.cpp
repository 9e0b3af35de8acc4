// Products of float8 on the double: the same as the CPU's, by cuBLASLt and without it; and where quantised models get them.
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "on_double.h"

namespace {

using on_double::cuda;
using onnxrun::Shape;
using onnxrun::Tensor;

constexpr int kE4M3 = 17, kE5M2 = 19, kFloat = 1, kHalf = 10, kBfloat = 16;  // ONNX's numbers

// How many products of float8 cuBLASLt's double was asked for.
int64_t float8_products() {
  static void* library = dlopen((on_double::kFolder + "/libcublasLt.so.13").c_str(), RTLD_NOW);
  static const auto count = reinterpret_cast<int64_t (*)()>(dlsym(library, "cuda_double_float8_products"));
  return count();
}

Tensor drawn(const Shape& shape, uint32_t seed, float size) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> draw(-size, size);
  Tensor tensor(ONNXRUN_DTYPE_FLOAT32, shape);
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  for (double& value : values) value = static_cast<double>(draw(random));
  tensor.set(values);
  return tensor;
}

struct Case {
  int64_t m, k, n;
  int a_type = kE4M3, b_type = kE4M3, y_type = kFloat;
  bool turned_a = false, turned_b = true;
  std::string attributes = {};
  Shape c = {}, scale_b = {};
  int c_type = 0;  // 0: there is none
  bool scale_a = true, scale_y = false;
  Shape stack = {};  // dims of A before its rows
  int runs = 3;      // later ones are graphs
};

double tolerance_of(int type) {
  switch (type) {
    case kHalf: return 2e-3;
    case kBfloat: return 1e-2;
    case kE4M3: return 0.07;  // a step where the value lies at the edge of two
    case kE5M2: return 0.13;
    default: return 2e-5;
  }
}

// Runs it on both. Returns how many products of float8 the library was asked for.
int64_t compare(const Case& c, const onnxrun::Options& options = cuda()) {
  Shape a = c.stack;
  a.insert(a.end(), {c.turned_a ? c.k : c.m, c.turned_a ? c.m : c.k});
  onnxrun::NamedValues values{{"a", drawn(a, 1, 4)},
                              {"b", drawn(c.turned_b ? Shape{c.n, c.k} : Shape{c.k, c.n}, 2, 4)}};
  std::string inputs = "a: float32[" + std::string(c.stack.empty() ? "" : "s,") + "p,q], b: float32[r,t]", body;
  const auto feed = [&](const char* name, const Shape& shape, float size) {
    std::string dims;
    for (const int64_t dim : shape) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
    inputs += fmt::format(", {}: float32[{}]", name, dims);
    values.emplace_back(name, drawn(shape, 3, size));
  };
  body = fmt::format("aa = Cast(a, to={})\nbb = Cast(b, to={})\n", c.a_type, c.b_type);
  if (c.c_type != 0) {
    feed("c", c.c, 9);
    body += fmt::format("cc = Cast(c, to={})\n", c.c_type);
  }
  if (c.scale_a) feed("sa", {1}, 0.5f);
  feed("sb", c.scale_b, 0.5f);
  if (c.scale_y) feed("sy", {}, 2);
  body += fmt::format(
      "y = com.microsoft.GemmFloat8(aa, bb, {}, {}, sb, {}, transA={}, transB={}, dtype={}{})\nr = Cast(y, to=1)",
      c.c_type != 0 ? "cc" : "_", c.scale_a ? "sa" : "_", c.scale_y ? "sy" : "_", c.turned_a ? 1 : 0,
      c.turned_b ? 1 : 0, c.y_type, c.attributes.empty() ? "" : ", " + c.attributes);
  SCOPED_TRACE(inputs + " | " + body);
  const onnxrun::Model model =
      onnxrun::Model::from_text("onnxrun text 1\nir_version 10\nopset ai.onnx 21\nopset com.microsoft 1\ngraph g(" +
                                inputs + ") -> (r) {\n" + body + "\n}\n");
  const Tensor expected = onnxrun::Session(model).run(values).at("r");
  onnxrun::Session session(model, options);
  const int64_t before = float8_products();
  int64_t asked = 0;
  for (int run = 0; run < c.runs; ++run) {
    const Tensor result = session.run(values).at("r");
    if (run == 0) asked = float8_products() - before;
    const std::vector<double> got = result.doubles(), want = expected.doubles();
    EXPECT_EQ(result.shape(), expected.shape());
    double largest = 1;
    for (const double value : want) largest = std::max(largest, std::fabs(value));
    for (size_t i = 0; i < want.size() && i < got.size(); ++i) {
      const double near = c.y_type == kE4M3 || c.y_type == kE5M2 ? std::fabs(want[i]) + 0.02 : largest;
      if (!(std::fabs(got[i] - want[i]) <= tolerance_of(c.y_type) * near)) {
        ADD_FAILURE() << "element " << i << " is " << got[i] << ", expected " << want[i];
        break;
      }
    }
  }
  return asked;
}

TEST(CudaFloat8, GivesEachTypeOfEachPairOfTypes) {
  for (const int a : {kE4M3, kE5M2})
    for (const int b : {kE4M3, kE5M2})
      for (const int y : {kFloat, kHalf, kBfloat, kE4M3, kE5M2}) {
        const bool multiplies = a == kE4M3 || b == kE4M3;
        EXPECT_EQ(compare({.m = 7, .k = 32, .n = 48, .a_type = a, .b_type = b, .y_type = y}), multiplies ? 1 : 0);
      }
}

TEST(CudaFloat8, BringsMatricesIntoTheLayoutOfTheLibrary) {
  for (const bool turned_a : {false, true})
    for (const bool turned_b : {false, true})
      for (const auto& [m, k, n] :
           {std::array<int64_t, 3>{16, 32, 64}, {1, 16, 16}, {5, 37, 16}, {66, 64, 70}, {130, 129, 131}, {3, 1, 1}})
        for (const int y : {kFloat, kBfloat})
          EXPECT_EQ(compare({.m = m, .k = k, .n = n, .y_type = y, .turned_a = turned_a, .turned_b = turned_b}), 1);
}

TEST(CudaFloat8, EndsProducts) {
  for (const int y : {kFloat, kHalf, kE4M3})
    for (const char* activation : {"", "activation='RELU'", "activation='GELU', alpha=0.25"})
      for (const bool scale_y : {false, true}) {
        Case c{.m = 9, .k = 48, .n = 32, .y_type = y, .attributes = activation, .scale_y = scale_y};
        EXPECT_EQ(compare(c), 1);
        c.c_type = y == kE4M3 ? kBfloat : y;
        c.c = {32};
        c.attributes += std::string(c.attributes.empty() ? "" : ", ") + "beta=1.0";
        EXPECT_EQ(compare(c), 1);
        c.c = {9, 1}, c.c_type = kFloat;
        EXPECT_EQ(compare(c), 1);
        c.n = 33, c.c = {9, 33}, c.scale_b = {33};
        EXPECT_EQ(compare(c), 1);
      }
  // A C that counts for nothing, and one with a factor.
  EXPECT_EQ(compare({.m = 9, .k = 48, .n = 32, .c = {32}, .c_type = kFloat, .scale_a = false}), 1);
  EXPECT_EQ(compare({.m = 9, .k = 48, .n = 32, .y_type = kHalf, .attributes = "beta=-0.5", .c = {}, .c_type = kHalf}),
            1);
}

TEST(CudaFloat8, TakesStacksOfMatrices) {
  EXPECT_EQ(compare({.m = 5, .k = 32, .n = 16, .attributes = "beta=1.0", .c = {5, 16}, .c_type = kFloat, .stack = {3}}),
            1);
  EXPECT_EQ(compare({.m = 5, .k = 33, .n = 18, .y_type = kHalf, .turned_b = false, .stack = {3}}), 1);
}

TEST(CudaFloat8, MultipliesNothing) {
  for (const int y : {kFloat, kHalf, kE5M2}) {
    const std::string beta = "beta=2.0";
    EXPECT_EQ(compare({.m = 4, .k = 0, .n = 6, .y_type = y, .attributes = beta, .c = {6}, .c_type = kFloat}), 0);
    EXPECT_EQ(compare({.m = 0, .k = 16, .n = 16, .y_type = y}), 0);
    EXPECT_EQ(compare({.m = 16, .k = 16, .n = 0, .y_type = y}), 0);
  }
}

// Sums that do not lie in the result are made in chunks of rows.
TEST(CudaFloat8, TakesManyRowsInChunks) {
  EXPECT_EQ(compare({.m = 66, .k = 3, .n = 65537, .y_type = kHalf, .runs = 1}), 2);
  const on_double::Variable machine("CUDA_DOUBLE", "no-float8");
  EXPECT_EQ(compare({.m = 66, .k = 3, .n = 65537, .y_type = kHalf, .turned_a = true, .runs = 1}), 0);
}

TEST(CudaFloat8, DoesWithoutTheLibrarysProducts) {
  const on_double::Variable machine("CUDA_DOUBLE", "no-float8");
  for (const bool turned : {false, true})
    for (const int y : {kFloat, kHalf, kE4M3})
      for (const int a : {kE4M3, kE5M2}) {
        Case c{.m = 7, .k = 35, .n = 18, .a_type = a, .y_type = y, .turned_a = turned, .turned_b = turned};
        EXPECT_EQ(compare(c), 0);
        c.k = 32, c.n = 48, c.attributes = "beta=1.0", c.c = {48}, c.c_type = kHalf;
        EXPECT_EQ(compare(c), 0);
      }
}

// Every code of both types, by way of each conversion: one times it, beside zeros.
TEST(CudaFloat8, KeepsEveryCode) {
  for (const int type : {kE4M3, kE5M2})
    for (const char* machine : {"", "no-float8"}) {
      const on_double::Variable played("CUDA_DOUBLE", machine);
      onnxrun::Model model = onnxrun::Model::from_text(fmt::format(
          "onnxrun text 1\nir_version 13\nopset ai.onnx 26\nopset com.microsoft 1\ngraph g(x: uint8[256,1], one: "
          "float32[1,1]) -> (y, z) {{\n"
          "a = BitCast(x, to={0})\nb = Cast(one, to=17)\nf = com.microsoft.GemmFloat8(a, b, transB=1)\n"
          "y = Identity(f)\nh = com.microsoft.GemmFloat8(a, b, transB=1, dtype={0})\nz = Cast(h, to=1)\n}}\n",
          type));
      std::vector<uint8_t> codes(256);
      for (size_t i = 0; i < 256; ++i) codes[i] = static_cast<uint8_t>(i);
      Tensor one(ONNXRUN_DTYPE_FLOAT32, {1, 1});
      one.set(std::vector<double>{1});
      const onnxrun::NamedValues values{{"x", Tensor::from<uint8_t>({256, 1}, codes)}, {"one", one}};
      const auto expected = onnxrun::Session(model).run(values), got = onnxrun::Session(model, cuda()).run(values);
      for (const char* name : {"y", "z"}) {
        const std::vector<double> want = Tensor(expected.at(name)).doubles(), have = Tensor(got.at(name)).doubles();
        for (size_t i = 0; i < 256; ++i) {
          if (std::isnan(want[i]) && std::isnan(have[i])) continue;
          EXPECT_EQ(have[i], want[i]) << name << " of code " << i;
        }
      }
    }
}

// A quantised model's product between its parts, and what decides whether it becomes one of float8.
struct Quantised {
  std::string product = "y = MatMul(da, db)";
  std::string weights_scale = "t: float32[] = 0.02";
  std::string axis = {};
  int type = kFloat;  // of the scales, and so of the result
};

// `reference`: the options of the session on the CPU that results are compared with.
int64_t run_quantised(const Quantised& how, const onnxrun::Options& options, double tolerance,
                      const onnxrun::Options& reference = {{"level", "0"}}) {
  const std::string body = fmt::format(
      "s: float32[] = 0.03\n{}\nss = Cast(s, to={})\ntt = Cast(t, to={})\nxx = Cast(x, to={})\nbb = Cast(w, "
      "to=17)\n"
      "qa = QuantizeLinear(xx, ss, output_dtype=17)\nda = DequantizeLinear(qa, ss)\ndb = DequantizeLinear(bb, "
      "tt{})\n{}\nr = Cast(y, to=1)",
      how.weights_scale, how.type, how.type, how.type, how.axis, how.product);
  SCOPED_TRACE(body);
  const onnxrun::Model model = onnxrun::Model::from_text(
      "onnxrun text 1\nir_version 10\nopset ai.onnx 21\ngraph g(x: float32[b,s,40], w: float32[40,24], c: float32[24]) "
      "-> (r) {\n" +
      body + "\n}\n");
  const onnxrun::NamedValues values{
      {"x", drawn({2, 5, 40}, 1, 9)}, {"w", drawn({40, 24}, 2, 400)}, {"c", drawn({24}, 3, 9)}};
  const auto expected = onnxrun::Session(model, reference).run(values);
  const int64_t before = float8_products();
  on_double::expect_near(onnxrun::Session(model, options).run(values), expected, tolerance, body);
  return float8_products() - before;
}

onnxrun::Options medium(const std::string& providers = "cuda") {
  onnxrun::Options options = cuda({}, providers);
  options.set("float32_matmul_precision", "medium");
  return options;
}

TEST(CudaFloat8, TakesProductsOfQuantisedModels) {
  EXPECT_EQ(run_quantised({}, medium(), 1e-4), 1);
  EXPECT_EQ(run_quantised({.product = "p = MatMul(da, db)\ny = Add(p, c)"}, medium(), 1e-4), 1);
  std::string columns;
  for (int i = 0; i < 24; ++i) columns += (i == 0 ? "" : ", ") + std::to_string(0.01 * (1 + i % 5));
  EXPECT_EQ(run_quantised({.weights_scale = "t: float32[24] = {" + columns + "}", .axis = ", axis=1"}, medium(), 1e-4),
            1);
  EXPECT_EQ(run_quantised({.type = kHalf}, cuda(), 2e-2), 1);
}

TEST(CudaFloat8, LeavesProductsThatAreToKeepTheirBits) {
  EXPECT_EQ(run_quantised({}, cuda(), 1e-4), 0);
  // The CPU may round what it multiplies to bfloat16: by itself it does so, too.
  EXPECT_EQ(run_quantised({}, medium("cpu,cuda"), 1e-4, {{"float32_matmul_precision", "medium"}}), 0);
  EXPECT_EQ(run_quantised({.product = "e = Add(db, db)\ny = MatMul(da, e)"}, medium(), 1e-2), 0);
}

}  // namespace
