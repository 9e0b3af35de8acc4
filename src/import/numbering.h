// Numbering: names that differ from those that are there.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include <fmt/core.h>

namespace onnxrun::import {

// Numbers of names made of one stem go on where they were, so that thousands of equal stems take linear time.
class Numbering {
 public:
  // `stem_1`, or the next that is not `taken(name)`.
  template <class Taken>
  std::string next(const std::string& stem, Taken&& taken) {
    int64_t& number = last_[stem];
    for (;;) {
      std::string name = fmt::format("{}_{}", stem, ++number);
      if (!taken(name)) return name;
    }
  }

 private:
  std::unordered_map<std::string, int64_t> last_;
};

}  // namespace onnxrun::import
