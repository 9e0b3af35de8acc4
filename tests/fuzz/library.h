// The library through its C interface, for fuzzers: handles that free themselves, and no status may be an internal error.
#pragma once

#include <onnxrun/onnxrun.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "api/c_handles.h"

namespace onnxrun::fuzz {

using c_handles::api;
using c_handles::Handle;

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

// What `make(out)` gives; null where it fails, with the code in `code`.
template <class T, class Make>
Handle<T> made(Make&& make, onnxrun_code* code = nullptr, std::string* message = nullptr) {
  T* out = nullptr;
  const onnxrun_code result = settle(make(&out), message);
  if (code != nullptr) *code = result;
  return Handle<T>(out);
}

}  // namespace onnxrun::fuzz
