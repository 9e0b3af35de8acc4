// The functions of the C interface's table; include/onnxrun/onnxrun.h has their contracts.
#pragma once

#include <onnxrun/onnxrun.h>

namespace onnxrun::api {

onnxrun_code status_code(const onnxrun_status* status);
const char* status_message(const onnxrun_status* status);
void status_free(onnxrun_status* status);
const char* blob_data(const onnxrun_blob* blob);
size_t blob_size(const onnxrun_blob* blob);
void blob_free(onnxrun_blob* blob);
onnxrun_status* options_create(onnxrun_options** out);
onnxrun_status* options_set(onnxrun_options* options, const char* key, const char* value);
onnxrun_status* options_add_provider_library(onnxrun_options* options, const char* path, const char* const* settings,
                                             size_t setting_count);
void options_free(onnxrun_options* options);
onnxrun_status* model_load(const char* path, const onnxrun_options* options, onnxrun_model** out);
onnxrun_status* model_load_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_model** out);
void model_free(onnxrun_model* model);
onnxrun_status* model_input_count(const onnxrun_model* model, size_t* out);
onnxrun_status* model_output_count(const onnxrun_model* model, size_t* out);
onnxrun_status* model_input(const onnxrun_model* model, size_t index, const onnxrun_port** out);
onnxrun_status* model_output(const onnxrun_model* model, size_t index, const onnxrun_port** out);
onnxrun_status* model_metadata(const onnxrun_model* model, const char* key, const char** out);
onnxrun_status* model_inspect(const onnxrun_model* model, const onnxrun_options* options, uint32_t parts,
                              onnxrun_blob** out);
onnxrun_status* model_check(const char* path, const onnxrun_options* options, onnxrun_blob** out);
onnxrun_status* value_create_tensor(int32_t dtype, const int64_t* dims, size_t rank, onnxrun_value** out);
onnxrun_status* value_wrap_tensor(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                  int32_t writable, void (*release)(void* context), void* context, onnxrun_value** out);
onnxrun_status* value_create_strings(const int64_t* dims, size_t rank, const char* const* strings,
                                     const size_t* lengths, size_t count, onnxrun_value** out);
onnxrun_status* value_create_sequence(const onnxrun_value* const* elements, size_t count, onnxrun_value** out);
onnxrun_status* value_create_map(const onnxrun_value* keys, const onnxrun_value* values, onnxrun_value** out);
onnxrun_status* value_create_absent(onnxrun_value** out);
onnxrun_status* value_share(const onnxrun_value* value, onnxrun_value** out);
void value_free(onnxrun_value* value);
onnxrun_status* value_kind(const onnxrun_value* value, int32_t* out);
onnxrun_status* value_describe(const onnxrun_value* value, onnxrun_blob** out);
onnxrun_status* value_tensor_info(const onnxrun_value* value, int32_t* dtype, const int64_t** dims, size_t* rank,
                                  int64_t* count);
