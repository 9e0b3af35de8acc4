// Upper and lower case of UTF-8 text through ICU.
#include "cpu/content/letter_case.h"

#include <algorithm>

#include "base/error.h"

#if ONNXRUN_ICU
#include <unicode/ucasemap.h>
#endif

namespace onnxrun::cpu {

#if ONNXRUN_ICU

Acceptance CaseChanger::accepts() { return {}; }

CaseChanger::CaseChanger(const std::string& locale) {
  UErrorCode error = U_ZERO_ERROR;
  map_ = {ucasemap_open(locale.c_str(), 0, &error), ucasemap_close};
  // What is no locale has the mappings of none, as a locale without mappings of its own has. Older versions of ICU see to that themselves.
  if (error == U_ILLEGAL_ARGUMENT_ERROR) {
    error = U_ZERO_ERROR;
    map_ = {ucasemap_open("", 0, &error), ucasemap_close};
  }
  if (U_FAILURE(error))
    base::fail(base::Code::kRunFailed, "ICU has no case mappings for the locale '{}': {}", locale, u_errorName(error));
}

std::string CaseChanger::operator()(const std::string& text, LetterCase to) const {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (text.size() > INT32_MAX / 4)
    base::fail(base::Code::kLimitExceeded, "a text of {} bytes is too long to change its case", text.size());
  const auto change = to == LetterCase::kLower ? ucasemap_utf8ToLower : ucasemap_utf8ToUpper;
  // Most text keeps its length; only what does not is changed twice.
  std::string result(ascii ? text.size() : text.size() + text.size() / 8 + 8, '\0');
  for (;;) {
    UErrorCode error = U_ZERO_ERROR;
    const int32_t size = change(map_.get(), result.data(), static_cast<int32_t>(result.size()), text.data(),
                                static_cast<int32_t>(text.size()), &error);
    const bool fits = static_cast<size_t>(std::max(size, 0)) <= result.size();
    if (error != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(error))
      base::fail(base::Code::kRunFailed, "ICU cannot change the case of a text: {}", u_errorName(error));
    result.resize(static_cast<size_t>(std::max(size, 0)));
    if (fits) return result;
  }
}

#else

Acceptance CaseChanger::accepts() {
  return Acceptance::decline("this build has no ICU, which changes the case of text");
}
CaseChanger::CaseChanger(const std::string&) {}
std::string CaseChanger::operator()(const std::string& text, LetterCase) const { return text; }

#endif

}  // namespace onnxrun::cpu
