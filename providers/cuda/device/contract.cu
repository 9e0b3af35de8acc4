// Einsum: a thread an output element.
#include "cuda/device/contract.h"

#include "cuda/device/element.h"
#include "cuda/device/launch.h"

namespace onnxrun::cuda {
namespace {

template <class T, int N>
__global__ void contract(Contraction<N> how, T* y) {
  using Sum = std::conditional_t<std::is_integral_v<T>, uint64_t, WorkOf<T>>;
  for (int64_t item = first_item(); item < how.kept.count; item += item_step()) {
    int64_t at[N], moved[N];
    how.kept.offsets(item, at);
    Sum sum = 0;
    for (int64_t term = 0; term < how.summed.count; ++term) {
      how.summed.offsets(term, moved);
      Sum product = 1;
      for (int k = 0; k < how.terms; ++k)
        product *= static_cast<Sum>(widen(static_cast<const T*>(how.inputs[k])[at[k] + moved[k]]));
      sum += product;
    }
    y[item] = narrow<T>(sum);
  }
}

template <class T, int N>
void launch_contract(const Queue& queue, const Contraction<N>& how, void* y) {
  if (how.kept.count > 0) launch(queue, contract<T, N>, blocks_for(how.kept.count), kThreads, how, static_cast<T*>(y));
}

}  // namespace

template <int N>
ContractLaunch<N> find_contract(DType type) {
  ContractLaunch<N> result = nullptr;
  with_element(JoinElements<FloatElements, UnsignedElements>{}, base::unsigned_of(type),
               [&]<class T>(std::type_identity<T>) { result = launch_contract<T, N>; });
  return result;
}
template ContractLaunch<2> find_contract<2>(DType type);
template ContractLaunch<kMaxTerms> find_contract<kMaxTerms>(DType type);

}  // namespace onnxrun::cuda
