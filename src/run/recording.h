// Recording: the kernels of a segment that a device can be given as one, where its provider records.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plan/segment.h"

namespace onnxrun::run {

// Steps of a segment, one after the other, that one device runs without the host.
struct Stretch {
  size_t first = 0, last = 0;  // [first, last) of the segment's steps
  int provider = -1;
  std::vector<int> waits, records;    // events of all its steps: waited for before the first, placed behind the last
  std::vector<const void*> seen;      // where its values were in the run before
  std::vector<const void*> recorded;  // where they were when it was recorded
  std::shared_ptr<void> graph;        // null: not recorded so far
  std::string refused;                // why it cannot be recorded
};

struct Recording {
  std::vector<Stretch> stretches;     // in the order of the steps
  std::vector<std::string> left_out;  // by step of the segment: why a device's kernel is in none
};

// Null where no provider of the segment's steps records.
std::unique_ptr<Recording> plan_recording(const plan::Program& program, const plan::Segment& segment);

}  // namespace onnxrun::run
