// Mixtures of experts: which experts a token takes, their projections, and what comes of them.
#pragma once

#include <cstdint>

#include "base/dtype.h"
#include "cuda/device/queue.h"

namespace onnxrun::cuda {

// Each token takes the `taken` experts with the highest scores, of equal ones the first.
struct Routing {
  int64_t tokens = 0, experts = 0, taken = 1;
  bool normalize = false;                    // weights add up to 1
  base::DType type = base::DType::kFloat32;  // of scores and weights
  const void* scores = nullptr;
  const void* weights = nullptr;  // for each token and expert; null: the softmax of the scores
};
// chosen[token, taken] and shares[token, taken].
void launch_route(const Queue& queue, const Routing& how, int64_t* chosen, float* shares);

// Items in the order of their experts, cut into tiles of up to kTileItems items of one expert.
constexpr int64_t kTileItems = 8;
struct ExpertTiles {
  int64_t count = 0;  // of tiles; those behind the last that is needed are empty
  int32_t* order = nullptr;
  int32_t* tiles = nullptr;    // the expert, and where its items begin and end in `order`, each
  int32_t* experts = nullptr;  // scratch memory: where the items of each expert go
};
// The most tiles that there can be.
inline int64_t expert_tiles(int64_t items, int64_t experts) {
  return items / kTileItems + (items < experts ? items : experts);
}
// Fills `tiles`; all items and experts are below 2^31.
void launch_expert_tiles(const Queue& queue, int64_t items, int64_t experts, const int64_t* chosen,
                         const ExpertTiles& tiles);

// y[item, row] = x[item / shared, columns] . weights[chosen[item], row, columns] + bias[chosen[item], row]. Weights are floats of a type, or codes of
// 2, 4 or 8 bits in rows of whole bytes, less a zero point and times a scale for each `block` (0: for the row).
struct ExpertProduct {
  int64_t items = 0, shared = 1, rows = 0, columns = 0;
  const int64_t* chosen = nullptr;
  base::DType x_type = base::DType::kFloat32;
  base::DType weight_type = base::DType::kFloat32, scale_type = base::DType::kFloat32,
              bias_type = base::DType::kFloat32;
  int64_t bits = 0, block = 0;
  const void* weights = nullptr;
  const void* scales = nullptr;  // null: weights are floats
  const void* bias = nullptr;    // or null
  const uint8_t* zeros =
      nullptr;        // packed along the rows where a row has one, else along its blocks; null: half of the codes
  ExpertTiles tiles;  // of the items; none: an item after the other
};
void launch_expert_product(const Queue& queue, const ExpertProduct& how, const void* x, float* y);

// opened[item, i] of the first and third projections.
enum class ExpertOpening { kRelu, kGelu, kSilu, kIdentity, kSwiglu };
struct Opening {
  int64_t items = 0, inner = 0;
  ExpertOpening activation = ExpertOpening::kRelu;
  int64_t fusion = 0;  // of SwiGLU: 0 in two matrices, 1 interleaved in one, 2 one after the other
  float alpha = 1, beta = 0, limit = 0;
};
void launch_open(const Queue& queue, const Opening& how, const float* first, const float* third, float* opened);

// y[token, i] = sum over what it has taken of share * x[token, taken, i].
void launch_join(const Queue& queue, int64_t tokens, int64_t taken, int64_t size, const float* shares, const float* x,
                 base::DType type, void* y);

}  // namespace onnxrun::cuda
