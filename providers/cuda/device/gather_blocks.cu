// GatherBlockQuantized: a thread an element.
#include "cuda/device/gather_blocks.h"

#include "cuda/device/code.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__global__ void block_gather(BlockGather how, const uint8_t* x, void* y) {
  for (int64_t item = first_item(); item < how.outer * how.picks * how.inner; item += item_step()) {
    const int64_t row = item / how.inner, pick = row % how.picks;
    int64_t index =
        how.wide ? static_cast<const int64_t*>(how.indices)[pick] : static_cast<const int32_t*>(how.indices)[pick];
    if (index < 0) index += how.size;
    if (index < 0 || index >= how.size) {
      store_number(y, how.type, item, 0.0f);
      continue;
    }
    const int64_t from = (row / how.picks * how.size + index) * how.inner + item % how.inner;
    int64_t scale = 0, rest = from;
    for (int d = how.rank - 1; d >= 0; --d) {
      const int64_t coordinate = rest % how.dims[d];
      rest /= how.dims[d];
      if (d != how.quantized) scale += coordinate * how.steps[d];
      else if (how.block != 0) scale += coordinate / how.block * how.steps[d];
    }
    const float zero =
        how.zeros == nullptr
            ? how.middle
            : how.values[code_at(how.zeros, how.bits, scale / how.columns * how.row_codes + scale % how.columns)];
    const float value = how.values[code_at(x, how.bits, from)];
    store_number(y, how.type, item, (value - zero) * load_number<float>(how.scales, how.type, scale));
  }
}

}  // namespace

void launch_block_gather(const Queue& queue, const BlockGather& how, const uint8_t* x, void* y) {
  const int64_t count = how.outer * how.picks * how.inner;
  if (count > 0) launch(queue, block_gather, blocks_for(count), kThreads, how, x, y);
}

}  // namespace onnxrun::cuda
