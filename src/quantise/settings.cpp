// Settings from the texts in which callers give them.
#include "quantise/settings.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

#include "base/error.h"

namespace onnxrun::quantise {

using base::Code;
using base::DType;
using base::fail;

namespace {

template <class T>
using Words = std::vector<std::pair<std::string_view, T>>;

const Words<Mode>& modes() {
  static const auto& words = *new Words<Mode>{
      {"weights", Mode::kWeights}, {"dynamic", Mode::kDynamic}, {"static", Mode::kStatic}, {"float", Mode::kFloat}};
  return words;
}

const Words<Method>& methods() {
  static const auto& words = *new Words<Method>{{"minmax", Method::kMinmax},
                                                {"percentile", Method::kPercentile},
                                                {"mse", Method::kMse},
                                                {"entropy", Method::kEntropy}};
  return words;
}

const Words<Rounding>& roundings() {
  static const auto& words = *new Words<Rounding>{{"nearest", Rounding::kNearest},
                                                  {"refined", Rounding::kRefined},
                                                  {"aware", Rounding::kAware},
                                                  {"compensated", Rounding::kCompensated}};
  return words;
}

const Words<DType>& types() {
  static const auto& words =
      *new Words<DType>{{"int8", DType::kInt8},        {"uint8", DType::kUint8},     {"int4", DType::kInt4},
                        {"fp16", DType::kFloat16},     {"float16", DType::kFloat16}, {"bf16", DType::kBfloat16},
                        {"bfloat16", DType::kBfloat16}};
  return words;
}

template <class T>
T one_of(const Words<T>& words, std::string_view key, std::string_view text) {
  std::string known;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  fail(Code::kInvalidArgument, "{}: '{}' is none of {}", key, text, known);
}

template <class T>
const char* word_of(const Words<T>& words, T wanted) {
  for (const auto& [word, value] : words)
    if (value == wanted) return word.data();
  return "";
}

bool flag(std::string_view key, std::string_view text) {
  if (text == "1" || text == "true") return true;
  if (text == "0" || text == "false") return false;
  fail(Code::kInvalidArgument, "{}: '{}' is neither 0 nor 1", key, text);
}

template <class T>
T number(std::string_view key, std::string_view text, T low, T high) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= low && value <= high))
    fail(Code::kInvalidArgument, "{}: '{}' is no number from {} to {}", key, text, low, high);
  return value;
}

