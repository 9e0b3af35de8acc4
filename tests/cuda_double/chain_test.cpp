// Chains of elementwise operators on the double: interpreted and compiled, to the CPU's results; and the sources, by the real compilers where they are.
#include "on_double.h"

#include <dlfcn.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numeric>

#include "cuda/host/chain_source.h"
#include "ops/attributes/elementwise_steps.h"

extern "C" int64_t cuda_double_compiled_launches();

namespace {

using namespace onnxrun::cuda;
using on_double::cuda;
using on_double::model_of;
using onnxrun::Session;
using onnxrun::Tensor;
using onnxrun::base::DType;

std::vector<double> doubles(size_t count, double first, double step) {
  std::vector<double> result(count);
  for (size_t i = 0; i < count; ++i) result[i] = first + step * static_cast<double>(i % 37);
  return result;
}

Tensor made(onnxrun_dtype dtype, const onnxrun::Shape& shape, double first, double step) {
  Tensor tensor(dtype, shape);
  tensor.set(doubles(static_cast<size_t>(tensor.count()), first, step));
  return tensor;
}

// Over x [2,n,width], y [n,1] or [width], z []. Widths that packs of elements do not divide are read element by element.
void expect_as_on_cpu(const std::string& type, onnxrun_dtype dtype, double tolerance, const std::string& body,
                      bool compiled, int64_t width = 5, bool y_along = false) {
  const std::string w = std::to_string(width), y_shape = y_along ? "[" + w + "]" : "[n,1]";
  const onnxrun::Model model =
      model_of("x: " + type + "[2,n," + w + "], y: " + type + y_shape + ", z: " + type + "[]", "r", body);
  const Session on_cpu(model, {{"level", "0"}}), session(model, cuda({compiled ? "compile=1" : "compile=0"}));
  const int64_t before = cuda_double_compiled_launches();
  for (const int64_t n : {3, 40}) {
    const onnxrun::NamedValues inputs{{"x", made(dtype, {2, n, width}, -2, 0.11)},
                                      {"y", y_along ? made(dtype, {width}, 0.5, 0.03) : made(dtype, {n, 1}, 0.5, 0.03)},
                                      {"z", made(dtype, {}, 1.25, 0)}};
    std::string profile;
    const std::vector<double> got = session.run(inputs, {.profile = &profile}).at("r").doubles();
    const std::vector<double> want = on_cpu.run(inputs).at("r").doubles();
    EXPECT_NE(profile.find("\"op\":\"onnxrun.Elementwise\""), std::string::npos) << profile;
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) {
      if (std::isnan(want[i]) && std::isnan(got[i])) continue;
      ASSERT_NEAR(got[i], want[i], tolerance * (1 + std::fabs(want[i]))) << type << " " << i << " " << body;
    }
  }
  EXPECT_EQ(cuda_double_compiled_launches() - before, compiled ? 2 : 0) << type;
}

const char* const kPrograms[] = {
    "a = Add(x, y)\n b = Mul(a, z)\n c = Sigmoid(b)\n r = Sub(c, x)",
    "a = Div(x, y)\n b = LeakyRelu(a, alpha=0.25)\n c = Tanh(b)\n d = Max(c, z)\n e = Sqrt(d)\n r = Min(e, x)",
    "a = Erf(x)\n b = Softplus(a)\n c = Elu(b, alpha=1.5)\n d = HardSigmoid(c, alpha=0.3, beta=0.4)\n r = Log(d)",
};

TEST(CudaChains, AreInterpreted) {
  for (const char* program : kPrograms) {
    expect_as_on_cpu("float32", ONNXRUN_DTYPE_FLOAT32, 1e-5, program, false);
    expect_as_on_cpu("float16", ONNXRUN_DTYPE_FLOAT16, 1e-2, program, false);
    expect_as_on_cpu("bfloat16", ONNXRUN_DTYPE_BFLOAT16, 6e-2, program, false);
  }
}

TEST(CudaChains, AreCompiled) {
  expect_as_on_cpu("float32", ONNXRUN_DTYPE_FLOAT32, 1e-5, kPrograms[0], true);
  expect_as_on_cpu("float32", ONNXRUN_DTYPE_FLOAT32, 1e-5, kPrograms[1], true);
  expect_as_on_cpu("bfloat16", ONNXRUN_DTYPE_BFLOAT16, 6e-2, kPrograms[2], true);
  expect_as_on_cpu("float16", ONNXRUN_DTYPE_FLOAT16, 1e-2, kPrograms[0], true);
}

TEST(CudaChains, AreCompiledForPacks) {
  for (const bool along : {false, true}) {
    expect_as_on_cpu("float32", ONNXRUN_DTYPE_FLOAT32, 1e-5, kPrograms[0], true, 12, along);
    expect_as_on_cpu("bfloat16", ONNXRUN_DTYPE_BFLOAT16, 6e-2, kPrograms[0], true, 16, along);
    expect_as_on_cpu("float16", ONNXRUN_DTYPE_FLOAT16, 1e-2, kPrograms[0], true, 16, along);
  }
}

