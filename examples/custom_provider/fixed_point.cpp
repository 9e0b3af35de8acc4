// A provider "fixed" that computes matrix products as a small accelerator would: in fixed point, with weights packed once. For --provider-library.
//
// The setting bits=N (8, 12 or 16; default 12) is how many bits lie behind the point. What it does not take stays with the providers listed after it.
#include <onnxrun/provider.hpp>

#include <charconv>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>

namespace {

using onnxrun::Code;
using onnxrun::Error;
using namespace onnxrun::provider;

template <int kBits>
struct Fixed {
  static int32_t from(float x) {
    const double scaled = std::nearbyint(static_cast<double>(x) * (1 << kBits));
    return static_cast<int32_t>(std::fmin(std::fmax(scaled, INT32_MIN), INT32_MAX));
  }
  static float to(int64_t product) {
    return static_cast<float>(static_cast<double>(product) / (1 << kBits) / (1 << kBits));
  }
};

// [rows, inner] x a constant [inner, columns].
template <int kBits>
class MatMul {
 public:
  static Acceptance accepts(const Node& node) {
    const onnxrun_tensor &x = node.input(0), &w = node.input(1);
    if (x.dtype != ONNXRUN_DTYPE_FLOAT32) return Acceptance::decline("takes float32 only");
    if (w.data == nullptr || w.rank != 2) return Acceptance::decline("the weights are no constant matrix");
    if (x.rank < 1) return Acceptance::decline("the rank is not known");
    return Acceptance().pack(static_cast<uint64_t>(count(w)) * sizeof(int32_t), {1});
  }
  static void pack(const Node& node, void* bytes) {
    const onnxrun_tensor& w = node.input(1);
    for (int64_t i = 0; i < count(w); ++i)
      static_cast<int32_t*>(bytes)[i] = Fixed<kBits>::from(static_cast<const float*>(w.data)[i]);
  }

  MatMul(const Node& node, const void* packed) : weights_(static_cast<const int32_t*>(packed)) {
    inner_ = dims(node.input(1))[0];
    columns_ = dims(node.input(1))[1];
    rows_ = inner_ == 0 ? 0 : count(node.input(0)) / inner_;
    if (inner_ == 0) throw Declined{"a sum over nothing"};
  }

  void run(RunContext& context) const {
    const auto* const x = context.in<float>(0);
    auto* const y = context.out<float>(0);
    context.parallel(rows_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        if (context.cancelled()) return;
        for (int64_t column = 0; column < columns_; ++column) {
          int64_t sum = 0;
          for (int64_t i = 0; i < inner_; ++i)
            sum += int64_t{Fixed<kBits>::from(x[row * inner_ + i])} * weights_[i * columns_ + column];
          y[row * columns_ + column] = Fixed<kBits>::to(sum);
        }
      }
    });
  }

 private:
  const int32_t* weights_;
  int64_t rows_ = 0, inner_ = 0, columns_ = 0;
};

// The table that onnxrun gets, and what it points to.
struct Provider {
  KernelTable kernels;
  onnxrun_provider table{};

  template <int kBits>
  void add() {
    kernels.add<MatMul<kBits>>("", "MatMul", "fixed");
  }
};

int bits_of(const char* const* settings, size_t count) {
  int bits = 12;
  for (size_t i = 0; i < count; ++i) {
    const std::string_view setting = settings[i];
    constexpr std::string_view kBits = "bits=";
    const char* const end = setting.data() + setting.size();
    if (!setting.starts_with(kBits) || std::from_chars(setting.data() + kBits.size(), end, bits).ptr != end)
      throw Error(Code::kInvalidArgument, "there is no setting '" + std::string(setting) + "'; there is bits=N");
  }
  return bits;
}

}  // namespace

extern "C" ONNXRUN_EXPORT onnxrun_code onnxrun_provider_create(uint32_t abi_version, const char* const* settings,
                                                               size_t count, const onnxrun_provider** out,
                                                               onnxrun_sink* error) {
  return guard(error, [&] {
    if (abi_version != ONNXRUN_PROVIDER_ABI_VERSION)
      throw Error(Code::kUnsupported, "it was built for another version of the provider interface");
    auto provider = std::make_unique<Provider>();
    switch (bits_of(settings, count)) {
      case 8: provider->add<8>(); break;
      case 12: provider->add<12>(); break;
      case 16: provider->add<16>(); break;
      default: throw Error(Code::kInvalidArgument, "bits may be 8, 12 or 16");
    }
    onnxrun_provider& table = provider->table;
    table.abi_version = ONNXRUN_PROVIDER_ABI_VERSION;
    table.abi_revision = ONNXRUN_PROVIDER_ABI_REVISION;
    table.name = "fixed";
    table.description = "matrix products in fixed point, an example";
    table.kernels = provider->kernels.kernels().data();
    table.kernel_count = provider->kernels.kernels().size();
    table.self = provider.get();
    table.destroy = [](void* self) { delete static_cast<Provider*>(self); };
    *out = &provider.release()->table;
    return ONNXRUN_OK;
  });
}
