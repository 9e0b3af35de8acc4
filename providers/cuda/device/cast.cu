// Cast between the types that take whole bytes.
#include <cmath>

#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

// Floats to integers: cut off; what does not fit is taken modulo the integer's size, as a conversion through int64 does.
template <class To>
struct Convert {
  __host__ __device__ explicit Convert(const Formula&) {}
  template <class From>
  __device__ auto operator()(From x) const {
    if constexpr (std::is_same_v<To, bool>) return x != From(0);
    else if constexpr (std::is_same_v<To, __half> || std::is_same_v<To, __nv_bfloat16>) {
      if constexpr (std::is_same_v<From, float>) return x;
      else return static_cast<double>(x);
    } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      if (!(x >= From(-9223372036854775808.0) && x < From(9223372036854775808.0))) {
        if constexpr (std::is_same_v<To, uint64_t>)
          if (x >= From(9223372036854775808.0) && x < From(18446744073709551616.0)) return static_cast<To>(x);
        return static_cast<To>(INT64_MIN);
      }
      return static_cast<To>(static_cast<int64_t>(x));
    } else {
      return static_cast<To>(x);
    }
  }
};

template <class From, class To>
void launch_cast(const Queue& queue, const void* x, void* y, int64_t count) {
  launch_one<Convert<To>, From, To>(queue, {}, x, y, count);
}

}  // namespace

CastLaunch find_cast(DType from, DType to) {
  using All = JoinElements<NumberElements, Elements<bool>>;
  CastLaunch result = nullptr;
  with_element(All{}, from, [&]<class A>(std::type_identity<A>) {
    with_element(All{}, to, [&]<class B>(std::type_identity<B>) { result = launch_cast<A, B>; });
  });
  return result;
}

}  // namespace onnxrun::cuda
