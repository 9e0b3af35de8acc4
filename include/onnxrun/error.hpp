// The one exception type of onnxrun: thrown inside the library, by providers and by the C++ API.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <onnxrun/types.h>

namespace onnxrun {

// What went wrong, as a stable code; the numbers are those of `onnxrun_code`.
enum class Code : int {
  kInvalidArgument = ONNXRUN_INVALID_ARGUMENT,  // the caller passed something wrong
  kInvalidModel = ONNXRUN_INVALID_MODEL,        // the file breaks the ONNX specification
  kUnsupported = ONNXRUN_UNSUPPORTED,           // valid, but no kernel or feature for it here
  kRunFailed = ONNXRUN_RUN_FAILED,              // a value met while running makes an operator undefined
  kLimitExceeded = ONNXRUN_LIMIT_EXCEEDED,      // a byte, step or nesting limit was reached
  kCancelled = ONNXRUN_CANCELLED,               // the caller cancelled the run
  kDeadline = ONNXRUN_DEADLINE,                 // the run's deadline passed
  kIo = ONNXRUN_IO,                             // a file could not be read or written
  kInternal = ONNXRUN_INTERNAL,                 // a defect of this library
};

// An error: a message that names the thing and the way out, and the context each stage added on its way up
// (file, node, operator, input, shapes), innermost first.
class Error : public std::exception {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)), what_(message_) {}

  Code code() const noexcept { return code_; }
  const std::string& message() const noexcept { return message_; }
  const char* what() const noexcept override { return what_.c_str(); }

  // Adds one line of context, e.g. "in node 'conv1' (Conv)". Returns itself for `throw e.in(...)`.
  Error& in(const std::string& context) {
    what_ += "\n  in " + context;
    return *this;
  }

 private:
  Code code_;
  std::string message_;
  std::string what_;
};

}  // namespace onnxrun
