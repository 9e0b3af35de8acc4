// Scales that move what is hard to quantise from the activations of products to their weights: places where a value has outliers are made smaller, and the
// weights that they meet larger. G. Xiao, J. Lin and others: SmoothQuant, arXiv 2211.10438.
#pragma once

#include "quantise/quantise.h"

namespace onnxrun::quantise {

// The values that products with constant weights read, with their last axis.
Wanted wanted_for_smoothing(const ir::Graph& graph);

// Scales each such value by place, in the normalisation that makes it or by a Mul, and the weights by the opposite. `strength`: how much of the range of a place goes to the
// weights, 0 to 1. Returns how many values were scaled.
size_t smooth(Work& work, double strength);

}  // namespace onnxrun::quantise
