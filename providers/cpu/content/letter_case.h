// Upper and lower case of UTF-8 text as ICU defines them, for a named locale whatever that of the process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cpu/cpu.h"

struct UCaseMap;

namespace onnxrun::cpu {

enum class LetterCase : uint8_t { kLower, kUpper };

// Full mappings: one letter may become several ("ß": "SS"), and some depend on what stands around them (the final sigma) or on the
// language (the Turkish i). Bytes that are not UTF-8 stay. Safe to use from several threads.
class CaseChanger {
 public:
  // Declines in a build that has no ICU.
  static Acceptance accepts();

  // `locale` as "tr_TR"; empty, and languages that have no rules of their own: the rules common to all.
  explicit CaseChanger(const std::string& locale);

  std::string operator()(const std::string& text, LetterCase to) const;

 private:
  std::shared_ptr<UCaseMap> map_;
};

}  // namespace onnxrun::cpu
