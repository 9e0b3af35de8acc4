// Comparing the values of a run with what inference said of them, which debug builds do after every step.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/value.h"
#include "ir/fact.h"

namespace onnxrun::run {

#ifdef ONNXRUN_DEBUG
inline constexpr bool kChecksFacts = true;
#else
inline constexpr bool kChecksFacts = false;
#endif

class FactCheck {
 public:
  // Starts a run; symbols have the sizes that they have in `outer`, when given.
  void begin(const FactCheck* outer);
  // Takes the sizes of symbols from an input or a capture. A symbol that gets two sizes stands for nothing.
  void bind(const ir::Fact& fact, const onnxrun_tensor& view);

  // Throws kInternal where type, rank or a dim contradicts the fact; `what` names the value. A view of dtype 0 is no tensor and is not looked at.
  void check(const ir::Fact& fact, const onnxrun_tensor& view, std::string_view what) const;

 private:
  ir::Dim size_of(const ir::Dim& dim) const;

  std::unordered_map<std::string, std::optional<int64_t>> sizes_;
};

}  // namespace onnxrun::run
