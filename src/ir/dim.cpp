// Canonical polynomial arithmetic behind symbolic dimensions.
#include "ir/dim.h"

#include <algorithm>
#include <utility>

#include "base/checked.h"
#include "base/error.h"

namespace onnxrun::ir {

using base::checked_add;
using base::checked_mul;
using base::checked_sub;

namespace {

constexpr size_t kMaxTerms = 32;
constexpr size_t kMaxText = 1024;

enum class AtomKind : uint8_t { kSymbol, kFloorDiv, kCeilDiv, kMod, kMin, kMax };

}  // namespace

struct Atom {
  AtomKind kind;
  std::string text;  // the symbol's name, or the printed call: the identity of the atom
  Dim a, b;
};

using AtomPtr = std::shared_ptr<const Atom>;

struct Term {
  int64_t coefficient;
  std::vector<AtomPtr> atoms;  // sorted by text; empty: the constant term

  bool same_atoms(const Term& other) const {
    return atoms.size() == other.atoms.size() &&
           std::equal(atoms.begin(), atoms.end(), other.atoms.begin(),
                      [](const AtomPtr& x, const AtomPtr& y) { return x->text == y->text; });
  }
  std::string product_text() const {
    std::string text;
    for (const AtomPtr& atom : atoms) {
      if (!text.empty()) text += '*';
      text += atom->text;
    }
    return text;
  }
};

struct DimExpr {
  std::vector<Term> terms;  // sorted by product_text(), the constant last; no zero coefficients
  std::string text;

  static std::vector<Term> terms_of(const Dim& dim) {
    if (dim.is_constant()) {
      if (dim.value_ == 0) return {};
      return {Term{dim.value_, {}}};
    }
    return dim.expr_->terms;
  }

  static Dim build(std::vector<Term> terms) {
    std::vector<std::pair<std::string, Term>> keyed;
    keyed.reserve(terms.size());
    for (Term& term : terms) {
      std::string key = term.product_text();
      keyed.emplace_back(std::move(key), std::move(term));
    }
    std::stable_sort(keyed.begin(), keyed.end(), [](const auto& x, const auto& y) {
      if (x.first.empty() != y.first.empty()) return y.first.empty();
      return x.first < y.first;
    });
    auto expr = std::make_shared<DimExpr>();
    for (auto& [key, term] : keyed) {
      if (!expr->terms.empty() && expr->terms.back().same_atoms(term))
        expr->terms.back().coefficient = checked_add(expr->terms.back().coefficient, term.coefficient);
      else expr->terms.push_back(std::move(term));
    }
    std::erase_if(expr->terms, [](const Term& term) { return term.coefficient == 0; });
    if (expr->terms.empty()) return Dim(0);
    if (expr->terms.size() == 1 && expr->terms[0].atoms.empty()) return Dim(expr->terms[0].coefficient);
    if (expr->terms.size() > kMaxTerms) return Dim();
    for (const Term& term : expr->terms) {
      int64_t c = term.coefficient;
      if (expr->text.empty()) {
        if (c < 0 && !term.atoms.empty()) {
          expr->text += c == -1 ? "-" : std::to_string(c) + "*";
          expr->text += term.product_text();
          continue;
        }
      } else {
        expr->text += c < 0 ? " - " : " + ";
        if (c == INT64_MIN) return Dim();
        c = c < 0 ? -c : c;
      }
      if (term.atoms.empty()) expr->text += std::to_string(c);
      else expr->text += (c == 1 ? std::string() : std::to_string(c) + "*") + term.product_text();
    }
    if (expr->text.size() > kMaxText) return Dim();
    return Dim(std::shared_ptr<const DimExpr>(std::move(expr)));
  }

