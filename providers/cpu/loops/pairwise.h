// Class probabilities from those of all pairs of classes.
#pragma once

#include <cstdint>
#include <span>

namespace onnxrun::cpu {

// `pairs` is classes x classes, row-major: at [i,j] the probability of i where the class is i or j. Writes the probabilities of
// the classes, by the second method of Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling" (2004),
// iterated as LIBSVM does. `work` has classes x (classes + 1) elements.
void couple_pairs(std::span<const double> pairs, std::span<double> probabilities, std::span<double> work);

}  // namespace onnxrun::cpu
