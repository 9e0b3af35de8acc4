// The functions of all structural operators.
#pragma once

#include "run/structural.h"

namespace onnxrun::run {

void run_if(StructuralContext& context);
void run_loop(StructuralContext& context);
void run_scan(StructuralContext& context);
void run_batch_scan(StructuralContext& context);
void run_identity(StructuralContext& context);
void run_sequence_empty(StructuralContext& context);
void run_sequence_construct(StructuralContext& context);
void run_sequence_at(StructuralContext& context);
void run_sequence_insert(StructuralContext& context);
void run_sequence_erase(StructuralContext& context);
void run_sequence_length(StructuralContext& context);
void run_split_to_sequence(StructuralContext& context);
void run_concat_from_sequence(StructuralContext& context);
void run_sequence_map(StructuralContext& context);
void run_optional(StructuralContext& context);
void run_optional_has_element(StructuralContext& context);
void run_optional_get_element(StructuralContext& context);
void run_zip_map(StructuralContext& context);
void run_dict_vectorizer(StructuralContext& context);
void run_cast_map(StructuralContext& context);
void run_beam_search(StructuralContext& context);
void run_greedy_search(StructuralContext& context);
void run_sampling(StructuralContext& context);

}  // namespace onnxrun::run
