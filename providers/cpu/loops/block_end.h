// The activation that ends a kernel, applied to what it has just stored.
#pragma once

#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/row.h"
#include "ops/attributes/activation.h"

namespace onnxrun::cpu {

class BlockEnd {
 public:
  // By the name of ONNX's operator and its parameters (alpha and beta; of Clip its bounds), the operator's own where there are
  // none; no name is none. Nullopt for what is unknown here, and for bounds that exclude 0.
  static std::optional<BlockEnd> find(std::string_view name, const std::vector<float>& parameters);

  bool present() const { return clamps_ || row_ != nullptr; }
  // Whether it is a clamp between low() and high(), which a kernel may do before it stores.
  bool clamps() const { return clamps_; }
  float low() const { return low_; }
  float high() const { return high_; }

  // What is left to do to whole blocks of `block` lanes, of which the first `channels` count and the others are kept zero.
  void apply(float* values, int64_t count, int64_t block, int64_t channels) const;
  // All of it, to values that are in no blocks.
  void finish(float* values, int64_t count) const;

 private:
  bool clamps_ = false;
  float low_ = -std::numeric_limits<float>::infinity(), high_ = std::numeric_limits<float>::infinity();
  RowKernel row_ = nullptr;
  ops::ActivationAttributes parameters_;
  bool lifts_zero_ = false;  // makes something else of 0
};

// Of a FusedConv or FusedGemm, as their attributes say; none for nodes without them.
std::optional<BlockEnd> end_of_convolution(const Node& node);
std::optional<BlockEnd> end_of_product(const Node& node);

}  // namespace onnxrun::cpu
