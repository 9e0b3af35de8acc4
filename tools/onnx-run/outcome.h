// Exit codes of onnx-run and the errors that lead to them.
#pragma once

#include <onnxrun/error.hpp>

#include <stdexcept>
#include <string>

namespace cli {

enum Exit : int { kOk = 0, kMismatch = 1, kUsage = 2, kModel = 3, kRun = 4 };

// An error of the command line itself, with the exit code it ends with.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message, Exit exit = kUsage) : std::runtime_error(message), exit_(exit) {}
  Exit exit() const { return exit_; }

 private:
  Exit exit_;
};

// Runs `body`, whose library errors end with `otherwise` unless the caller passed something wrong.
template <class Body>
auto in_phase(Exit otherwise, Body&& body) {
  try {
    return body();
  } catch (const onnxrun::Error& error) {
    throw Failure(error.what(), error.code() == onnxrun::Code::kInvalidArgument ? kUsage : otherwise);
  }
}

}  // namespace cli
