// What calibration saw of a model's values.
#pragma once

#include <map>
#include <string>

#include "quantise/histogram.h"

namespace onnxrun::quantise {

// By name of the value.
struct Observed {
  std::map<std::string, Histogram> ranges;      // of activations
  std::map<std::string, ChannelSums> channels;  // of what weights multiply, by place along the summed axis
  std::map<std::string, PairSums> pairs;        // the same, of any two places
  int64_t samples = 0;

  const Histogram* range(const std::string& value) const {
    const auto found = ranges.find(value);
    return found == ranges.end() || found->second.count() == 0 ? nullptr : &found->second;
  }
  const ChannelSums* sums(const std::string& value) const {
    const auto found = channels.find(value);
    return found == channels.end() || found->second.count == 0 ? nullptr : &found->second;
  }
};

}  // namespace onnxrun::quantise
