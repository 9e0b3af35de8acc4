// The table of functions, the library's one entry.
#include <onnxrun/onnxrun.h>

#include "api/functions.h"

namespace onnxrun::api {
namespace {

const char* library_version_text() { return ONNXRUN_VERSION; }

constexpr onnxrun_api kTable = {
    .version = ONNXRUN_API_VERSION,
    .size = sizeof(onnxrun_api),
    .library_version = library_version_text,
    .status_code = status_code,
    .status_message = status_message,
    .status_free = status_free,
    .blob_data = blob_data,
    .blob_size = blob_size,
    .blob_free = blob_free,
    .options_create = options_create,
    .options_set = options_set,
    .options_add_provider_library = options_add_provider_library,
    .options_free = options_free,
    .model_load = model_load,
    .model_load_bytes = model_load_bytes,
    .model_free = model_free,
    .model_input_count = model_input_count,
    .model_output_count = model_output_count,
    .model_input = model_input,
    .model_output = model_output,
    .model_metadata = model_metadata,
    .model_inspect = model_inspect,
    .model_check = model_check,
    .value_create_tensor = value_create_tensor,
    .value_wrap_tensor = value_wrap_tensor,
    .value_create_strings = value_create_strings,
    .value_create_sequence = value_create_sequence,
    .value_create_map = value_create_map,
    .value_create_absent = value_create_absent,
    .value_share = value_share,
    .value_free = value_free,
    .value_kind = value_kind,
    .value_describe = value_describe,
    .value_tensor_info = value_tensor_info,
    .value_data = value_data,
    .value_mutable_data = value_mutable_data,
    .value_string = value_string,
    .value_to_doubles = value_to_doubles,
    .value_from_doubles = value_from_doubles,
    .value_sequence_length = value_sequence_length,
    .value_sequence_element = value_sequence_element,
    .value_map_keys = value_map_keys,
    .value_map_values = value_map_values,
    .value_from_proto = value_from_proto,
    .value_to_proto = value_to_proto,
    .session_create = session_create,
    .session_free = session_free,
    .session_input_count = session_input_count,
    .session_output_count = session_output_count,
    .session_input = session_input,
    .session_output = session_output,
    .session_trim = session_trim,
    .session_memory = session_memory,
    .run_create = run_create,
    .run_free = run_free,
    .run_set_input = run_set_input,
    .run_set_output = run_set_output,
    .run_set_timeout = run_set_timeout,
    .run_set_tap = run_set_tap,
    .run_set_profile = run_set_profile,
    .run_execute = run_execute,
    .run_cancel = run_cancel,
    .run_output_count = run_output_count,
    .run_output_name = run_output_name,
    .run_output = run_output,
    .run_output_by_name = run_output_by_name,
    .run_profile = run_profile,
    .providers_report = providers_report,
    .model_optimize = model_optimize,
    .model_save = model_save,
    .model_save_bytes = model_save_bytes,
};

}  // namespace
}  // namespace onnxrun::api

const onnxrun_api* onnxrun_get_api(uint32_t version) {
  return version == ONNXRUN_API_VERSION ? &onnxrun::api::kTable : nullptr;
}