  static Dim call(AtomKind kind, const Dim& a, const Dim& b) {
    std::string text;
    switch (kind) {
      case AtomKind::kFloorDiv: text = "floor((" + a.to_string() + ")/(" + b.to_string() + "))"; break;
      case AtomKind::kCeilDiv: text = "ceil((" + a.to_string() + ")/(" + b.to_string() + "))"; break;
      case AtomKind::kMod: text = "mod(" + a.to_string() + ", " + b.to_string() + ")"; break;
      case AtomKind::kMin: text = "min(" + a.to_string() + ", " + b.to_string() + ")"; break;
      case AtomKind::kMax: text = "max(" + a.to_string() + ", " + b.to_string() + ")"; break;
      case AtomKind::kSymbol: break;
    }
    if (text.size() > kMaxText) return Dim();
    auto atom = std::make_shared<Atom>(Atom{kind, std::move(text), a, b});
    return build({Term{1, {std::move(atom)}}});
  }
};

Dim Dim::symbol(std::string_view name) {
  if (name.empty()) return Dim();
  auto atom = std::make_shared<Atom>(Atom{AtomKind::kSymbol, std::string(name), Dim(), Dim()});
  return DimExpr::build({Term{1, {std::move(atom)}}});
}

std::string Dim::to_string() const {
  switch (kind_) {
    case Kind::kConstant: return std::to_string(value_);
    case Kind::kExpr: return expr_->text;
    default: return "?";
  }
}

void Dim::visit_symbols(const std::function<void(std::string_view)>& visit) const {
  if (kind_ != Kind::kExpr) return;
  for (const Term& term : expr_->terms)
    for (const AtomPtr& atom : term.atoms) {
      if (atom->kind == AtomKind::kSymbol) {
        visit(atom->text);
      } else {
        atom->a.visit_symbols(visit);
        atom->b.visit_symbols(visit);
      }
    }
}

Dim Dim::substitute(const std::function<Dim(std::string_view)>& lookup) const {
  if (kind_ != Kind::kExpr) return *this;
  Dim sum(0);
  for (const Term& term : expr_->terms) {
    Dim product(term.coefficient);
    for (const AtomPtr& atom : term.atoms) {
      Dim factor;
      if (atom->kind == AtomKind::kSymbol) {
        factor = lookup(atom->text);
        if (factor.is_unknown()) factor = Dim::symbol(atom->text);
      } else {
        const Dim a = atom->a.substitute(lookup), b = atom->b.substitute(lookup);
        switch (atom->kind) {
          case AtomKind::kFloorDiv: factor = floor_div(a, b); break;
          case AtomKind::kCeilDiv: factor = ceil_div(a, b); break;
          case AtomKind::kMod: factor = mod(a, b); break;
          case AtomKind::kMin: factor = min(a, b); break;
          default: factor = max(a, b); break;
        }
      }
      product = product * factor;
    }
    sum = sum + product;
  }
  return sum;
}

bool operator==(const Dim& a, const Dim& b) {
  if (a.kind_ != b.kind_) return false;
  switch (a.kind_) {
    case Dim::Kind::kConstant: return a.value_ == b.value_;
    case Dim::Kind::kExpr: return a.expr_ == b.expr_ || a.expr_->text == b.expr_->text;
    default: return false;
  }
}

Dim operator+(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) return Dim(checked_add(a.value_, b.value_));
  std::vector<Term> terms = DimExpr::terms_of(a);
  for (Term& term : DimExpr::terms_of(b)) terms.push_back(std::move(term));
  return DimExpr::build(std::move(terms));
}

Dim operator-(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) return Dim(checked_sub(a.value_, b.value_));
  return a + b * Dim(-1);
}

Dim operator*(const Dim& a, const Dim& b) {
  if ((a.is_constant() && a.value_ == 0) || (b.is_constant() && b.value_ == 0)) return Dim(0);
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) return Dim(checked_mul(a.value_, b.value_));
  const std::vector<Term> left = DimExpr::terms_of(a), right = DimExpr::terms_of(b);
  if (left.size() * right.size() > kMaxTerms) return Dim();
  std::vector<Term> terms;
  for (const Term& x : left)
    for (const Term& y : right) {
      Term term{checked_mul(x.coefficient, y.coefficient), x.atoms};
      term.atoms.insert(term.atoms.end(), y.atoms.begin(), y.atoms.end());
      std::stable_sort(term.atoms.begin(), term.atoms.end(),
                       [](const AtomPtr& p, const AtomPtr& q) { return p->text < q->text; });
      terms.push_back(std::move(term));
    }
  return DimExpr::build(std::move(terms));
}

