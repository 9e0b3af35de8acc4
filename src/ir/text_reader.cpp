// Names, quoted text, types and attributes.
#include "ir/text_reader.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "ir/text.h"

namespace onnxrun::ir {

namespace {

constexpr size_t kShownCharacters = 24;
constexpr std::string_view kMarks[] = {"node", "doc", "metadata"};

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_mark(std::string_view text, std::string_view mark) {
  return text.starts_with("# ") && text.substr(2).starts_with(mark) && text.substr(2 + mark.size()).starts_with(" '");
}

}  // namespace

std::string TextReader::where(size_t at) const {
  const std::string_view before = text_.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const size_t start = before.rfind('\n');
  const size_t column = at - (start == std::string_view::npos ? 0 : start + 1) + 1;
  return fmt::format("line {}, column {}", line, column);
}

void TextReader::fail_at(size_t at, const std::string& what, base::Code code) const {
  base::fail(code, "{}: {}", where(at), what);
}

std::string TextReader::found() const {
  if (at_ >= text_.size()) return "the end";
  std::string_view rest = text_.substr(at_, kShownCharacters);
  rest = rest.substr(0, rest.find('\n'));
  return fmt::format("'{}'", rest);
}

void TextReader::charge(size_t bytes) {
  try {
    charge_.add(static_cast<int64_t>(bytes));
  } catch (base::Error& error) {
    error.in(where());
    throw;
  }
}

void TextReader::skip_space() {
  while (at_ < text_.size()) {
    if (is_space(text_[at_])) {
      ++at_;
      continue;
    }
    const std::string_view rest = text_.substr(at_);
    if (rest[0] != '#' ||
        std::any_of(std::begin(kMarks), std::end(kMarks), [&](std::string_view mark) { return is_mark(rest, mark); }))
      return;
    at_ = std::min(text_.find('\n', at_), text_.size());
  }
}

bool TextReader::at_end() {
  skip_space();
  return at_ >= text_.size();
}

bool TextReader::peek(std::string_view token) {
  skip_space();
  return text_.substr(at_).starts_with(token);
}

bool TextReader::accept(std::string_view token) {
  if (!peek(token)) return false;
  at_ += token.size();
  return true;
}

void TextReader::expect(std::string_view token) {
  if (accept(token)) return;
  if (peek("..."))
    fail("the text is abbreviated ('...') and cannot be read back; 'onnx-run inspect --text --whole' prints all of it");
  fail("expected '{}', found {}", token, found());
}

bool TextReader::peek_word(std::string_view word) {
  return peek(word) && (at_ + word.size() >= text_.size() || !is_name_character(text_[at_ + word.size()]));
}

bool TextReader::accept_word(std::string_view word) {
  if (!peek_word(word)) return false;
  at_ += word.size();
  return true;
}

bool TextReader::accept_mark(std::string_view mark) {
  skip_space();
  if (!is_mark(text_.substr(at_), mark)) return false;
  at_ += 2 + mark.size();
  return true;
}

bool TextReader::peek_name() {
  skip_space();
  return at_ < text_.size() && (text_[at_] == '\'' || is_name_character(text_[at_]));
}

std::string TextReader::name() {
  if (!peek_name()) fail("expected a name, found {}", found());
  const size_t begin = at_;
  if (text_[at_] == '\'') {
    std::string quoted_name = text();
    if (quoted_name.empty()) fail_at(begin, "a name is not empty");
    return quoted_name;
  }
  while (at_ < text_.size() &&
         (is_name_character(text_[at_]) || (text_[at_] == ':' && at_ + 1 < text_.size() &&
                                            (is_name_character(text_[at_ + 1]) || text_[at_ + 1] == ':'))))
    ++at_;
  const std::string_view plain = text_.substr(begin, at_ - begin);
  if (!base::is_utf8(plain)) fail_at(begin, "the name is no UTF-8");
  return std::string(plain);
}

std::string TextReader::text() {
  const size_t begin = place().at;
  std::string result = quoted();
  if (!base::is_utf8(result)) fail_at(begin, "the text is no UTF-8");
  return result;
}

std::string TextReader::quoted() {
  expect("'");
  const size_t begin = at_;
  std::string result;
  for (;; ++at_) {
    if (at_ >= text_.size() || text_[at_] == '\n') fail_at(begin - 1, "the quotation is not closed");
    const char c = text_[at_];
    if (c == '\'') break;
    if (c != '\\') {
      result += c;
      continue;
    }
    ++at_;
    if (at_ >= text_.size()) fail_at(begin - 1, "the quotation is not closed");
    if (text_[at_] != 'x') {
      if (text_[at_] != '\\' && text_[at_] != '\'') fail("'\\{}' is none of \\\\, \\' and \\xNN", text_[at_]);
      result += text_[at_];
      continue;
    }
    unsigned code = 0;
    const char* digits = text_.data() + at_ + 1;
    if (at_ + 2 >= text_.size() || std::from_chars(digits, digits + 2, code, 16).ptr != digits + 2)
      fail("expected two hexadecimal digits after \\x");
    result += static_cast<char>(code);
    at_ += 2;
  }
  ++at_;
  charge(result.size());
  return result;
}

std::string_view TextReader::number() {
  skip_space();
  const size_t begin = at_;
  while (at_ < text_.size() && (is_name_character(text_[at_]))) ++at_;
  if (at_ == begin) {
    if (peek("...")) expect("a number");
    fail("expected a number, found {}", found());
  }
  return text_.substr(begin, at_ - begin);
}

int64_t TextReader::integer() {
  const std::string_view text = number();
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    fail_at(at_ - text.size(), fmt::format("'{}' is no integer of 64 bits", text));
  return value;
}

Dim TextReader::symbol(std::string name) const {
  if (options_.symbols) options_.symbols->insert(name);
  const auto given = options_.dims.find(name);
  return given == options_.dims.end() ? Dim::symbol(name) : Dim(given->second);
}

Dim TextReader::dim() {
  if (peek("'")) return symbol(quoted());
  skip_space();
  const size_t begin = at_;
  int open = 0;
  while (at_ < text_.size() && text_[at_] != '\n' && (open > 0 || (text_[at_] != ',' && text_[at_] != ']'))) {
    if (text_[at_] == '(') ++open;
    if (text_[at_] == ')') --open;
    ++at_;
  }
  std::string_view text = text_.substr(begin, at_ - begin);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.empty()) fail("expected a dimension, found {}", found());
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end == text.data() + text.size()) {
    if (error != std::errc() || value < 0) fail_at(begin, fmt::format("'{}' is no size of a dimension", text));
    return Dim(value);
  }
  const bool is_symbol =
      text != "?" && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
      });
  // Formulas are of values that nodes make: inference finds them again.
  return is_symbol ? symbol(std::string(text)) : Dim();
}

