// Loading and running a fuzzed model through the C interface, with inputs made up for what it declares.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/library.h"
#include "fuzz/random.h"

namespace onnxrun::fuzz {

// "key=value" for options_set, on top of limits that keep a fuzzer going.
Handle<onnxrun_options> settings(const std::vector<std::pair<const char*, std::string>>& more = {});

Handle<onnxrun_model> load(std::span<const uint8_t> bytes, const onnxrun_options* options);

struct Feed {
  std::string name;
  Handle<onnxrun_value> value;
};

// Values for all inputs; equal named dims get equal sizes. Without `extremes` numbers are small and finite. False for a model whose inputs
// are too large or of a kind that is not made here.
bool make_feeds(const onnxrun_model* model, Random& random, bool extremes, std::vector<Feed>& feeds);

struct Outcome {
  onnxrun_code code = ONNXRUN_OK;
  std::string message;
  std::vector<Handle<onnxrun_value>> outputs;
};

// `tap` may be null: sees every intermediate value.
Outcome run(const onnxrun_model* model, const onnxrun_options* options, const std::vector<Feed>& feeds,
            onnxrun_tap tap = nullptr, void* context = nullptr);

// How `outcome` differs from a reference beyond `tolerance` times the largest magnitude of each tensor; "" where it does not, or where the reference
// failed: it may have done so in a node that the other left out because nobody reads its result.
std::string difference(const Outcome& outcome, const Outcome& reference, double tolerance);

}  // namespace onnxrun::fuzz
