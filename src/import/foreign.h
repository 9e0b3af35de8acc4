// Recognises files of other formats that are given by mistake, and says how to get to ONNX from there.
#pragma once

#include <optional>
#include <string>

#include "import/wire.h"

namespace onnxrun::import {

// What the bytes are and what to do, e.g. "a PyTorch checkpoint; ..."; nullopt when they may be ONNX.
std::optional<std::string> recognise(Bytes bytes);

// The same for a path that is a folder (SavedModel and others).
std::optional<std::string> recognise_path(const std::string& path);

}  // namespace onnxrun::import
