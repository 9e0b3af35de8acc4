// Status: what every function of the C interface returns, and the one guard that turns exceptions into it.
#pragma once

#include <onnxrun/onnxrun.h>

#include <exception>
#include <new>
#include <string>
#include <utility>

#include "base/error.h"

struct onnxrun_status {
  onnxrun_code code = ONNXRUN_OK;
  std::string message;
  bool shared = false;  // a constant of the library, not freed
};

namespace onnxrun::api {

using base::Code;
using base::fail;

// A new status; a constant one when there is no memory left for it.
onnxrun_status* make_status(onnxrun_code code, const char* message) noexcept;

template <class Body>
onnxrun_status* guard(Body&& body) noexcept {
  try {
    body();
    return nullptr;
  } catch (const base::Error& error) {
    return make_status(static_cast<onnxrun_code>(error.code()), error.what());
  } catch (const std::bad_alloc&) {
    return make_status(ONNXRUN_LIMIT_EXCEEDED, "the system has no memory left to give");
  } catch (const std::exception& error) {
    return make_status(ONNXRUN_INTERNAL, error.what());
  } catch (...) {
    return make_status(ONNXRUN_INTERNAL, "an exception of unknown type");
  }
}

// The object behind an argument. Throws kInvalidArgument naming `what` when it is null.
template <class T>
T& need(T* pointer, const char* what) {
  if (pointer == nullptr) fail(Code::kInvalidArgument, "argument '{}' is null", what);
  return *pointer;
}

}  // namespace onnxrun::api
