// Throwing errors with formatted messages.
#pragma once

#include <fmt/core.h>

#include <onnxrun/error.hpp>

#include <string>
#include <utility>
#include <vector>

// Lists print as "[1, 2, 3]". (fmt's own header for this is heavy, and this one is in every file.)
template <class T>
struct fmt::formatter<std::vector<T>> {
  constexpr auto parse(format_parse_context& context) { return context.begin(); }
  template <class Context>
  auto format(const std::vector<T>& list, Context& context) const {
    std::string text = "[";
    for (size_t i = 0; i < list.size(); ++i) text += (i ? ", " : "") + fmt::format("{}", list[i]);
    text += "]";
    auto out = context.out();
    for (char c : text) *out++ = c;
    return out;
  }
};

namespace onnxrun::base {

using onnxrun::Code;
using onnxrun::Error;

// Throws Error{code, formatted message}.
template <class... Args>
[[noreturn]] void fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace onnxrun::base