onnxrun_status* value_data(const onnxrun_value* value, const void** data, size_t* bytes);
onnxrun_status* value_mutable_data(onnxrun_value* value, void** data, size_t* bytes);
onnxrun_status* value_string(const onnxrun_value* value, int64_t index, const char** data, size_t* length);
onnxrun_status* value_to_doubles(const onnxrun_value* value, double* out, size_t count);
onnxrun_status* value_from_doubles(onnxrun_value* value, const double* data, size_t count);
onnxrun_status* value_sequence_length(const onnxrun_value* value, size_t* out);
onnxrun_status* value_sequence_element(const onnxrun_value* value, size_t index, onnxrun_value** out);
onnxrun_status* value_map_keys(const onnxrun_value* value, onnxrun_value** out);
onnxrun_status* value_map_values(const onnxrun_value* value, onnxrun_value** out);
onnxrun_status* value_from_proto(const void* data, size_t size, int32_t kind, onnxrun_value** out);
onnxrun_status* value_to_proto(const onnxrun_value* value, const char* name, onnxrun_blob** out);
onnxrun_status* session_create(const onnxrun_model* model, const onnxrun_options* options, onnxrun_session** out);
void session_free(onnxrun_session* session);
onnxrun_status* session_input_count(const onnxrun_session* session, size_t* out);
onnxrun_status* session_output_count(const onnxrun_session* session, size_t* out);
onnxrun_status* session_input(const onnxrun_session* session, size_t index, const onnxrun_port** out);
onnxrun_status* session_output(const onnxrun_session* session, size_t index, const onnxrun_port** out);
onnxrun_status* session_trim(onnxrun_session* session);
onnxrun_status* session_memory(const onnxrun_session* session, onnxrun_blob** out);
onnxrun_status* run_create(const onnxrun_session* session, onnxrun_run** out);
void run_free(onnxrun_run* run);
onnxrun_status* run_set_input(onnxrun_run* run, const char* name, const onnxrun_value* value);
onnxrun_status* run_set_output(onnxrun_run* run, const char* name, const onnxrun_value* value);
onnxrun_status* run_set_timeout(onnxrun_run* run, double seconds);
onnxrun_status* run_set_tap(onnxrun_run* run, const char* name, onnxrun_tap tap, void* context);
onnxrun_status* run_set_profile(onnxrun_run* run, int32_t on);
onnxrun_status* run_execute(onnxrun_run* run);
onnxrun_status* run_cancel(onnxrun_run* run, int32_t on);
onnxrun_status* run_output_count(const onnxrun_run* run, size_t* out);
onnxrun_status* run_output_name(const onnxrun_run* run, size_t index, const char** out);
onnxrun_status* run_output(const onnxrun_run* run, size_t index, onnxrun_value** out);
onnxrun_status* run_output_by_name(const onnxrun_run* run, const char* name, onnxrun_value** out);
onnxrun_status* run_profile(const onnxrun_run* run, onnxrun_blob** out);
onnxrun_status* providers_report(const onnxrun_options* options, onnxrun_blob** out);
onnxrun_status* model_optimize(const onnxrun_model* model, const onnxrun_options* options, onnxrun_model** out);
onnxrun_status* model_save(const onnxrun_model* model, const char* path, const onnxrun_options* options);
onnxrun_status* model_save_bytes(const onnxrun_model* model, const onnxrun_options* options, onnxrun_blob** out);
onnxrun_status* model_to_text(const onnxrun_model* model, onnxrun_blob** out);
onnxrun_status* model_from_text(const char* text, size_t size, const onnxrun_options* options, onnxrun_model** out);
onnxrun_status* editor_create(const onnxrun_model* model, onnxrun_editor** out);
void editor_free(onnxrun_editor* editor);
onnxrun_status* editor_finish(const onnxrun_editor* editor, onnxrun_model** out);
onnxrun_status* editor_select(onnxrun_editor* editor, const char* op, const char* name, int64_t* nodes, size_t capacity,
                              size_t* count);
onnxrun_status* editor_node(onnxrun_editor* editor, int64_t node, onnxrun_blob** out);
onnxrun_status* editor_extract(onnxrun_editor* editor, const char* const* inputs, size_t input_count,
                               const char* const* outputs, size_t output_count);
onnxrun_status* editor_rename_value(onnxrun_editor* editor, const char* from, const char* to);
onnxrun_status* editor_rename_node(onnxrun_editor* editor, int64_t node, const char* name);
onnxrun_status* editor_remove_node(onnxrun_editor* editor, int64_t node);
onnxrun_status* editor_bypass_node(onnxrun_editor* editor, int64_t node);
onnxrun_status* editor_insert(onnxrun_editor* editor, const char* text);
onnxrun_status* editor_set_node_input(onnxrun_editor* editor, int64_t node, size_t index, const char* value);
onnxrun_status* editor_replace_uses(onnxrun_editor* editor, const char* from, const char* to);
onnxrun_status* editor_add_input(onnxrun_editor* editor, const char* value);
onnxrun_status* editor_add_output(onnxrun_editor* editor, const char* value);
onnxrun_status* editor_remove_output(onnxrun_editor* editor, const char* value);
onnxrun_status* editor_set_input(onnxrun_editor* editor, const char* input, int32_t dtype, const char* const* dims,
                                 size_t rank);
