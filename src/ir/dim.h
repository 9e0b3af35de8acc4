// Symbolic dimensions: overflow-checked integer expressions over named symbols, in a canonical form so that equal ones compare equal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onnxrun::ir {

struct DimExpr;
struct DimRange;

// A dimension (or an element of a shape-carrying tensor): a constant, an expression such as `floor((height + 2) / 2)`, or unknown. A
// cheap value type; constants take no memory of their own. Expressions are polynomials with integer coefficients over atoms
// (symbols, floor_div, ceil_div, mod, min, max), kept sorted; those that grow too long become unknown. Arithmetic on
// constants throws kLimitExceeded on overflow and kInvalidArgument on division by zero.
class Dim {
 public:
  Dim() = default;  // unknown
  Dim(int64_t value) : kind_(Kind::kConstant), value_(value) {}
  static Dim symbol(std::string_view name);

  bool is_constant() const noexcept { return kind_ == Kind::kConstant; }
  bool is_unknown() const noexcept { return kind_ == Kind::kUnknown; }
  bool is_symbolic() const noexcept { return kind_ == Kind::kExpr; }
  // The constant's value; -1 unless is_constant().
  int64_t value() const noexcept { return is_constant() ? value_ : -1; }

  // "12", "batch", "2*batch + 1"; "?" when unknown.
  std::string to_string() const;

  // Calls `visit` with each symbol's name (repeats possible).
  void visit_symbols(const std::function<void(std::string_view)>& visit) const;

  // The expression with symbols replaced by what `lookup` gives (unknown results keep the symbol).
  Dim substitute(const std::function<Dim(std::string_view)>& lookup) const;

  // Equal constants or provably equal expressions; unknown equals nothing, not even itself.
  friend bool operator==(const Dim& a, const Dim& b);

  friend Dim operator+(const Dim& a, const Dim& b);
  friend Dim operator-(const Dim& a, const Dim& b);
  friend Dim operator*(const Dim& a, const Dim& b);
  friend Dim floor_div(const Dim& a, const Dim& b);
  friend Dim ceil_div(const Dim& a, const Dim& b);
  friend Dim mod(const Dim& a, const Dim& b);  // of the divisor's sign
  friend Dim min(const Dim& a, const Dim& b);
  friend Dim max(const Dim& a, const Dim& b);

  friend DimRange range_of(const Dim& dim);

  // a / b if provably without remainder, e.g. (6*n) / (2*n); unknown otherwise.
  friend Dim exact_div(const Dim& a, const Dim& b);

 private:
  friend struct DimExpr;
  enum class Kind : uint8_t { kUnknown, kConstant, kExpr };
  explicit Dim(std::shared_ptr<const DimExpr> expr) : kind_(Kind::kExpr), expr_(std::move(expr)) {}
  Kind kind_ = Kind::kUnknown;
  int64_t value_ = 0;
  std::shared_ptr<const DimExpr> expr_;
};

Dim floor_div(const Dim& a, const Dim& b);
Dim ceil_div(const Dim& a, const Dim& b);
Dim mod(const Dim& a, const Dim& b);
Dim min(const Dim& a, const Dim& b);
Dim max(const Dim& a, const Dim& b);
Dim exact_div(const Dim& a, const Dim& b);

using Shape = std::vector<Dim>;

// The values that an expression can take, both ends included: INT64_MIN and INT64_MAX stand for "no bound". Symbols are sizes: 0 or more. Empty of
// nothing: unknown dims can be anything.
struct DimRange {
  int64_t low = INT64_MIN, high = INT64_MAX;

  bool holds(int64_t value) const { return low <= value && value <= high; }
};
DimRange range_of(const Dim& dim);
// Of a - b, which may be known better than those of both.
DimRange range_of_difference(const Dim& a, const Dim& b);

// Product of the dims.
Dim element_count(const Shape& shape);

// "[batch,3,?]".
std::string to_string(const Shape& shape);

// The shape as numbers when every dim is constant.
std::optional<std::vector<int64_t>> concrete(const Shape& shape);

// A shape of constants.
Shape make_shape(const std::vector<int64_t>& dims);

}  // namespace onnxrun::ir
