/* Names every type of the C interfaces, so that a dump of this file's ABI is a dump of theirs. */
#include <onnxrun/custom_op.h>
#include <onnxrun/onnxrun.h>
#include <onnxrun/provider.h>

ONNXRUN_EXPORT const onnxrun_api* abi_of_table(uint32_t version);
const onnxrun_api* abi_of_table(uint32_t version) {
  (void)version;
  return (const onnxrun_api*)0;
}

ONNXRUN_EXPORT onnxrun_code abi_of_providers(onnxrun_provider_entry entry, const onnxrun_run_context* context);
onnxrun_code abi_of_providers(onnxrun_provider_entry entry, const onnxrun_run_context* context) {
  return entry && context ? ONNXRUN_OK : ONNXRUN_INTERNAL;
}

ONNXRUN_EXPORT onnxrun_code abi_of_operators(onnxrun_op_entry entry, const onnxrun_infer_call* call);
onnxrun_code abi_of_operators(onnxrun_op_entry entry, const onnxrun_infer_call* call) {
  return entry && call ? ONNXRUN_OK : ONNXRUN_INTERNAL;
}

ONNXRUN_EXPORT void abi_of_constants(onnxrun_kind kind, onnxrun_inspect part, onnxrun_log_level level,
                                     onnxrun_dtype dtype, onnxrun_attribute_kind attribute);
void abi_of_constants(onnxrun_kind kind, onnxrun_inspect part, onnxrun_log_level level, onnxrun_dtype dtype,
                      onnxrun_attribute_kind attribute) {
  (void)kind, (void)part, (void)level, (void)dtype, (void)attribute;
}