std::regex pattern(std::string_view key, std::string_view text) {
  constexpr size_t kMost = 1000;  // characters
  if (text.size() > kMost) fail(Code::kInvalidArgument, "{}: a pattern of more than {} characters", key, kMost);
  try {
    return std::regex(std::string(text), std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    fail(Code::kInvalidArgument, "{}: '{}' is no regular expression: {}", key, text, error.what());
  }
}

void set(Settings& s, std::string_view key, std::string_view text) {
  if (key == "mode") s.mode = one_of(modes(), key, text);
  else if (key == "type") s.type = one_of(types(), key, text);
  else if (key == "block") s.block = number<int64_t>(key, text, 0, int64_t{1} << 20);
  else if (key == "symmetric") s.symmetric = flag(key, text);
  else if (key == "per_channel") s.per_channel = flag(key, text);
  else if (key == "standard") s.standard = flag(key, text);
  else if (key == "keep_io") s.keep_io = flag(key, text);
  else if (key == "method") s.method = one_of(methods(), key, text);
  else if (key == "rounding") s.rounding = one_of(roundings(), key, text);
  else if (key == "percentile") s.percentile = number(key, text, 50.0, 100.0);
  else if (key == "smooth") s.smooth = number(key, text, 0.0, 1.0);
  else if (key == "equalize") s.equalise = flag(key, text);
  else if (key == "correct_bias") s.correct_bias = flag(key, text);
  else if (key == "target_error") s.target_error = number(key, text, 0.0, 1e6);
  else if (key == "samples") s.samples = number<int64_t>(key, text, 0, INT64_MAX);
  else if (key == "include") s.include = pattern(key, text), s.include_text = text;
  else if (key == "exclude") s.exclude = pattern(key, text), s.exclude_text = text;
  else fail(Code::kInvalidArgument, "there is no setting '{}' of quantisation", key);
}

// The modes in which a setting says something; all where it is not listed.
const std::map<std::string_view, std::vector<Mode>>& meanings() {
  static const auto& table = *new std::map<std::string_view, std::vector<Mode>>{
      {"symmetric", {Mode::kWeights, Mode::kDynamic, Mode::kStatic}},
      {"per_channel", {Mode::kWeights, Mode::kDynamic, Mode::kStatic}},
      {"rounding", {Mode::kWeights, Mode::kDynamic, Mode::kStatic}},
      {"method", {Mode::kStatic}},
      {"percentile", {Mode::kStatic}},
      {"smooth", {Mode::kDynamic, Mode::kStatic}},
      {"equalize", {Mode::kDynamic, Mode::kStatic}},
      {"correct_bias", {Mode::kDynamic, Mode::kStatic}}};
  return table;
}

void check_meaning(const Settings& s, std::string_view key) {
  if (const auto found = meanings().find(key);
      found != meanings().end() && std::ranges::find(found->second, s.mode) == found->second.end())
    fail(Code::kInvalidArgument, "{}: it says nothing in mode {}", key, mode_name(s.mode));
  if (key == "percentile" && s.method != Method::kPercentile)
    fail(Code::kInvalidArgument, "percentile: it is of method percentile{}",
         s.method ? fmt::format(", not of {}", method_name(*s.method)) : "; ask for that method, too");
  if (key == "per_channel" && !s.per_channel && s.block_size() > 0)
    fail(Code::kInvalidArgument, "per_channel: weights in blocks have a scale for each block; set block to 0");
}

void check(const Settings& s) {
  const bool narrow = s.type == DType::kFloat16 || s.type == DType::kBfloat16;
  const auto refuse = [&](const char* expected) {
    fail(Code::kInvalidArgument, "type: mode {} makes {}, not {}", mode_name(s.mode), expected,
         word_of(types(), s.type));
  };
  if (s.mode == Mode::kFloat && !narrow) refuse("fp16 or bf16");
  if (s.mode == Mode::kWeights && narrow) refuse("int8, uint8 or int4");
  if ((s.mode == Mode::kDynamic || s.mode == Mode::kStatic) && (narrow || s.type == DType::kInt4))
    refuse("int8 or uint8");
  if (s.block > 0 && (s.block < 16 || (s.block & (s.block - 1)) != 0))
    fail(Code::kInvalidArgument, "block: {} is neither 0 nor a power of two from 16 on", s.block);
  if (s.block > 0 && s.mode != Mode::kWeights)
    fail(Code::kInvalidArgument, "block: weights have blocks in mode weights only");
  if (s.block == 0 && s.type == DType::kInt4)
    fail(Code::kInvalidArgument, "block: weights of 4 bits need blocks, as 32");
  if (s.symmetric && s.type == DType::kUint8)
    fail(Code::kInvalidArgument, "symmetric: uint8 has no middle; int8 has one");
  if (s.keep_io && s.mode != Mode::kFloat)
    fail(Code::kInvalidArgument, "keep_io: inputs and outputs change their type in mode float only");
}

}  // namespace

const char* mode_name(Mode mode) { return word_of(modes(), mode); }
const char* rounding_name(Rounding rounding) { return word_of(roundings(), rounding); }
const char* method_name(Method method) { return word_of(methods(), method); }

bool Settings::needs_samples() const {
  return mode == Mode::kStatic || target_error > 0 || rounding == Rounding::kAware ||
         rounding == Rounding::kCompensated;
}

int64_t Settings::block_size() const {
  if (mode != Mode::kWeights) return 0;
  return block >= 0 ? block : 32;
}

Settings parse_settings(const std::vector<std::string>& texts) {
  Settings result;
  result.type = DType::kNone;
  std::vector<std::string_view> given;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos)
      fail(Code::kInvalidArgument, "the setting '{}' is not of the form key=value", text);
    given.push_back(std::string_view(text).substr(0, equals));
    set(result, given.back(), std::string_view(text).substr(equals + 1));
  }
  if (result.type == DType::kNone) result.type = result.mode == Mode::kFloat ? DType::kFloat16 : DType::kInt8;
  check(result);
  for (const std::string_view key : given) check_meaning(result, key);
  return result;
}

}  // namespace onnxrun::quantise