// All 65536 patterns, with sums that lose bits, products below the normal range and beyond the range: the interpreter's bits.
TEST(CudaChains, ConvertFloat16AsTheInterpreterDoes) {
  const onnxrun::Model model = model_of("x: float16[n], y: float16[]", "r", "a = Mul(x, y)\n r = Add(a, y)");
  const Session interpreted(model, cuda({"compile=0"})), compiled(model, cuda({"compile=1", "graphs=0"}));
  // 5 more make the last pack incomplete.
  Tensor x(ONNXRUN_DTYPE_FLOAT16, {65536 + 5});
  auto* patterns = reinterpret_cast<uint16_t*>(x.mutable_bytes().data());
  for (size_t i = 0; i < 65536 + 5; ++i) patterns[i] = static_cast<uint16_t>(i);
  for (const double y : {1.0, -0.0, 0x1p-12, 0x1.004p-14, 1.5, 65504.0}) {
    Tensor factor(ONNXRUN_DTYPE_FLOAT16, {});
    factor.set(std::vector<double>{y});
    const onnxrun::NamedValues inputs{{"x", x}, {"y", factor}};
    const int64_t before = cuda_double_compiled_launches();
    const Tensor got = compiled.run(inputs).at("r");
    EXPECT_EQ(cuda_double_compiled_launches() - before, 1);
    const Tensor same = interpreted.run(inputs).at("r");
    const auto* bits = reinterpret_cast<const uint16_t*>(got.bytes().data());
    const auto* want = reinterpret_cast<const uint16_t*>(same.bytes().data());
    for (size_t i = 0; i < 65536 + 5; ++i) ASSERT_EQ(bits[i], want[i]) << i << " with " << y;
  }
}

// Every operator that chains may have, two steps each, in every form of input.
std::vector<std::string> sources() {
  std::vector<std::string> result;
  for (const DType type : {DType::kFloat32, DType::kFloat16, DType::kBfloat16})
    for (const int rank : {1, 3}) {
      const ChainForm forms[kMaxChainInputs] = {ChainForm::kWhole, rank == 1 ? ChainForm::kSingle : ChainForm::kStrided,
                                                ChainForm::kSingle};
      Chain chain;
      chain.inputs = 3;
      const auto emit = [&] {
        if (chain.count > 0) result.push_back(chain_source(chain, type, rank, forms));
        chain.count = 0;
      };
      for (int op = 0; op < kChainOperators; ++op) {
        ChainStep& step = chain.steps[chain.count];
        step.op = op;
        step.operands[0] = chain.count == 0 ? 0 : 2 + chain.count;
        step.operands[1] = 1 + chain.count % 2;
        step.numbers[0] = 0.5f;
        step.numbers[1] = std::numeric_limits<float>::infinity();
        if (++chain.count == kMaxChainSteps) emit();
      }
      emit();
    }
  return result;
}

TEST(CudaChains, HaveSourcesThatNvccTakes) {
  const char* const nvcc = "/usr/local/cuda/bin/nvcc";
  if (access(nvcc, X_OK) != 0) GTEST_SKIP() << "this machine has no " << nvcc;
  std::string folder = testing::TempDir() + "chains_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::string whole;
  for (size_t i = 0; const std::string& source : sources()) {
    whole += "namespace n" + std::to_string(i) + " {\n" + source + "\n}\n";
    // A name of its own in one file of all.
    const size_t at = whole.rfind("void chain(");
    whole.replace(at, 11, "void chain" + std::to_string(i++) + "(");
  }
  std::ofstream(folder + "/chains.cu") << whole;
  const std::string command = std::string(nvcc) + " -arch=sm_80 --fmad=false -ptx -o '" + folder + "/chains.ptx' '" +
                              folder + "/chains.cu' 2>&1";
  FILE* output = popen(command.c_str(), "r");
  ASSERT_NE(output, nullptr);
  std::string said;
  char line[512];
  while (std::fgets(line, sizeof(line), output) != nullptr) said += line;
  EXPECT_EQ(pclose(output), 0) << said << whole;
  std::system(("rm -rf '" + folder + "'").c_str());
}

TEST(CudaChains, HaveSourcesThatNvrtcTakes) {
  void* library = dlopen("/usr/local/cuda/lib64/libnvrtc.so.13", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) GTEST_SKIP() << "this machine has no NVRTC";
  const auto create =
      reinterpret_cast<int (*)(void**, const char*, const char*, int, const char* const*, const char* const*)>(
          dlsym(library, "nvrtcCreateProgram"));
  const auto compile = reinterpret_cast<int (*)(void*, int, const char* const*)>(dlsym(library, "nvrtcCompileProgram"));
  const auto size = reinterpret_cast<int (*)(void*, size_t*)>(dlsym(library, "nvrtcGetCUBINSize"));
  const auto log = reinterpret_cast<int (*)(void*, char*)>(dlsym(library, "nvrtcGetProgramLog"));
  for (const std::string& source : sources()) {
    void* program = nullptr;
    ASSERT_EQ(create(&program, source.c_str(), "chain.cu", 0, nullptr, nullptr), 0);
    const char* options[] = {"--gpu-architecture=sm_80", "--fmad=false"};
    const int status = compile(program, 2, options);
    static char said[1 << 16];
    if (status != 0) log(program, said);
    ASSERT_EQ(status, 0) << said << source;
    size_t bytes = 0;
    EXPECT_EQ(size(program, &bytes), 0);
    EXPECT_GT(bytes, 1000u);
  }
}

}  // namespace
