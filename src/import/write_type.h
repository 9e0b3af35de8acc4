// Facts to TypeProto.
#pragma once

#include <protozero/pbf_writer.hpp>

#include "ir/fact.h"

namespace onnxrun::import {

// Writes the fields of a TypeProto. Unknown kinds and element types are left out.
void write_type(protozero::pbf_writer& writer, const ir::Fact& fact);

// Whether the fact has a type that TypeProto can say.
bool has_type(const ir::Fact& fact);

}  // namespace onnxrun::import