Dim exact_div(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (b.is_constant() && b.value_ == 0) return Dim();
  if (a.is_constant() && b.is_constant())
    return b.value_ != -1 && a.value_ % b.value_ == 0 ? Dim(a.value_ / b.value_) : Dim();
  if (a == b) return Dim(1);
  const std::vector<Term> divisor = DimExpr::terms_of(b);
  if (divisor.size() != 1) return Dim();
  std::vector<Term> terms;
  for (Term term : DimExpr::terms_of(a)) {
    if (divisor[0].coefficient == -1 || term.coefficient % divisor[0].coefficient != 0) return Dim();
    term.coefficient /= divisor[0].coefficient;
    for (const AtomPtr& atom : divisor[0].atoms) {
      auto found = std::find_if(term.atoms.begin(), term.atoms.end(),
                                [&](const AtomPtr& candidate) { return candidate->text == atom->text; });
      if (found == term.atoms.end()) return Dim();
      term.atoms.erase(found);
    }
    terms.push_back(std::move(term));
  }
  return DimExpr::build(std::move(terms));
}

Dim floor_div(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) return Dim(base::floor_div(a.value_, b.value_));
  if (b.is_constant() && b.value_ == 1) return a;
  if (Dim exact = exact_div(a, b); !exact.is_unknown()) return exact;
  if (b.is_constant() && b.value_ > 1) {
    // floor((k*b + r)/b) = k + floor(r/b) for the terms divisible by b.
    std::vector<Term> whole, rest;
    for (Term term : DimExpr::terms_of(a)) {
      if (!term.atoms.empty() && term.coefficient % b.value_ == 0) {
        term.coefficient /= b.value_;
        whole.push_back(std::move(term));
      } else {
        rest.push_back(std::move(term));
      }
    }
    if (!whole.empty()) return DimExpr::build(std::move(whole)) + floor_div(DimExpr::build(std::move(rest)), b);
    const DimRange range = range_of(a);
    if (range.low >= 0 && range.high < b.value_) return Dim(0);
  }
  return DimExpr::call(AtomKind::kFloorDiv, a, b);
}

Dim ceil_div(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) return Dim(base::ceil_div(a.value_, b.value_));
  if (b.is_constant() && b.value_ == 1) return a;
  if (Dim exact = exact_div(a, b); !exact.is_unknown()) return exact;
  if (b.is_constant() && b.value_ > 1) return floor_div(a + Dim(b.value_ - 1), b);
  return DimExpr::call(AtomKind::kCeilDiv, a, b);
}

Dim mod(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  if (a.is_constant() && b.is_constant()) {
    base::floor_div(a.value_, b.value_);  // refuses what has no quotient
    const int64_t rest = a.value_ % b.value_;
    return Dim(rest != 0 && (rest < 0) != (b.value_ < 0) ? rest + b.value_ : rest);
  }
  if (!exact_div(a, b).is_unknown()) return Dim(0);
  const DimRange range = range_of(a);
  if (b.is_constant() && range.low >= 0 && range.high < b.value_) return a;
  return DimExpr::call(AtomKind::kMod, a, b);
}

Dim min(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  const DimRange range = range_of_difference(a, b);
  if (range.high <= 0) return a;
  if (range.low >= 0) return b;
  return a.to_string() <= b.to_string() ? DimExpr::call(AtomKind::kMin, a, b) : DimExpr::call(AtomKind::kMin, b, a);
}

Dim max(const Dim& a, const Dim& b) {
  if (a.is_unknown() || b.is_unknown()) return Dim();
  const DimRange range = range_of_difference(a, b);
  if (range.low >= 0) return a;
  if (range.high <= 0) return b;
  return a.to_string() <= b.to_string() ? DimExpr::call(AtomKind::kMax, a, b) : DimExpr::call(AtomKind::kMax, b, a);
}

