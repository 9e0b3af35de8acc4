// Sound files (RIFF WAVE) as input tensors.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>

#include "room.h"

namespace cli {

// PCM of 8, 16, 24 or 32 bits and floating point of 32 or 64. Floating-point inputs get samples over 2^(bits - 1), integer ones the samples themselves. Where the channels
// go: an input of [samples], [1, samples] or [1, 1, samples], with free dimensions for 1, gets their mean; one whose dimension beside the samples equals their number gets
// each of them. Throws Failure naming `what`. Nothing is resampled. `taken` grows by what is made on the way.
onnxrun::Tensor wav_tensor(std::string_view bytes, const std::string& what, const onnxrun::Port& port, Taken& taken);

}  // namespace cli
