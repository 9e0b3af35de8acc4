// Kernels that take rows, planes, packs and tiles in ways that depend on sizes: on both sides of each limit, to the CPU's results.
#include "on_double.h"

#include <cmath>
#include <limits>

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

struct Extreme {
  double at;  // in parts of the row
  double value;
};

// Rows that several blocks take, and their neighbours that one does: along the memory, across it, and over axes apart.
TEST(CudaShapes, LongRows) {
  struct Case {
    onnxrun::Shape dims;
    std::vector<int64_t> reduced;
  };
  for (const auto& [dims, reduced] :
       {Case{{1, 8191}, {1}}, Case{{1, 8192}, {1}}, Case{{1, 70001}, {0, 1}}, Case{{3, 20011}, {1}},
        Case{{1023, 9}, {0}}, Case{{1024, 8}, {0}}, Case{{5003, 3}, {0}}, Case{{2, 4500, 11}, {1}},
        Case{{3, 3001, 5}, {0, 1}}, Case{{3000, 2, 7}, {0, 2}}})
    for (const char* op : {"ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL1", "ReduceL2", "ReduceLogSum",
                           "ReduceLogSumExp", "ReduceMax", "ReduceMin"}) {
      const std::string dtype = std::string(op) == "ReduceMean" ? "float16" : "float32";
      Tensor x(dtype == "float16" ? ONNXRUN_DTYPE_FLOAT16 : ONNXRUN_DTYPE_FLOAT32, dims);
      std::vector<double> values(static_cast<size_t>(x.count()));
      for (size_t i = 0; i < values.size(); ++i) values[i] = 1 + std::sin(0.7 * static_cast<double>(i)) * 0.9;
      x.set(values);
      const std::string rank = dims.size() == 2 ? "[a,b]" : "[a,b,c]";
      expect_as_on_cpu("x: " + dtype + rank + ", axes: int64[k]", std::string("r = ") + op + "(x, axes, keepdims=0)",
                       {{"x", x}, {"axes", axes(reduced)}}, 2e-3);
    }
}

TEST(CudaShapes, FirstElementsOfLongRows) {
  for (const char* op : {"ArgMax", "ArgMin"})
    for (const char* last : {"0", "1"})
      expect_as_on_cpu("x: float16[a,b,c]",
                       std::string("r = ") + op + "(x, axis=1, keepdims=0, select_last_index=" + last + ")",
                       {{"x", waves({2, 8501, 3}, ONNXRUN_DTYPE_FLOAT16)}}, 0);
}

// What stands in one piece of a row decides about all of it.
TEST(CudaShapes, LongRowsOfExtremes) {
  const double infinite = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  for (const bool across : {false, true})
    for (const std::vector<Extreme>& extremes :
         std::vector<std::vector<Extreme>>{{{0.4, none}},
                                           {{0, none}, {0.99, infinite}},
                                           {{0.6, infinite}},
                                           {{0.6, -infinite}},
                                           {{0.1, 1000}, {0.8, 1000}},
                                           {{0.1, -1000}, {0.8, -1000}},
                                           {{0.2, infinite}, {0.8, -infinite}}}) {
      const int64_t rows = across ? 8 : 1, size = across ? 1100 : 8500;
      Tensor x(ONNXRUN_DTYPE_FLOAT32, across ? onnxrun::Shape{size, rows} : onnxrun::Shape{rows, size});
      std::vector<double> values(static_cast<size_t>(x.count()), -0.5);
      for (const auto& [at, value] : extremes)
        values[static_cast<size_t>(std::floor(at * static_cast<double>(size))) * static_cast<size_t>(rows)] = value;
      x.set(values);
      const std::string axis = across ? "0" : "1";
      for (const char* op : {"ReduceMax", "ReduceMin", "ReduceSum", "ReduceLogSumExp", "ArgMax", "ArgMin"})
        for (const char* last : {"0", "1"}) {
          const bool is_arg = op[0] == 'A';
          if (!is_arg && last[0] == '1') continue;
          const onnxrun::Model model =
              is_arg ? model_of("x: float32[n,m]", "r",
                                std::string("r = ") + op + "(x, axis=" + axis + ", select_last_index=" + last + ")")
                     : model_of("x: float32[n,m], axes: int64[1]", "r",
                                std::string("c = ") + op + "(x, axes)\nr = Cast(c, to=1)");
          onnxrun::NamedValues inputs{{"x", x}};
          if (!is_arg) inputs.emplace_back("axes", axes({across ? 0 : 1}));
          const Session on_cpu(model, {{"level", "0"}}), on_device(model, cuda());
          const auto want = Tensor(on_cpu.run(inputs).at("r")).doubles(),
                     got = Tensor(on_device.run(inputs).at("r")).doubles();
          ASSERT_EQ(got.size(), want.size());
          for (size_t i = 0; i < want.size(); ++i) {
            if (std::isnan(want[i])) EXPECT_TRUE(std::isnan(got[i])) << op << " " << i << ": " << got[i];
            else if (std::isinf(want[i])) EXPECT_EQ(got[i], want[i]) << op << " " << i;
            else EXPECT_NEAR(got[i], want[i], 1e-4 * (1 + std::fabs(want[i]))) << op << " " << i;
          }
        }
    }
}

TEST(CudaShapes, LongRowsOfIntegers) {
  for (const auto& [dtype, name] : {std::pair{ONNXRUN_DTYPE_INT32, "int32"}, std::pair{ONNXRUN_DTYPE_INT64, "int64"}})
    for (const char* op :
         {"ReduceSum", "ReduceProd", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceMax", "ReduceLogSumExp"})
      for (const onnxrun::Shape& dims : {onnxrun::Shape{2, 30001}, onnxrun::Shape{30001, 9}}) {
        Tensor x(dtype, dims);
        std::vector<double> values(static_cast<size_t>(x.count()));
        for (size_t i = 0; i < values.size(); ++i) values[i] = i % 1000 == 0 ? -1 : i % 7 == 0 && op[6] != 'P' ? 5 : 1;
        x.set(values);
        expect_as_on_cpu("x: " + std::string(name) + "[n,m], axes: int64[1]", std::string("r = ") + op + "(x, axes)",
                         {{"x", x}, {"axes", axes({dims[0] == 2 ? 1 : 0})}}, 0);
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
