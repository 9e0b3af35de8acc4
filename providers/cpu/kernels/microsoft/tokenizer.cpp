// com.microsoft.Tokenizer.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/text_memory.h"
#include "cpu/content/regex.h"
#include "cpu/cpu.h"
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/table_bytes.h"

namespace onnxrun::cpu {
namespace {

using Pieces = std::vector<std::string_view>;

void append(Pieces& pieces, std::string_view piece) {
  if (pieces.size() == pieces.capacity())  // it is about to double
    base::take_kernel_memory(static_cast<int64_t>((pieces.size() + 1) * 2 * sizeof(std::string_view)));
  pieces.push_back(piece);
}

// Length in bytes of the character that begins with `first`; throws for what begins none.
size_t character_length(std::string_view rest) {
  const auto first = static_cast<uint8_t>(rest.front());
  const size_t length = first < 0x80                    ? 1
                        : first >= 0xc2 && first < 0xe0 ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  bool good = length > 0 && length <= rest.size();
  for (size_t i = 1; good && i < length; ++i) good = (static_cast<uint8_t>(rest[i]) & 0xc0) == 0x80;
  if (!good) base::fail(base::Code::kRunFailed, "Tokenizer: a string is not UTF-8");
  return length;
}

int64_t character_count(std::string_view text) {
  int64_t count = 0;
  for (; !text.empty(); text.remove_prefix(character_length(text))) ++count;
  return count;
}

class Tokenizer {
 public:
  static Acceptance accepts(const Node&) { return Regex::accepts(); }

  explicit Tokenizer(const Node& node)
      : mark_(node.get_int("mark", 0) != 0), least_(node.get_int("mincharnum", 1)), pad_(node.get_string("pad_value")) {
    const std::vector<std::string> separators = node.get_strings("separators");
    separates_ = !separators.empty();
    if (!separates_ && !node.has("tokenexp"))
      base::fail(base::Code::kInvalidModel, "Tokenizer: the attribute 'separators' is empty");
    const std::string expression = node.get_string("tokenexp");
    characters_ = separates_ ? separators.size() == 1 && separators[0].empty() : expression == ".";
    if (characters_) return;
    if (!separates_) expressions_.emplace_back(expression, true);
    size_t length = 0;
    for (const std::string& separator : separators) {
      if (separator.empty()) base::fail(base::Code::kInvalidModel, "Tokenizer: one of several separators is empty");
      if ((length += separator.size()) > Regex::kMostPattern)
        base::fail(base::Code::kLimitExceeded,
                   "Tokenizer: separators of more than {} bytes could take too long to compile", Regex::kMostPattern);
      base::take_kernel_memory(2 * sizeof(Regex));
      expressions_.emplace_back(separator, true);
    }
  }
  size_t table_bytes() const { return bytes_outside_of(expressions_, pad_); }

  void run(RunContext& context) const {
    const auto in = provider::dims(context.input(0));
    const int64_t count = provider::count(context.input(0));
    std::vector<int64_t> dims(in.begin(), in.end());
    if (count == 0) {
      open_output(context, 0, dims);
      return;
    }
    const auto* x = context.in<std::string>(0);
    Pacer pacer(context);
    base::take_kernel_memory(base::checked_mul(count, sizeof(Pieces)));
    std::vector<Pieces> rows(static_cast<size_t>(count));
    size_t most = 0;
    for (int64_t i = 0; i < count; ++i) {
      rows[static_cast<size_t>(i)] = cut(x[i], pacer);
      most = std::max(most, rows[static_cast<size_t>(i)].size());
    }
    const size_t width = most == 0 ? 0 : most + (mark_ ? 2 : 0);
    dims.push_back(static_cast<int64_t>(width));
    auto* y = static_cast<base::Text*>(open_output(context, 0, dims).data);
    if (width == 0) return;
    for (const Pieces& row : rows) {
      base::Text* const end = y + width;
      pacer.did(static_cast<int64_t>(width));
      if (mark_) y++->set("\x02");
      for (std::string_view token : row) y++->set(token);
      if (mark_) y++->set("\x03");
      while (y != end) y++->set(pad_);
    }
  }

 private:
  Pieces cut(std::string_view text, Pacer& pacer) const {
    Pieces result;
    if (characters_) {
      for (size_t at = 0; at < text.size();) {
        const size_t length = character_length(text.substr(at));
        append(result, text.substr(at, length));
        pacer.did(4);
        at += length;
      }
      return result;
    }
    if (!separates_) {
      find_all(expressions_[0], text, pacer,
               [&](size_t, size_t at, size_t length) { keep(text.substr(at, length), result); });
      return result;
    }
    append(result, text);
    for (const Regex& separator : expressions_) {
      Pieces parts;
      for (std::string_view piece : result) {
        const size_t rest = find_all(separator, piece, pacer, [&](size_t from, size_t at, size_t) {
          keep(piece.substr(from, at - from), parts);
        });
        if (rest <= piece.size()) keep(piece.substr(rest), parts);
      }
      result.swap(parts);
    }
    return result;
  }

  // Calls found(from, at, length) for each match at `at`, sought from `from` on; returns where the search ended. An empty match moves on by a byte.
  template <class F>
  static size_t find_all(const Regex& expression, std::string_view text, Pacer& pacer, F&& found) {
    const Regex::Matcher matcher(expression, pacer);
    size_t from = 0;
    while (from <= text.size()) {
      const auto match = matcher.find(text, from);
      if (!match) break;
      found(from, match->first, match->second);
      from = match->first + std::max<size_t>(1, match->second);
    }
    return from;
  }

  void keep(std::string_view token, Pieces& tokens) const {
    if (character_count(token) >= least_) append(tokens, token);
  }

  bool mark_, separates_ = false, characters_ = false;
  int64_t least_;
  std::string pad_;
  std::vector<Regex> expressions_;
};

}  // namespace

void kernels_microsoft_tokenizer(provider::KernelTable& table) {
  table.add<Tokenizer>("com.microsoft", "Tokenizer", "re2");
}

}  // namespace onnxrun::cpu