Fact TextReader::type() {
  if (++depth_ > options_.limits.max_nesting)
    exceed("types are nested deeper than {} (option max_nesting)", options_.limits.max_nesting);
  Fact result;
  const auto inner = [&] {
    expect("(");
    Fact fact = type();
    expect(")");
    return fact;
  };
  const auto dtype = [&](std::string_view what) {
    if (accept("?")) return DType::kNone;
    skip_space();
    const size_t begin = at_;
    while (at_ < text_.size() && is_name_character(text_[at_])) ++at_;
    const std::string_view text = text_.substr(begin, at_ - begin);
    const auto found = base::parse_dtype(text);
    if (!found || *found == DType::kNone) fail_at(begin, fmt::format("'{}' is no {}", text, what));
    return *found;
  };
  if (accept_word("sequence")) {
    result = Fact::sequence(inner());
  } else if (accept_word("optional")) {
    result = Fact::optional(inner());
  } else if (accept_word("map")) {
    expect("(");
    const DType key = dtype("element type of a map's keys");
    expect(",");
    result = Fact::map(key, type());
    expect(")");
  } else {
    const bool sparse = accept_word("sparse");
    const bool open = peek("?");
    const DType element = dtype("element type");
    if (open && !sparse && !peek("[")) {
      --depth_;
      return result;  // nothing is known
    }
    result = Fact::tensor(element);
    if (sparse) result.kind = TypeKind::kSparseTensor;
    expect("[");
    if (!accept("...")) {
      result.shape.emplace();
      while (!peek("]")) {
        if (!result.shape->empty()) expect(",");
        result.shape->push_back(dim());
        if (static_cast<int64_t>(result.shape->size()) > options_.limits.max_rank)
          exceed("a tensor has at most {} dimensions (option max_rank)", options_.limits.max_rank);
      }
    }
    expect("]");
  }
  --depth_;
  return result;
}

template <class T, class Read>
std::vector<T> TextReader::list(const Read& read) {
  std::vector<T> result;
  expect("[");
  while (!accept("]")) {
    if (!result.empty()) expect(",");
    if (peek("...")) expect("]");
    if (result.size() == result.capacity()) charge((result.capacity() + 1) * sizeof(T));
    result.push_back(read());
  }
  return result;
}

AttributeValue TextReader::attribute(std::string_view kind) {
  const auto real = [&] {
    Tensor scalar(DType::kFloat32, {});
    element(scalar, 0);
    return *scalar.data<float>();
  };
  if (kind == "int") return integer();
  if (kind == "float") return real();
  if (kind == "string") return quoted();
  if (kind == "tensor") return typed_constant();
  if (kind == "type") return type();
  if (kind == "ints") return list<int64_t>([&] { return integer(); });
  if (kind == "floats") return list<float>(real);
  if (kind == "strings") return list<std::string>([&] { return quoted(); });
  if (kind == "tensors")
    return list<Tensor>([&] {
      charge(base::kTensorBytes);
      return typed_constant();
    });
  if (!kind.empty()) fail("attributes of kind {} are written after the node, as NAME: graph ...", kind);
  const bool many = peek("[");
  const Place start = place();
  if (many) expect("[");
  std::string_view found_kind = many ? "ints" : "int";
  if (peek("'")) {
    found_kind = many ? "strings" : "string";
  } else if (!peek("]")) {
    const std::string_view text = number();
    int64_t value = 0;
    const bool whole = std::from_chars(text.data(), text.data() + text.size(), value).ptr == text.data() + text.size();
    if (peek("[")) found_kind = many ? "tensors" : "tensor";
    else if (!whole) found_kind = many ? "floats" : "float";
  }
  go_back(start);
  return attribute(found_kind);
}

Tensor TextReader::typed_constant() {
  if (accept_word("none")) return {};
  const Fact fact = type();
  return constant(fact);
}

}  // namespace onnxrun::ir