namespace {

bool bounded(int64_t end) { return end != INT64_MIN && end != INT64_MAX; }

int64_t clamped(__int128 value) {
  return value <= INT64_MIN ? INT64_MIN : value >= INT64_MAX ? INT64_MAX : static_cast<int64_t>(value);
}

// Ends without a bound stay so.
int64_t add_ends(int64_t a, int64_t b) {
  if (!bounded(a)) return a;
  if (!bounded(b)) return b;
  return clamped(static_cast<__int128>(a) + b);
}

DimRange operator+(const DimRange& a, const DimRange& b) { return {add_ends(a.low, b.low), add_ends(a.high, b.high)}; }

DimRange operator*(const DimRange& a, const DimRange& b) {
  const auto times = [](int64_t x, int64_t y) -> int64_t {
    if (x == 0 || y == 0) return 0;
    if (!bounded(x) || !bounded(y)) return (x < 0) == (y < 0) ? INT64_MAX : INT64_MIN;
    return clamped(static_cast<__int128>(x) * y);
  };
  const auto [low, high] =
      std::minmax({times(a.low, b.low), times(a.low, b.high), times(a.high, b.low), times(a.high, b.high)});
  return {low, high};
}

DimRange range_of_call(const Atom& atom) {
  const DimRange a = range_of(atom.a), b = range_of(atom.b);
  const auto quotient = [&](int64_t end, auto divide) { return bounded(end) ? divide(end, b.low) : end; };
  switch (atom.kind) {
    case AtomKind::kSymbol: return {0, INT64_MAX};
    case AtomKind::kMin: return {std::min(a.low, b.low), std::min(a.high, b.high)};
    case AtomKind::kMax: return {std::max(a.low, b.low), std::max(a.high, b.high)};
    case AtomKind::kMod:
      if (b.low < 1) return {};
      return {0, a.low >= 0 ? std::min(a.high, add_ends(b.high, -1)) : add_ends(b.high, -1)};
    case AtomKind::kFloorDiv:
      if (b.low < 1) return {};
      if (b.low == b.high) return {quotient(a.low, base::floor_div), quotient(a.high, base::floor_div)};
      return a.low >= 0 ? DimRange{0, quotient(a.high, base::floor_div)} : DimRange{};
    case AtomKind::kCeilDiv:
      if (b.low < 1) return {};
      if (b.low == b.high) return {quotient(a.low, base::ceil_div), quotient(a.high, base::ceil_div)};
      return a.low >= 0 ? DimRange{0, quotient(a.high, base::ceil_div)} : DimRange{};
  }
  return {};
}

}  // namespace

DimRange range_of(const Dim& dim) {
  if (dim.is_constant()) return {dim.value(), dim.value()};
  if (dim.is_unknown()) return {};
  DimRange sum{0, 0};
  for (const Term& term : dim.expr_->terms) {
    DimRange product{term.coefficient, term.coefficient};
    for (const AtomPtr& atom : term.atoms) product = product * range_of_call(*atom);
    sum = sum + product;
  }
  return sum;
}

DimRange range_of_difference(const Dim& a, const Dim& b) {
  try {
    const Dim difference = a - b;
    if (!difference.is_unknown()) return range_of(difference);
  } catch (const base::Error&) {  // beyond 64 bits
  }
  const DimRange of_a = range_of(a), of_b = range_of(b);
  return of_a + of_b * DimRange{-1, -1};
}

Dim element_count(const Shape& shape) {
  Dim product(1);
  for (const Dim& dim : shape) product = product * dim;
  return product;
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i) text += ',';
    text += shape[i].to_string();
  }
  return text + "]";
}

std::optional<std::vector<int64_t>> concrete(const Shape& shape) {
  std::vector<int64_t> dims;
  dims.reserve(shape.size());
  for (const Dim& dim : shape) {
    if (!dim.is_constant()) return std::nullopt;
    dims.push_back(dim.value());
  }
  return dims;
}

Shape make_shape(const std::vector<int64_t>& dims) { return Shape(dims.begin(), dims.end()); }

}  // namespace onnxrun::ir
