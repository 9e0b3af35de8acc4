// Which of cuDNN's algorithms a convolution takes: remembered by the device, and in a file where the caller names one.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace onnxrun::cuda {

struct Algorithm {
  int number = 0;  // cuDNN's, of the direction
  int math = 0;    // cudnnMathType_t
};

// Thread-safe.
class Algorithms {
 public:
  // `machine` names the device and cuDNN's version: a file of another machine is ignored, and replaced by the first algorithm that is kept. `file` may be empty.
  // Throws kInvalidArgument for a file that is something else.
  Algorithms(std::string file, std::string machine);

  std::optional<Algorithm> find(const std::string& convolution) const;
  // Throws kRunFailed where the file cannot be written.
  void keep(const std::string& convolution, Algorithm algorithm);

 private:
  void read();
  void write() const;

  std::string file_, machine_;
  mutable std::mutex mutex_;
  std::map<std::string, Algorithm> known_;
};

}  // namespace onnxrun::cuda