onnxrun_status* editor_constant(const onnxrun_editor* editor, const char* name, onnxrun_value** out);
onnxrun_status* editor_set_constant(onnxrun_editor* editor, const char* name, const onnxrun_value* value);
onnxrun_status* editor_set_metadata(onnxrun_editor* editor, const char* key, const char* value);
onnxrun_status* editor_strip_weights(onnxrun_editor* editor, int64_t min_bytes, size_t* count);
onnxrun_status* editor_merge(onnxrun_editor* editor, const onnxrun_model* other, const char* const* outputs,
                             const char* const* inputs, size_t count, const char* prefix);
onnxrun_status* run_set_poll(onnxrun_run* run, int32_t (*poll)(void* context), void* context);
onnxrun_status* run_take_output(onnxrun_run* run, size_t index, onnxrun_value** out);
onnxrun_status* model_check_bytes(const void* data, size_t size, const onnxrun_options* options, onnxrun_blob** out);
onnxrun_status* model_quantize(const onnxrun_model* model, const onnxrun_options* options, const char* const* settings,
                               size_t setting_count, onnxrun_sample sample, void* context, onnxrun_model** out,
                               onnxrun_blob** report);
onnxrun_status* run_execute_async(onnxrun_run* run, onnxrun_done done, void* context);
onnxrun_status* run_wait(onnxrun_run* run);
onnxrun_status* session_stats(const onnxrun_session* session, onnxrun_blob** out);
onnxrun_status* session_prometheus(const onnxrun_session* session, const char* name, onnxrun_blob** out);
onnxrun_status* options_set_log(onnxrun_options* options, int32_t level, onnxrun_log log,
                                void (*release)(void* context), void* context);
onnxrun_status* options_set_allocator(onnxrun_options* options, onnxrun_allocate allocate,
                                      onnxrun_deallocate deallocate, void (*release)(void* context), void* context);
onnxrun_status* model_load_stream(onnxrun_read read, void* context, const onnxrun_options* options,
                                  onnxrun_model** out);
onnxrun_status* model_metadata_count(const onnxrun_model* model, size_t* out);
onnxrun_status* model_metadata_entry(const onnxrun_model* model, size_t index, const char** key, const char** value);
onnxrun_status* value_to_dlpack(const onnxrun_value* value, uint32_t major, void** out);
onnxrun_status* value_from_dlpack(void* tensor, uint32_t major, onnxrun_value** out);
onnxrun_status* options_add_ops(onnxrun_options* options, const onnxrun_op_library* library);
onnxrun_status* options_add_op_library(onnxrun_options* options, const char* path, const char* const* settings,
                                       size_t setting_count);
onnxrun_status* value_wrap_device(int32_t dtype, const int64_t* dims, size_t rank, void* data, size_t bytes,
                                  int32_t device_type, int32_t device_id, int32_t writable,
                                  void (*release)(void* context), void* context, onnxrun_value** out);
onnxrun_status* value_device(const onnxrun_value* value, int32_t* device_type, int32_t* device_id, void** data);
onnxrun_status* value_create_on(const onnxrun_options* options, int32_t device_type, int32_t device_id, int32_t dtype,
                                const int64_t* dims, size_t rank, onnxrun_value** out);
onnxrun_status* value_copy(const onnxrun_options* options, const onnxrun_value* from, onnxrun_value* to);
onnxrun_status* run_set_output_device(onnxrun_run* run, const char* name, int32_t device_type, int32_t device_id);

}  // namespace onnxrun::api
