// Digests of model files and of what they say.
#pragma once

#include <string>

#include "ir/graph.h"

namespace onnxrun::api {

// SHA-256 of a file; "" when it cannot be read.
std::string file_digest(const std::string& path);

// SHA-256 over the imported graph and the metadata: interface, nodes in order with attributes and bodies, constants by value. Equal for files that differ in how
// they were serialised: field order, packing, external or embedded tensors, raw or typed data. Names count.
std::string content_digest(const ir::Model& model);

}  // namespace onnxrun::api
