// Writing the kernel of a chain: a line a step.
#include "cuda/host/chain_source.h"

#include <bit>
#include <iterator>
#include <string_view>

#include "base/error.h"
#include "cuda/device/chain_formulas.h"

namespace onnxrun::cuda {

namespace {

#define ONNXRUN_TEXT_OF_(...) #__VA_ARGS__
#define ONNXRUN_TEXT_OF(...) ONNXRUN_TEXT_OF_(__VA_ARGS__)
#define ONNXRUN_CHAIN_VALUE(name, ...) #__VA_ARGS__,

constexpr std::string_view kValues[] = {ONNXRUN_CHAIN_STEPS(ONNXRUN_CHAIN_VALUE)};

constexpr std::string_view kFloat32 = R"(
typedef float element;
__device__ inline float chain_load(element x) { return x; }
__device__ inline element chain_store(float x) { return x; }
)";

// A NaN stays one; all else is rounded to nearest even.
constexpr std::string_view kBfloat16 = R"(
typedef unsigned short element;
__device__ inline float chain_load(element x) { return __int_as_float((int)((unsigned int)x << 16)); }
__device__ inline element chain_store(float x) {
  const unsigned int bits = (unsigned int)__float_as_int(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (element)((bits >> 16) | 0x40u);
  return (element)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
)";

std::string number(float value) {
  return fmt::format("__int_as_float((int)0x{:08x}u)", std::bit_cast<uint32_t>(value));
}

std::string offset(int input, int rank, ChainForm form) {
  if (form == ChainForm::kWhole) return "i";
  if (form == ChainForm::kSingle || rank == 0) return "0";
  std::string text;
  for (int d = 0; d < rank; ++d) text += fmt::format("{}at{} * c.steps[{}][{}]", d == 0 ? "" : " + ", d, input, d);
  return text;
}

}  // namespace

bool has_chain_source(base::DType type) { return type == base::DType::kFloat32 || type == base::DType::kBfloat16; }

std::string chain_source(const Chain& chain, base::DType type, int rank, const ChainForm (&forms)[kMaxChainInputs]) {
  std::string text;
  const auto line = [&]<class... A>(fmt::format_string<A...> format, A&&... values) {
    fmt::format_to(std::back_inserter(text), format, std::forward<A>(values)...);
    text += '\n';
  };
  line("struct ChainArguments {{");
  line("  const void* in[{}];\n  void* out;\n  long long count;", kMaxChainInputs);
  line("  long long dims[{}];\n  long long steps[{}][{}];\n}};", kMaxAxes, kMaxChainInputs, kMaxAxes);
  text += "#define chain_device __device__\n";
  text += ONNXRUN_TEXT_OF(ONNXRUN_CHAIN_FUNCTIONS);
  text += type == base::DType::kFloat32 ? kFloat32 : kBfloat16;
  line("extern \"C\" __global__ void {}(ChainArguments c) {{", kChainKernel);
  line("  const long long step = (long long)gridDim.x * blockDim.x;");
  line("  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < c.count; i += step) {{");
  bool strided = false;
  for (int k = 0; k < chain.inputs; ++k) strided |= forms[k] == ChainForm::kStrided;
  if (strided) {
    line("    long long rest = i;");
    for (int d = rank - 1; d > 0; --d)
      line(
          "    const long long next{0} = rest / c.dims[{0}], at{0} = rest - next{0} * c.dims[{0}];\n    rest = "
          "next{0};",
          d);
    if (rank > 0) line("    const long long at0 = rest;");
  }
  for (int k = 0; k < chain.inputs; ++k)
    line("    const float v{} = chain_load(((const element*)c.in[{}])[{}]);", k, k, offset(k, rank, forms[k]));
  for (int s = 0; s < chain.count; ++s) {
    const ChainStep& step = chain.steps[s];
    line("    float v{};", chain.inputs + s);
    line("    {{\n      const float a = v{}, b = v{}, p = {}, q = {};", step.operands[0], step.operands[1],
         number(step.numbers[0]), number(step.numbers[1]));
    line("      (void)b, (void)p, (void)q;");
    line("      v{} = {};\n    }}", chain.inputs + s, kValues[step.op]);
  }
  line("    ((element*)c.out)[i] = chain_store(v{});\n  }}\n}}", chain.inputs + chain.count - 1);
  return text;
}

}  // namespace onnxrun::cuda
