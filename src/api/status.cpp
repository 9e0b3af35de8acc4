// Status and blob functions of the C interface.
#include "api/status.h"

#include "api/functions.h"
#include "api/handles.h"

namespace onnxrun::api {

onnxrun_status* make_status(onnxrun_code code, const char* message) noexcept {
  try {
    return new onnxrun_status{code, message, false};
  } catch (...) {
    static onnxrun_status out_of_memory{ONNXRUN_LIMIT_EXCEEDED, "out of memory", true};  // short enough to need none
    return &out_of_memory;
  }
}

onnxrun_code status_code(const onnxrun_status* status) { return status ? status->code : ONNXRUN_OK; }
const char* status_message(const onnxrun_status* status) { return status ? status->message.c_str() : ""; }
void status_free(onnxrun_status* status) {
  if (status && !status->shared) delete status;
}

const char* blob_data(const onnxrun_blob* blob) { return blob ? blob->text.c_str() : ""; }
size_t blob_size(const onnxrun_blob* blob) { return blob ? blob->text.size() : 0; }
void blob_free(onnxrun_blob* blob) { delete blob; }

}  // namespace onnxrun::api
