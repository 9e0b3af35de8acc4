// The equation of Einsum, parsed to labelled dimensions.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace onnxrun::ops {

// Dimensions by label. Labels below kFirstEllipsis are letters; those from it on are the dims of the ellipsis, counted from its right.
struct EinsumTerms {
  static constexpr int kFirstEllipsis = 256;
  std::vector<std::vector<int>> inputs;
  std::vector<int> output;
};

namespace einsum_detail {

// The labels of one term; an ellipsis stands for `ellipsis` dims, -1 where none is allowed.
inline std::vector<int> labels(std::string_view term, int64_t ellipsis, std::string_view equation) {
  std::vector<int> result;
  bool seen = false;
  for (size_t i = 0; i < term.size(); ++i) {
    const char c = term[i];
    if (c == ' ') continue;
    if (c == '.') {
      if (term.substr(i, 3) != "..." || seen || ellipsis < 0)
        base::fail(base::Code::kInvalidModel, "attribute 'equation' is '{}': misplaced '.'", equation);
      seen = true;
      i += 2;
      for (int64_t d = ellipsis; d-- > 0;) result.push_back(EinsumTerms::kFirstEllipsis + static_cast<int>(d));
    } else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
      result.push_back(static_cast<unsigned char>(c));
    } else {
      base::fail(base::Code::kInvalidModel, "attribute 'equation' is '{}': unexpected character '{}'", equation, c);
    }
  }
  return result;
}

inline int64_t letters(std::string_view term) {
  return std::count_if(term.begin(), term.end(), [](char c) { return c != ' ' && c != '.'; });
}

}  // namespace einsum_detail

// Parses an equation for inputs of the given ranks. Throws kInvalidModel.
inline EinsumTerms parse_einsum(std::string_view equation, std::span<const int64_t> ranks) {
  using base::Code;
  EinsumTerms result;
  const size_t arrow = equation.find("->");
  std::vector<std::string_view> terms;
  for (std::string_view left = equation.substr(0, arrow);;) {
    const size_t comma = left.find(',');
    terms.push_back(left.substr(0, comma));
    if (comma == std::string_view::npos) break;
    left.remove_prefix(comma + 1);
  }
  if (terms.size() != ranks.size())
    base::fail(Code::kInvalidModel, "attribute 'equation' is '{}' with {} terms for {} inputs", equation, terms.size(),
               ranks.size());
  int64_t widest = 0;
  std::array<int, EinsumTerms::kFirstEllipsis> uses{};
  for (size_t i = 0; i < terms.size(); ++i) {
    const bool dots = terms[i].find('.') != std::string_view::npos;
    const int64_t rest = ranks[i] - einsum_detail::letters(terms[i]);
    if (rest < 0 || (!dots && rest != 0))
      base::fail(Code::kInvalidModel, "attribute 'equation' is '{}': term {} does not fit an input of rank {}",
                 equation, i, ranks[i]);
    result.inputs.push_back(einsum_detail::labels(terms[i], dots ? rest : -1, equation));
    if (dots) widest = std::max(widest, rest);
    for (int label : result.inputs.back())
      if (label < EinsumTerms::kFirstEllipsis) ++uses[static_cast<size_t>(label)];
  }
  if (arrow == std::string_view::npos) {
    for (int64_t d = widest; d-- > 0;) result.output.push_back(EinsumTerms::kFirstEllipsis + static_cast<int>(d));
    for (int label = 0; label < EinsumTerms::kFirstEllipsis; ++label)
      if (uses[static_cast<size_t>(label)] == 1) result.output.push_back(label);
    return result;
  }
  result.output = einsum_detail::labels(equation.substr(arrow + 2), widest, equation);
  for (size_t i = 0; i < result.output.size(); ++i) {
    const int label = result.output[i];
    if (label < EinsumTerms::kFirstEllipsis && uses[static_cast<size_t>(label)] == 0)
      base::fail(Code::kInvalidModel, "attribute 'equation' is '{}': output label '{}' is in no input", equation,
                 static_cast<char>(label));
    if (std::find(result.output.begin(), result.output.begin() + static_cast<std::ptrdiff_t>(i), label) !=
        result.output.begin() + static_cast<std::ptrdiff_t>(i))
      base::fail(Code::kInvalidModel, "attribute 'equation' is '{}': an output label is repeated", equation);
  }
  return result;
}

}  // namespace onnxrun::ops
