// Which function runs which structural operator.
#include <algorithm>
#include <iterator>

#include "run/structural/functions.h"

namespace onnxrun::run {

StructuralFunction find_structural(std::string_view domain, std::string_view op) {
  struct Entry {
    std::string_view domain, op;
    StructuralFunction function;
  };
  static constexpr Entry kTable[] = {
      {"", "If", run_if},
      {"", "Loop", run_loop},
      {"", "Scan", run_scan},
      {"onnxrun", "BatchScan", run_batch_scan},
      {"", "Identity", run_identity},
      {"", "SequenceEmpty", run_sequence_empty},
      {"", "SequenceConstruct", run_sequence_construct},
      {"", "SequenceAt", run_sequence_at},
      {"", "SequenceInsert", run_sequence_insert},
      {"", "SequenceErase", run_sequence_erase},
      {"", "SequenceLength", run_sequence_length},
      {"", "SplitToSequence", run_split_to_sequence},
      {"", "ConcatFromSequence", run_concat_from_sequence},
      {"", "SequenceMap", run_sequence_map},
      {"", "Optional", run_optional},
      {"", "OptionalHasElement", run_optional_has_element},
      {"", "OptionalGetElement", run_optional_get_element},
      {"ai.onnx.ml", "ZipMap", run_zip_map},
      {"ai.onnx.ml", "DictVectorizer", run_dict_vectorizer},
      {"ai.onnx.ml", "CastMap", run_cast_map},
      {"com.microsoft", "BeamSearch", run_beam_search},
      {"com.microsoft", "WhisperBeamSearch", run_beam_search},
      {"com.microsoft", "GreedySearch", run_greedy_search},
      {"com.microsoft", "Sampling", run_sampling},
  };
  const auto* found = std::find_if(std::begin(kTable), std::end(kTable),
                                   [&](const Entry& entry) { return entry.domain == domain && entry.op == op; });
  return found == std::end(kTable) ? nullptr : found->function;
}

}  // namespace onnxrun::run
