// Comparing what a run brings with the types its program was made for: kernels were chosen for these, and some come from a file's declarations alone.
#pragma once

#include <string_view>

#include "ir/fact.h"
#include "run/frame.h"

namespace onnxrun::run {

// Whether the kinds and element types agree, unknown parts of the fact agreeing with anything; elements of sequences are looked at when they are taken out.
bool has_type(const ir::Fact& fact, const Feed& value);

// The same, rank and known dims included.
bool fits(const ir::Fact& fact, const Feed& value);

// Throws kRunFailed; `what` names the value.
[[noreturn]] void refuse(const ir::Fact& fact, const Feed& value, std::string_view what);

}  // namespace onnxrun::run
