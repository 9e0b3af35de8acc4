// The order of copies and kernels of a device: copies go on streams of their own, so what depends on what is found here and kept by events.
#pragma once

#include "plan/segment.h"

namespace onnxrun::plan {

// Sets Step::host_waits: a step that needs a value which was copied to the host comes after the host has waited for that copy. To be called once lifetimes are
// known.
void find_host_waits(const ProviderSet& providers, const std::vector<Slot>& slots, std::vector<Step>& steps);

// Sets SegmentStep::waits and ::records for the steps of a segment whose memory is laid out. It takes for granted that each segment, and each step that
// runs bodies, begins when all streams have waited for each other.
void order_copies(const Program& program, Segment& segment);

}  // namespace onnxrun::plan
