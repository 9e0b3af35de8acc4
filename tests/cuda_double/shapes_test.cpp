// Kernels that take rows, planes, packs and tiles in ways that depend on sizes: on both sides of each limit, to the CPU's results.
#include "on_double.h"

#include <cmath>

namespace {

using on_double::cuda;
using on_double::model_of;
using onnxrun::Session;
using onnxrun::Tensor;

Tensor waves(const onnxrun::Shape& shape, onnxrun_dtype dtype = ONNXRUN_DTYPE_FLOAT32) {
  Tensor tensor(dtype, shape);
  std::vector<double> values(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(0.7 * static_cast<double>(i)) * 3;
  tensor.set(values);
  return tensor;
}

Tensor axes(const std::vector<int64_t>& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

void expect_as_on_cpu(const std::string& inputs, const std::string& body, const onnxrun::NamedValues& values,
                      double tolerance = 1e-5) {
  const onnxrun::Model model = model_of(inputs, "r", body);
  const Session on_cpu(model, {{"level", "0"}}), on_device(model, cuda());
  on_double::expect_near(on_device.run(values), on_cpu.run(values), tolerance, inputs + ": " + body);
}

TEST(CudaShapes, Rows) {
  for (const int64_t size : {1, 7, 8, 9, 33, 64, 129, 256, 257, 513, 1030, 4096, 4097})
    for (const int64_t rows : {1, 5, 70}) {
      if (rows * size > 80000) continue;
      const Tensor x = waves({rows, size});
      for (const char* body : {"r = Softmax(x)", "r = LogSoftmax(x)", "r = ArgMax(x, axis=1, select_last_index=1)"})
        expect_as_on_cpu("x: float32[n,m]", body, {{"x", x}}, 1e-4);
      for (const char* body : {"r = ReduceMean(x, a)", "r = ReduceMax(x, a)"})
        for (const int64_t axis : {0, 1})
          expect_as_on_cpu("x: float32[n,m], a: int64[1]", body, {{"x", x}, {"a", axes({axis})}}, 1e-4);
      const Tensor scale = waves({size});
      expect_as_on_cpu("x: float32[n,m], s: float32[m]", "r = LayerNormalization(x, s, s)", {{"x", x}, {"s", scale}},
                       1e-3);
      expect_as_on_cpu("x: float32[n,m], s: float32[m]", "r = LayerNormalization(x, s)", {{"x", x}, {"s", scale}},
                       1e-3);
      expect_as_on_cpu("x: float32[n,m], s: float32[n,1]", "r = LayerNormalization(x, s)",
                       {{"x", x}, {"s", waves({rows, 1})}}, 1e-3);
    }
}

TEST(CudaShapes, RowsAcrossTheMemory) {
  for (const int64_t size : {3, 40})
    for (const int64_t inner : {5, 41, 4100}) {
      const Tensor x = waves({2, size, inner});
      for (const char* body : {"r = Softmax(x, axis=1)", "r = LpNormalization(x, axis=1)", "r = ArgMin(x, axis=1)"})
        expect_as_on_cpu("x: float32[a,b,c]", body, {{"x", x}}, 1e-3);
      for (const std::vector<int64_t>& reduced : std::vector<std::vector<int64_t>>{{0, 1, 2}, {1}, {0, 2}, {0, 1}, {0}})
        for (const char* body : {"r = ReduceSum(x, a)", "r = ReduceL2(x, a)", "r = ReduceMin(x, a)"})
          expect_as_on_cpu("x: float32[a,b,c], a: int64[k]", body, {{"x", x}, {"a", axes(reduced)}}, 1e-3);
    }
}

// Many elements are equal; of floats, some are no numbers, zeros of both signs or infinite.
Tensor with_equal_elements(onnxrun_dtype dtype, const onnxrun::Shape& shape) {
  const bool is_float = dtype != ONNXRUN_DTYPE_INT8 && dtype != ONNXRUN_DTYPE_UINT64 && dtype != ONNXRUN_DTYPE_INT64;
  Tensor x(dtype, shape);
  std::vector<double> values(static_cast<size_t>(x.count()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = std::floor(std::sin(0.7 * static_cast<double>(i)) * 100) / (is_float ? 4 : 1);
    if (dtype == ONNXRUN_DTYPE_UINT64) values[i] = std::fabs(values[i]);
    if (is_float && i % 11 == 3) values[i] = i % 4 == 0 ? NAN : i % 4 == 1 ? -0.0 : i % 4 == 2 ? INFINITY : 0.0;
  }
  x.set(values);
  return x;
}

// More of a row than one block sorts: rows of several tiles, sorted whole.
TEST(CudaShapes, MostElements) {
  expect_as_on_cpu("x: float32[a,b], k: int64[1]", "v, r = TopK(x, k)",
                   {{"x", with_equal_elements(ONNXRUN_DTYPE_FLOAT32, {2, 4100})}, {"k", axes({4100})}}, 0);
  expect_as_on_cpu("x: int64[a,b], k: int64[1]", "v, r = TopK(x, k, largest=0, axis=0)",
                   {{"x", with_equal_elements(ONNXRUN_DTYPE_INT64, {4096, 2})}, {"k", axes({2049})}}, 0);
}

TEST(CudaShapes, FirstElements) {
  struct Type {
    onnxrun_dtype dtype;
    const char* name;
  };
  for (const auto& [dtype, name] : {Type{ONNXRUN_DTYPE_FLOAT32, "float32"}, Type{ONNXRUN_DTYPE_FLOAT16, "float16"},
                                    Type{ONNXRUN_DTYPE_FLOAT64, "float64"}, Type{ONNXRUN_DTYPE_INT8, "int8"},
                                    Type{ONNXRUN_DTYPE_UINT64, "uint64"}, Type{ONNXRUN_DTYPE_INT64, "int64"}})
    for (const auto& [size, k] : {std::pair<int64_t, int64_t>{40, 5}, {40, 40}, {700, 9}, {1100, 300}}) {
      const bool is_float =
          dtype != ONNXRUN_DTYPE_INT8 && dtype != ONNXRUN_DTYPE_UINT64 && dtype != ONNXRUN_DTYPE_INT64;
      for (const bool across : {false, true}) {
        const Tensor x = with_equal_elements(dtype, across ? onnxrun::Shape{size, 3} : onnxrun::Shape{3, size});
        for (const char* largest : {"0", "1"})
          expect_as_on_cpu(std::string("x: ") + name + "[a,b], k: int64[1]",
                           std::string("v, r = TopK(x, k, largest=") + largest + ", axis=" + (across ? "0" : "1") + ")",
                           {{"x", x}, {"k", axes({k})}}, 0);
        if (!is_float)
          expect_as_on_cpu(std::string("x: ") + name + "[a,b], k: int64[1]",
                           std::string("r, i = TopK(x, k, axis=") + (across ? "0" : "1") + ")",
                           {{"x", x}, {"k", axes({k})}}, 0);
      }
    }
}

TEST(CudaShapes, Pools) {
  for (const int64_t side : {7, 20}) {
    const Tensor x = waves({2, 3, side, side + 1});
    for (const char* body :
         {"r = MaxPool(x, kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1])",
          "r = MaxPool(x, kernel_shape=[2,3], dilations=[3,2], pads=[0,2,2,1])",
          "y, r = MaxPool(x, kernel_shape=[3,2], strides=[2,1], storage_order=1)",
          "r = MaxPool(x, kernel_shape=[3,3], strides=[2,2], ceil_mode=1)",
          "r = AveragePool(x, kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1])",
          "r = AveragePool(x, kernel_shape=[3,3], strides=[2,2], pads=[1,0,1,2], count_include_pad=1)",
          "r = AveragePool(x, kernel_shape=[6,5], strides=[3,4], ceil_mode=1)",
          "r = MaxPool(x, kernel_shape=[5,6], pads=[2,5,2,5])", "r = LpPool(x, kernel_shape=[2,2])",
          "r = GlobalAveragePool(x)", "r = GlobalMaxPool(x)"})
      expect_as_on_cpu("x: float32[a,b,c,d]", body, {{"x", x}}, 1e-4);
  }
  for (const char* body : {"r = MaxPool(x, kernel_shape=[3,2,3], dilations=[1,2,1], pads=[1,0,1,1,1,1])",
                           "r = AveragePool(x, kernel_shape=[2,3,2], strides=[1,2,2])"})
    expect_as_on_cpu("x: float32[a,b,c,d,e]", body, {{"x", waves({2, 2, 4, 7, 9})}}, 1e-4);
  expect_as_on_cpu("x: float16[a,b,c]", "r = MaxPool(x, kernel_shape=[3], strides=[2])",
                   {{"x", waves({2, 3, 33}, ONNXRUN_DTYPE_FLOAT16)}}, 1e-3);
}

TEST(CudaShapes, PacksOfElements) {
  for (const int64_t inner : {1, 3, 4, 6, 16, 37})
    for (const int64_t outer : {1, 6}) {
      for (const onnxrun_dtype dtype : {ONNXRUN_DTYPE_FLOAT32, ONNXRUN_DTYPE_FLOAT16, ONNXRUN_DTYPE_INT8}) {
        const std::string type = dtype == ONNXRUN_DTYPE_FLOAT32   ? "float32"
                                 : dtype == ONNXRUN_DTYPE_FLOAT16 ? "float16"
                                                                  : "int8";
        const Tensor x = waves({outer, inner}, dtype);
        for (const onnxrun::Shape& shape :
             {onnxrun::Shape{inner}, onnxrun::Shape{outer, 1}, onnxrun::Shape{1}, onnxrun::Shape{outer, inner}})
          expect_as_on_cpu("x: " + type + "[a,b], y: " + type + (shape.size() == 1 ? "[c]" : "[a,c]"), "r = Add(y, x)",
                           {{"x", x}, {"y", waves(shape, dtype)}}, 1e-2);
        expect_as_on_cpu("x: " + type + "[a,b]", "r = Abs(x)", {{"x", x}}, 1e-2);
        expect_as_on_cpu("x: " + type + "[a,b]", "y = Cast(x, to=11)\n r = Neg(y)", {{"x", x}}, 1e-2);
      }
      // What Split leaves starts anywhere.
      expect_as_on_cpu("x: float32[a,b]", "z, y = Split(x, axis=0)\n r = Concat(y, z, axis=1)",
                       {{"x", waves({outer * 2, inner})}});
    }
}

TEST(CudaShapes, Transpositions) {
  for (const onnxrun_dtype dtype : {ONNXRUN_DTYPE_FLOAT32, ONNXRUN_DTYPE_UINT8, ONNXRUN_DTYPE_FLOAT64})
    for (const onnxrun::Shape& shape :
         {onnxrun::Shape{2, 3, 33, 40}, onnxrun::Shape{3, 70, 9, 2}, onnxrun::Shape{1, 8, 64, 8}})
      for (const char* perm : {"0,1,3,2", "0,3,2,1", "0,2,1,3", "3,2,1,0", "0,2,3,1", "2,0,3,1"}) {
        const std::string type = dtype == ONNXRUN_DTYPE_FLOAT32 ? "float32"
                                 : dtype == ONNXRUN_DTYPE_UINT8 ? "uint8"
                                                                : "float64";
        Tensor x(dtype, shape);
        std::vector<double> values(static_cast<size_t>(x.count()));
        for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i % 251);
        x.set(values);
        expect_as_on_cpu("x: " + type + "[a,b,c,d]", std::string("r = Transpose(x, perm=[") + perm + "])", {{"x", x}},
                         0);
      }
}

// Bias, a sum and a clamp after a convolution, over planes that packs of elements divide, do not divide, and exceed.
TEST(CudaShapes, EndsOfConvolutions) {
  for (const onnxrun::Shape& places :
       {onnxrun::Shape{1, 1}, onnxrun::Shape{1, 3}, onnxrun::Shape{4, 4}, onnxrun::Shape{7, 7}})
    for (const int64_t channels : {1, 3, 8}) {
      const onnxrun::Shape whole{2, channels, places[0], places[1]};
      expect_as_on_cpu("x: float32[a,2,c,d], w: float32[m,2,1,1], b: float32[m], z: float32[a,m,c,d]",
                       "c = Conv(x, w, b)\n s = Add(c, z)\n r = Relu(s)",
                       {{"x", waves({2, 2, places[0], places[1]})},
                        {"w", waves({channels, 2, 1, 1})},
                        {"b", waves({channels})},
                        {"z", waves(whole)}},
                       1e-4);
      // Whose bias no library adds.
      for (const onnxrun_dtype dtype : {ONNXRUN_DTYPE_FLOAT32, ONNXRUN_DTYPE_FLOAT16}) {
        const std::string type = dtype == ONNXRUN_DTYPE_FLOAT32 ? "float32" : "float16";
        expect_as_on_cpu("x: " + type + "[a,2,c,d], w: " + type + "[2,m,1,1], b: " + type + "[m]",
                         "r = ConvTranspose(x, w, b)",
                         {{"x", waves({2, 2, places[0], places[1]}, dtype)},
                          {"w", waves({2, channels, 1, 1}, dtype)},
                          {"b", waves({channels}, dtype)}},
                         1e-2);
      }
    }
}

}  // namespace
