// A file of algorithms: two lines that say what it is and of which machine, then "<algorithm> <math> <convolution>" lines.
#include "cuda/host/algorithms.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/error.h"

namespace onnxrun::cuda {

using base::Code;
using base::fail;

namespace {

constexpr const char* kTitle = "onnxrun: algorithms of cuDNN 1";

}  // namespace

Algorithms::Algorithms(std::string file, std::string machine) : file_(std::move(file)), machine_(std::move(machine)) {
  if (!file_.empty()) read();
}

void Algorithms::read() {
  std::ifstream in(file_);
  if (!in) return;  // not there yet
  std::string line;
  if (!std::getline(in, line)) return;
  if (line != kTitle)
    fail(Code::kInvalidArgument,
         "the CUDA provider's option 'algorithms': '{}' is no file of algorithms; it would be written over", file_);
  if (!std::getline(in, line) || line != machine_) return;
  while (std::getline(in, line)) {
    std::istringstream fields(line);
    Algorithm algorithm;
    std::string convolution;
    if (fields >> algorithm.number >> algorithm.math >> std::ws && std::getline(fields, convolution))
      known_.emplace(convolution, algorithm);
  }
}

std::optional<Algorithm> Algorithms::find(const std::string& convolution) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(convolution);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

void Algorithms::keep(const std::string& convolution, Algorithm algorithm) {
  const std::lock_guard lock(mutex_);
  known_[convolution] = algorithm;
  if (file_.empty()) return;
  read();  // what other processes have found
  write();
}

// Whole and under another name first, so that nobody reads half of it.
void Algorithms::write() const {
  const std::string partial = fmt::format("{}.{}", file_, getpid());
  {
    std::ofstream out(partial);
    out << kTitle << '\n' << machine_ << '\n';
    for (const auto& [convolution, algorithm] : known_)
      out << algorithm.number << ' ' << algorithm.math << ' ' << convolution << '\n';
    if (!out.flush()) {
      std::remove(partial.c_str());
      fail(Code::kRunFailed, "cuda: '{}' cannot be written (option algorithms)", partial);
    }
  }
  if (std::rename(partial.c_str(), file_.c_str()) != 0) {
    std::remove(partial.c_str());
    fail(Code::kRunFailed, "cuda: '{}' cannot be written (option algorithms)", file_);
  }
}

}  // namespace onnxrun::cuda
