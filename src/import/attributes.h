// AttributeProto to attribute values.
#pragma once

#include <optional>

#include "import/context.h"

namespace onnxrun::import {

// The value of an attribute that is neither a graph nor a reference. Sparse tensors become dense.
ir::AttributeValue read_attribute(Context& context, const AttributeView& attribute);

}  // namespace onnxrun::import
