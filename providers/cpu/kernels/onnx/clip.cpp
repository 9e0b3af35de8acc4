// Clip: min(max(x, low), high); an absent limit limits nothing, a NaN element stays.
#include <cstring>
#include <limits>

#include "cpu/loops/elementwise.h"

namespace onnxrun::cpu {
namespace {

template <class T>
struct Limits {
  T low, high;
};

template <class T>
void clip_row(const Row& row) {
  const auto [low, high] = *static_cast<const Limits<T>*>(row.parameters);
  unary_row<T, T>(row, [low = low, high = high](T x) {
    const T y = x < low ? low : x;
    return y > high ? high : y;
  });
}

class Clip {
 public:
  static Acceptance accepts(const Node& node) {
    if (kernel(work_type(dtype(node.input(0)))) == nullptr)
      return Acceptance::decline(fmt::format("no Clip for {}", base::dtype_name(dtype(node.input(0)))));
    return Acceptance().alias(0, 0);
  }

  explicit Clip(const Node& node)
      : work_(work_type(dtype(node.input(0)))),
        load_(converter(dtype(node.input(0)), work_)),
        loop_(node, 1, all_in(work_, kernel(work_))) {}

  void run(RunContext& context) const {
    dispatch(WideNumbers{}, work_, [&](auto t) {
      using T = typename decltype(t)::type;
      constexpr bool kFloat = std::numeric_limits<T>::has_infinity;
      Limits<T> limits{kFloat ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest(),
                       kFloat ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max()};
      if (context.has_input(1)) load_(context.input(1).data, &limits.low, 1);
      if (context.has_input(2)) load_(context.input(2).data, &limits.high, 1);
      loop_.run(context, &limits);
    });
  }

 private:
  static RowKernel kernel(DType work) {
    RowKernel result = nullptr;
    dispatch(WideNumbers{}, work, [&](auto t) { result = clip_row<typename decltype(t)::type>; });
    return result;
  }

  DType work_;
  Converter load_;
  ElementwiseLoop loop_;
};

}  // namespace

void kernels_onnx_clip(provider::KernelTable& table) { table.add<Clip>("", "Clip", "reference"); }

}  // namespace onnxrun::cpu
