// Class probabilities from those of all pairs of classes.
#pragma once

#include <cstdint>
#include <span>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

// `pairs` is classes x classes, row-major: at [i,j] the probability of i where the class is i or j. Writes the probabilities of
// the classes, by the second method of Wu, Lin and Weng, "Probability Estimates for Multi-class Classification by Pairwise Coupling" (2004),
// iterated as LIBSVM does. `work` has classes x (classes + 1) elements. `pacer`, where given, ends the work of a cancelled run.
void couple_pairs(std::span<const double> pairs, std::span<double> probabilities, std::span<double> work,
                  Pacer* pacer = nullptr);

}  // namespace onnxrun::cpu
