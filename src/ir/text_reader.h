// Reading of the text form's smallest parts: names, quoted text, numbers, types, constants, attributes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/charge.h"
#include "base/error.h"
#include "ir/graph.h"
#include "ir/parse.h"

namespace onnxrun::ir {

// Walks a text. White space between parts means nothing, # begins a comment to the end of the line. Everything throws kInvalidModel with line and column
// where the text is something else.
class TextReader {
 public:
  TextReader(std::string_view text, const ParseOptions& options)
      : text_(text), options_(options), charge_(options.budget) {}

  // Charges bytes, until the text is read, that what is made of it takes. Throws kLimitExceeded with the place.
  void charge(size_t bytes);

  bool at_end();
  bool peek(std::string_view token);  // whether the text goes on with exactly this
  bool accept(std::string_view token);
  void expect(std::string_view token);
  // A keyword: like accept, where no more letters follow.
  bool peek_word(std::string_view word);
  bool accept_word(std::string_view word);
  // "# node", "# doc", "# metadata" right after a node.
  bool accept_mark(std::string_view mark);

  bool peek_name();
  std::string name();    // not empty
  std::string quoted();  // any bytes
  std::string text();    // the same, UTF-8
  int64_t integer();
  Fact type();
  // The elements of a constant of this type, whose shape must be known.
  Tensor constant(const Fact& type);
  // `kind` as in a signature: "int", "floats", ...; "": by its looks.
  AttributeValue attribute(std::string_view kind);

  struct Place {
    size_t at;
  };
  // After white space.
  Place place() {
    skip_space();
    return {at_};
  }
  void go_back(Place place) { at_ = place.at; }
  std::string where() const { return where(at_); }  // "line 3, column 7"

  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) {
    fail_at(at_, fmt::format(format, std::forward<Args>(args)...));
  }
  // For what is too much, not wrong.
  template <class... Args>
  [[noreturn]] void exceed(fmt::format_string<Args...> format, Args&&... args) {
    fail_at(at_, fmt::format(format, std::forward<Args>(args)...), base::Code::kLimitExceeded);
  }

 private:
  std::string where(size_t at) const;
  [[noreturn]] void fail_at(size_t at, const std::string& what, base::Code code = base::Code::kInvalidModel) const;
  Dim symbol(std::string name) const;
  void skip_space();
  std::string found() const;
  std::string_view number();
  Dim dim();
  Tensor typed_constant();
  void element(Tensor& tensor, int64_t i);
  template <class T>
  T parse(std::string_view text);
  template <class T, class Read>
  std::vector<T> list(const Read& read);

  std::string_view text_;
  const ParseOptions& options_;
  base::Charge charge_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace onnxrun::ir
