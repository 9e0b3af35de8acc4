// Between ONNX's layout and the channels-last one.
#include "ops/channels_last.h"

#include "ops/emitter.h"

namespace onnxrun::ops {

ir::ValueId to_channels_first(ir::Expansion& e, ir::ValueId x) {
  Emitter emit(e);
  const int64_t rank = emit.rank(x, "X");
  if (rank < 3) return x;
  std::vector<int64_t> order = {0, rank - 1};
  for (int64_t i = 1; i + 1 < rank; ++i) order.push_back(i);
  return emit.transpose(x, order);
}

ir::ValueId to_channels_last(ir::Expansion& e, ir::ValueId x) {
  Emitter emit(e);
  const int64_t rank = emit.rank(x, "X");
  if (rank < 3) return x;
  std::vector<int64_t> order = {0};
  for (int64_t i = 2; i < rank; ++i) order.push_back(i);
  order.push_back(1);
  return emit.transpose(x, order);
}

}  // namespace onnxrun::ops
