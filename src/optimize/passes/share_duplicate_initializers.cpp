// Lets readers of a constant read an earlier one of the same type, shape and elements.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <unordered_map>

#include "optimize/pipeline.h"
#include "optimize/reading.h"

namespace onnxrun::optimize {
namespace {

using base::Tensor;

// Of type, shape and a few bytes, so that large weights are not read whole unless another one looks the same.
size_t sampled_hash(const Tensor& tensor) {
  constexpr size_t kSample = 64, kSamples = 8;
  size_t hash = static_cast<size_t>(tensor.dtype());
  const auto mix = [&](size_t part) { hash = (hash ^ part) * size_t{0x9E3779B97F4A7C15} + (hash >> 29); };
  for (const int64_t dim : tensor.dims()) mix(static_cast<size_t>(dim));
  if (tensor.dtype() == base::DType::kString) return hash;
  const size_t bytes = tensor.bytes();
  const auto* data = static_cast<const char*>(tensor.stored());
  for (size_t k = 0; k < kSamples && k * kSample < bytes; ++k) {
    const size_t at = bytes <= kSample * kSamples ? k * kSample : (bytes - kSample) / (kSamples - 1) * k;
    mix(std::hash<std::string_view>{}({data + at, std::min(kSample, bytes - at)}));
  }
  return hash;
}

bool is_host_constant(const ir::Value& value) {
  return !value.removed && value.producer == ir::kNone && !value.is_input && value.outer == ir::kNone &&
         value.fact.constant && value.fact.constant.memory() == ONNXRUN_MEMORY_HOST && !value.consumers.empty();
}

}  // namespace

MatchResult match_share_duplicate_initializers(const PassContext& context) {
  // Of constants that look alike, as many are compared with the next.
  constexpr size_t kMaxAlike = 16;
  const ir::Graph& graph = context.graph;
  ir::Patch patch(graph, "share equal constants");
  std::unordered_map<size_t, std::vector<ir::ValueId>> alike;
  for (size_t i = 0; i < graph.value_count(); ++i) {
    const auto id = static_cast<ir::ValueId>(i);
    if (!is_host_constant(graph.value(id)) || graph.is_output(id)) continue;
    const Tensor& tensor = graph.value(id).fact.constant;
    std::vector<ir::ValueId>& earlier = alike[sampled_hash(tensor)];
    const auto same = std::ranges::find_if(earlier, [&](ir::ValueId other) {
      const Tensor& candidate = graph.value(other).fact.constant;
      return candidate.dims() == tensor.dims() && same_elements(candidate, tensor);
    });
    if (same != earlier.end()) patch.replace(id, *same);
    else if (earlier.size() < kMaxAlike) earlier.push_back(id);
  }
  if (patch.empty()) return MatchResult::none("no two constants are equal");
  return patch;
}

}  // namespace onnxrun::optimize
