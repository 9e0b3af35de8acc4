// Writing the kernel of a chain: a line a step.
#include "cuda/host/chain_source.h"

#include <bit>
#include <iterator>
#include <string_view>
#include <utility>

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

// On the device by its own instructions. Either way: to nearest even, and one NaN for all.
constexpr std::string_view kFloat16 = R"(
typedef unsigned short element;
#ifdef __CUDACC__
__device__ inline float chain_load(element x) {
  float y;
  asm("cvt.f32.f16 %0, %1;" : "=f"(y) : "h"(x));
  return y;
}
__device__ inline element chain_store(float x) {
  element y;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(y) : "f"(x));
  return y;
}
#else
__device__ inline float chain_load(element x) {
  const unsigned int sign = (x & 0x8000u) << 16, size = x & 0x7fffu;
  if (size >= 0x7c00u) return __int_as_float((int)(sign | 0x7f800000u | size << 13));
  const float y = __int_as_float((int)(size << 13)) * 0x1p112f;
  return __int_as_float((int)(sign | (unsigned int)__float_as_int(y)));
}
__device__ inline element chain_store(float x) {
  const unsigned int bits = (unsigned int)__float_as_int(x), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) return (element)0x7fffu;
  if (size >= 0x477ff000u) return (element)(sign | 0x7c00u);
  if (size < 0x38800000u)
    return (element)(sign | ((unsigned int)__float_as_int(__int_as_float((int)size) + 0.5f) - 0x3f000000u));
  return (element)(sign | ((size + 0xfffu + (size >> 13 & 1u) - 0x38000000u) >> 13));
}
#endif
)";

std::string number(float value) {
  return fmt::format("__int_as_float((int)0x{:08x}u)", std::bit_cast<uint32_t>(value));
}

// A text that grows by lines.
class Lines {
 public:
  template <class... A>
  void add(fmt::format_string<A...> format, A&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<A>(values)...);
    text_ += '\n';
  }
  void paste(std::string_view text) { text_ += text; }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// What the chain makes of one element of each input.
void write_value(Lines& lines, const Chain& chain) {
  lines.paste("__device__ inline float chain_value(");
  for (int k = 0; k < chain.inputs; ++k) lines.paste(fmt::format("{}float v{}", k == 0 ? "" : ", ", k));
  lines.add(") {{");
  for (int s = 0; s < chain.count; ++s) {
    const ChainStep& step = chain.steps[s];
    lines.add("  float v{};", chain.inputs + s);
    lines.add("  {{\n    const float a = v{}, b = v{}, p = {}, q = {};", step.operands[0], step.operands[1],
              number(step.numbers[0]), number(step.numbers[1]));
    lines.add("    (void)a, (void)b, (void)p, (void)q;");
    lines.add("    v{} = {};\n  }}", chain.inputs + s, kValues[step.op]);
  }
  lines.add("  return v{};\n}}", chain.inputs + chain.count - 1);
}

// Within a loop over elements i: the place in each axis, and a pointer s to each input's element.
void write_places(Lines& lines, const Chain& chain, int rank, const ChainForm (&forms)[kMaxChainInputs]) {
  bool strided = false;
  for (int k = 0; k < chain.inputs; ++k) strided |= forms[k] == ChainForm::kStrided;
  if (strided) {
    lines.add("    const long long from{} = i;", rank);
    for (int d = rank - 1; d > 0; --d) {
      lines.add(
          "    const long long from{0} = c.count < 0x80000000ll ? (unsigned int)from{1} / (unsigned int)c.dims[{0}]"
          " : from{1} / c.dims[{0}];",
          d, d + 1);
      lines.add("    const long long at{0} = from{1} - from{0} * c.dims[{0}];", d, d + 1);
    }
    if (rank > 0) lines.add("    const long long at0 = from1;");
  }
  for (int k = 0; k < chain.inputs; ++k) {
    std::string offset = forms[k] == ChainForm::kWhole ? " + i" : "";
    for (int d = 0; d < rank && forms[k] == ChainForm::kStrided; ++d)
      offset += fmt::format(" + at{} * c.steps[{}][{}]", d, k, d);
    lines.add("    const element* s{0} = (const element*)c.in[{0}]{1};", k, offset);
  }
}

std::string call(const Chain& chain, const char* element) {
  std::string text = "chain_value(";
  for (int k = 0; k < chain.inputs; ++k)
    text += fmt::format("{}chain_load({})", k == 0 ? "" : ", ", fmt::format(fmt::runtime(element), k));
  return text + ")";
}

}  // namespace

bool has_chain_source(base::DType type) { return chain_pack(type) != 0; }

std::string chain_source(const Chain& chain, base::DType type, int rank, const ChainForm (&forms)[kMaxChainInputs]) {
  const int pack = chain_pack(type);
  Lines lines;
  lines.add("struct ChainArguments {{");
  lines.add("  const void* in[{}];\n  void* out;\n  long long count;", kMaxChainInputs);
  lines.add("  long long dims[{}];\n  long long steps[{}][{}];", kMaxAxes, kMaxChainInputs, kMaxAxes);
  lines.add("  long long packs, packed;\n}};\n#define chain_device __device__");
  lines.paste(ONNXRUN_TEXT_OF(ONNXRUN_CHAIN_FUNCTIONS));
  lines.paste(type == base::DType::kFloat32 ? kFloat32 : type == base::DType::kFloat16 ? kFloat16 : kBfloat16);
  lines.add("struct alignas(16) chain_pack {{\n  element at[{}];\n}};", pack);
  write_value(lines, chain);
  lines.add("extern \"C\" __global__ void {}(ChainArguments c) {{", kChainKernel);
  lines.add("  const long long first = (long long)blockIdx.x * blockDim.x + threadIdx.x;");
  lines.add("  const long long step = (long long)gridDim.x * blockDim.x;");
  lines.add("  for (long long g = first; g < c.packs; g += step) {{\n    const long long i = g * {};", pack);
  write_places(lines, chain, rank, forms);
  for (int k = 0; k < chain.inputs; ++k) {
    lines.add("    chain_pack x{};", k);
    const std::string whole = fmt::format("x{0} = *(const chain_pack*)s{0};", k);
    const std::string single = fmt::format("for (int n = 0; n < {}; ++n) x{}.at[n] = s{}[n * t{}];", pack, k, k, k);
    if (forms[k] != ChainForm::kWhole)
      lines.add("    const long long t{} = {};", k,
                forms[k] == ChainForm::kStrided && rank > 0 ? fmt::format("c.steps[{}][{}]", k, rank - 1) : "0");
    if (forms[k] == ChainForm::kWhole) lines.add("    {}", whole);
    else if (forms[k] == ChainForm::kSingle) lines.add("    {}", single);
    else lines.add("    if (c.packed >> {} & 1) {}\n    else {}", k, whole, single);
  }
  lines.add("    chain_pack y;\n    for (int n = 0; n < {}; ++n) y.at[n] = chain_store({});", pack,
            call(chain, "x{}.at[n]"));
  lines.add("    ((chain_pack*)c.out)[g] = y;\n  }}");
  lines.add("  for (long long i = c.packs * {} + first; i < c.count; i += step) {{", pack);
  write_places(lines, chain, rank, forms);
  lines.add("    ((element*)c.out)[i] = chain_store({});\n  }}\n}}", call(chain, "*s{}"));
  return lines.take();
}

}  // namespace onnxrun::cuda
