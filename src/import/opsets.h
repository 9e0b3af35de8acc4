// The versions of the format and of its operator sets that this build knows.
#pragma once

#include <cstdint>
#include <string_view>

namespace onnxrun::import {

inline constexpr int64_t kNewestIr = 14;
inline constexpr int64_t kNewestOpset = 28;

// The newest version of a domain's operator set; 0 for a domain that is not one of the standard ones.
int64_t newest_opset(std::string_view domain);

// Throws kUnsupported for a version newer than the newest known, kInvalidModel for one below 1.
void check_opset(std::string_view domain, int64_t opset);

// The oldest IR version that allows opset `opset` of ai.onnx.
int64_t ir_version_for(int64_t opset);

}  // namespace onnxrun::import
