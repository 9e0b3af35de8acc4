// The library through its C interface, for fuzzers: handles that free themselves, and no status may be an internal error.
#pragma once

#include <onnxrun/onnxrun.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace onnxrun::fuzz {

inline const onnxrun_api& api() { return *onnxrun_get_api(ONNXRUN_API_VERSION); }

// The code of a status, which is freed. An internal error is a finding: it ends the process.
inline onnxrun_code settle(onnxrun_status* status, std::string* message = nullptr) {
  const onnxrun_code code = api().status_code(status);
  if (message != nullptr) *message = api().status_message(status);
  if (code == ONNXRUN_INTERNAL) {
    std::fprintf(stderr, "internal error: %s\n", api().status_message(status));
    std::abort();
  }
  api().status_free(status);
  return code;
}

struct Free {
  void operator()(onnxrun_options* p) const { api().options_free(p); }
  void operator()(onnxrun_model* p) const { api().model_free(p); }
  void operator()(onnxrun_session* p) const { api().session_free(p); }
  void operator()(onnxrun_value* p) const { api().value_free(p); }
  void operator()(onnxrun_run* p) const { api().run_free(p); }
  void operator()(onnxrun_blob* p) const { api().blob_free(p); }
  void operator()(onnxrun_editor* p) const { api().editor_free(p); }
};
template <class T>
using Handle = std::unique_ptr<T, Free>;

// What `make(out)` gives; null where it fails, with the code in `code`.
template <class T, class Make>
Handle<T> made(Make&& make, onnxrun_code* code = nullptr, std::string* message = nullptr) {
  T* out = nullptr;
  const onnxrun_code result = settle(make(&out), message);
  if (code != nullptr) *code = result;
  return Handle<T>(out);
}

}  // namespace onnxrun::fuzz
