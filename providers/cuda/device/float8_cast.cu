// Cast between float8 and the floats of 16 and 32 bits.
#include "cuda/device/float8_code.h"
#include "cuda/device/map.h"

namespace onnxrun::cuda {
namespace {

template <class Q>
struct FromFloat8 {
  __host__ __device__ explicit FromFloat8(const Formula&) {}
  __device__ float operator()(Q element) const { return float8_value(element); }
};
template <class Q, bool kSaturate>
struct ToFloat8 {
  __host__ __device__ explicit ToFloat8(const Formula&) {}
  __device__ Q operator()(float value) const { return float8_of<Q::kDType>(value, kSaturate); }
};

template <class F, class In, class Out>
void launch_cast(const Queue& queue, const void* x, void* y, int64_t count) {
  launch_one<F, In, Out>(queue, {}, x, y, count);
}

}  // namespace

CastLaunch find_float8_cast(DType from, DType to, bool saturate) {
  using Floats = Elements<float, __half, __nv_bfloat16>;
  CastLaunch result = nullptr;
  with_float8(from, [&]<class Q>(std::type_identity<Q>) {
    with_element(Floats{}, to, [&]<class T>(std::type_identity<T>) { result = launch_cast<FromFloat8<Q>, Q, T>; });
  });
  with_float8(to, [&]<class Q>(std::type_identity<Q>) {
    with_element(Floats{}, from, [&]<class T>(std::type_identity<T>) {
      result = saturate ? launch_cast<ToFloat8<Q, true>, T, Q> : launch_cast<ToFloat8<Q, false>, T, Q>;
    });
  });
  return result;
}

}  // namespace onnxrun::cuda
