// Scales that make the channels between two convolutions of a like size: what the first gives and the second reads then fits one grid. The model computes the same, for
// what lies between is positively homogeneous. M. Nagel, M. van Baalen and others: Data-Free Quantization Through Weight Equalization and Bias Correction, arXiv
// 1906.04721, section 4.1.
#pragma once

#include "quantise/work.h"

namespace onnxrun::quantise {

// Returns how many pairs of convolutions were scaled.
size_t equalise(Work& work);

}  // namespace onnxrun::quantise
