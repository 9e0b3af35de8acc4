// Text: case by ICU's rules in named locales, regular expressions, and images that are none.
#include <gtest/gtest.h>

#include <clocale>

#include "base/error.h"
#include "ops/run_op.h"

namespace onnxrun::ops {
namespace {

using base::Dims;
using base::DType;
using base::Tensor;
using Words = std::vector<std::string>;

Tensor strings(const Words& words) {
  Tensor result(DType::kString, {static_cast<int64_t>(words.size())});
  std::copy(words.begin(), words.end(), result.mutable_data<std::string>());
  return result;
}

Words normalize(const Words& words, ir::Attributes attributes) {
  return values<std::string>(
      run_op({.op = "StringNormalizer", .attributes = std::move(attributes), .inputs = {strings(words)}})[0]);
}

Words upper(const Words& words, const std::string& locale = "en_US") {
  return normalize(words, {{"case_change_action", std::string("UPPER")}, {"locale", locale}});
}
Words lower(const Words& words, const std::string& locale = "en_US") {
  return normalize(words, {{"case_change_action", std::string("LOWER")}, {"locale", locale}});
}

TEST(StringNormalizer, LettersThatBecomeSeveral) {
  EXPECT_EQ(upper({"straße", "ﬁn", "ŉ", "ΐ"}), (Words{"STRASSE", "FIN", "ʼN", "\xce\x99\xcc\x88\xcc\x81"}));
  EXPECT_EQ(lower({"İ"}), (Words{"i̇"}));
}

TEST(StringNormalizer, LettersOfEveryPlane) {
  EXPECT_EQ(upper({"ჱ", "ꭰ", "𐐨", "ǆ", "ա"}), (Words{"Ჱ", "Ꭰ", "𐐀", "Ǆ", "Ա"}));
  EXPECT_EQ(lower({"Ა", "Ⰰ", "𞤀", "Ω"}), (Words{"ა", "ⰰ", "𞤢", "ω"}));
  EXPECT_EQ(upper({"漢字 12 ✓"}), (Words{"漢字 12 ✓"}));
}

TEST(StringNormalizer, LettersThatDependOnTheirPlace) {
  EXPECT_EQ(lower({"ΟΔΥΣΣΕΥΣ", "Σ", "ΑΣ.", "ΑΣΑ"}), (Words{"οδυσσευς", "σ", "ας.", "ασα"}));
}

TEST(StringNormalizer, LettersThatDependOnTheLanguage) {
  EXPECT_EQ(upper({"istanbul"}, "tr_TR"), (Words{"İSTANBUL"}));
  EXPECT_EQ(lower({"ISPARTA"}, "az"), (Words{"ısparta"}));
  EXPECT_EQ(upper({"i"}, "en_US"), (Words{"I"}));
  EXPECT_EQ(upper({"ά"}, "el_GR"), (Words{"Α"}));
  EXPECT_EQ(upper({"i"}, "no such locale"), (Words{"I"}));
}

TEST(StringNormalizer, TheLocaleOfTheProcessHasNoSay) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  std::setlocale(LC_ALL, "C");
  EXPECT_EQ(upper({"ärger"}), (Words{"ÄRGER"}));
  if (std::setlocale(LC_ALL, "tr_TR.UTF-8") != nullptr) {
    EXPECT_EQ(upper({"i"}), (Words{"I"}));
  }
  std::setlocale(LC_ALL, before.c_str());
}

TEST(StringNormalizer, StopwordsInTheCaseThatIsComparedIn) {
  const auto stops = [](int64_t exact) {
    return ir::Attributes{
        {"is_case_sensitive", exact}, {"stopwords", Words{"MONTAG"}}, {"case_change_action", std::string("NONE")}};
  };
  EXPECT_EQ(normalize({"Montag", "MONTAG", "Dienstag"}, stops(0)), (Words{"Dienstag"}));
  EXPECT_EQ(normalize({"Montag", "MONTAG", "Dienstag"}, stops(1)), (Words{"Montag", "Dienstag"}));
  EXPECT_EQ(normalize({"MONTAG"}, stops(1)), (Words{""}));
}

TEST(StringNormalizer, BytesThatAreNoTextStay) {
  EXPECT_EQ(upper({"a\xff!", "\xc3"}), (Words{"A\xff!", "\xc3"}));
  EXPECT_EQ(upper({std::string("a\0b", 3)}), (Words{std::string("A\0B", 3)}));
}

std::vector<bool> match(const Words& words, const std::string& pattern) {
  const auto y = run_op({.op = "RegexFullMatch", .attributes = {{"pattern", pattern}}, .inputs = {strings(words)}})[0];
  return std::vector<bool>(y.data<bool>(), y.data<bool>() + y.count());
}

TEST(RegexFullMatch, AllOfTheText) {
  EXPECT_EQ(match({"abc", "ab", "xabc", ""}, "a(b|c)+"), (std::vector<bool>{true, true, false, false}));
  EXPECT_EQ(match({"ä", "ae", "日本"}, "\\p{L}"), (std::vector<bool>{true, false, false}));
  EXPECT_EQ(match({"", "\n"}, ".*"), (std::vector<bool>{true, false}));
}

TEST(RegexFullMatch, LinearTimeOnWhatBacktracks) {
  EXPECT_EQ(match({std::string(50'000, 'a') + "!"}, "(a*)*b"), (std::vector<bool>{false}));
}

TEST(RegexFullMatch, PatternsThatAreNone) {
  for (const char* pattern : {"(", "a{2,1}", "\\1", "[z-a]", "(?=a)"}) {
    try {
      match({"a"}, pattern);
      ADD_FAILURE() << pattern;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kInvalidModel) << pattern;
      EXPECT_NE(std::string(error.what()).find("RE2"), std::string::npos) << error.what();
    }
  }
}

TEST(ImageDecoder, WhatCannotBeDecodedIsEmpty) {
  for (const auto& [format, channels] :
       std::vector<std::pair<std::string, int64_t>>{{"RGB", 3}, {"BGR", 3}, {"Grayscale", 1}}) {
    const auto y = run_op({.op = "ImageDecoder",
                           .attributes = {{"pixel_format", format}},
                           .inputs = {tensor<uint8_t>({1, 2, 3}, {3})}})[0];
    EXPECT_EQ(y.dims(), (Dims{0, 0, channels}));
  }
}

TEST(ImageDecoder, ChannelsInTheOrderAskedFor) {
  const std::string text = "P6 2 1 255\n\x0a\x14\x1e\x28\x32\x3c";
  const Tensor bytes = tensor<uint8_t>({text.begin(), text.end()}, {static_cast<int64_t>(text.size())});
  const auto decode = [&](const char* format) {
    return values<uint8_t>(
        run_op({.op = "ImageDecoder", .attributes = {{"pixel_format", std::string(format)}}, .inputs = {bytes}})[0]);
  };
  EXPECT_EQ(decode("RGB"), (std::vector<uint8_t>{10, 20, 30, 40, 50, 60}));
  EXPECT_EQ(decode("BGR"), (std::vector<uint8_t>{30, 20, 10, 60, 50, 40}));
  EXPECT_EQ(decode("Grayscale"), (std::vector<uint8_t>{18, 48}));
}

TEST(ImageDecoder, SizesBeyondTheLimitAreAnError) {
  // 65536 x 65536 pixels in run lengths, which take few bytes.
  const std::string text = "BM" + std::string(8, '\0') + std::string("\x36\x04\0\0", 4) +
                           std::string("\x28\0\0\0\0\0\1\0\0\0\1\0\1\0\x08\0\1\0\0\0", 20) +
                           std::string(20 + 1024, '\0') + std::string("\0\1", 2);
  try {
    run_op({.op = "ImageDecoder",
            .inputs = {tensor<uint8_t>({text.begin(), text.end()}, {static_cast<int64_t>(text.size())})}});
    ADD_FAILURE();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kLimitExceeded) << error.what();
  }
}

}  // namespace
}  // namespace onnxrun::ops
