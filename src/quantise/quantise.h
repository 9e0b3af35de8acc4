// Quantising a graph: the modes, and what has to be known before them.
#pragma once

#include "quantise/work.h"

namespace onnxrun::quantise {

// The optimizer's passes that make a model ready: constants computed, normalisations in the weights, nothing that only our kernels run.
const std::vector<std::string>& preparing_passes();
// And those that take away what nothing reads any more.
const std::vector<std::string>& finishing_passes();

// Throws kUnsupported naming the first node that is quantised already.
void refuse_quantised(const ir::Graph& graph);

// Which values the mode wants observed.
struct Wanted {
  std::set<std::string> ranges;
  std::map<std::string, int64_t> channels,
      pairs;  // with the axis that counts them; -1: the last
};
Wanted wanted_of(const ir::Graph& graph, const Settings& settings);

// Changes a prepared graph and its bodies in place.
void quantise(Work& work);

// Parts of it, by mode.
void quantise_weights(Work& work);
void quantise_dynamic(Work& work);
void quantise_static(Work& work);
void narrow_floats(Work& work);

}  // namespace onnxrun::quantise
