// The C interface's table, and handles of it that free themselves, for tests and fuzzers.
#pragma once

#include <onnxrun/onnxrun.h>

#include <memory>

namespace c_handles {

inline const onnxrun_api& api() { return *onnxrun_get_api(ONNXRUN_API_VERSION); }

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

}  // namespace c_handles
