// PRelu: x where it is not negative, slope * x elsewhere.
#include "cpu/loops/fast.h"

namespace onnxrun::cpu {
namespace {

struct Rectify {
  template <class T>
  static T of(T x, T slope) {
    if constexpr (std::is_floating_point_v<T>) return x < T(0) ? slope * x : x;
    else if constexpr (std::is_signed_v<T>) {
      using U = std::make_unsigned_t<T>;
      return x < 0 ? static_cast<T>(static_cast<U>(slope) * static_cast<U>(x)) : x;
    } else return x;
  }
};

struct PRelu {
  static constexpr size_t kInputs = 2;
  static RowChoice choose(const Node& node) {
    using Elements = Types<float, double, int32_t, int64_t, uint32_t, uint64_t>;
    const DType work = work_type(dtype(node.input(0)));
    RowChoice result;
    dispatch(Elements{}, work,
             [&](auto t) { result = all_in(work, binary_kernel<Rectify, typename decltype(t)::type>); });
    return result;
  }
};

}  // namespace

void kernels_onnx_prelu(provider::KernelTable& table) {
  table.add<ElementwiseKernel<Fast<PRelu>>>("", "PRelu", "simd");
  table.add<ElementwiseKernel<PRelu>>("", "PRelu", "reference");
}

}  // namespace onnxrun::cpu
