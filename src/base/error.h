// Throwing errors with formatted messages.
#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <onnxrun/error.hpp>
#include <utility>

namespace onnxrun::base {

using onnxrun::Code;
using onnxrun::Error;

// Throws Error{code, formatted message}.
template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace onnxrun::base
