// TensorSummary: what a tensor of a session held over many runs - range, mean, spread, and some of its elements for comparing distributions.
#pragma once

#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

#include "base/value.h"

namespace onnxrun::api {

// Figures of many numbers. NaN counts in `elements` and `nan` only, infinities not in mean and deviation.
struct Moments {
  int64_t elements = 0, nan = 0, infinite = 0;
  double min = 0, max = 0;  // of what is no NaN
  double mean = 0;          // of what is finite
  double squares = 0;       // sum of squared distances from the mean

  int64_t finite() const { return elements - nan - infinite; }
  double deviation() const;
  void add(const Moments& other);
};

Moments moments_of(std::span<const double> numbers);
Moments moments_of(std::span<const float> numbers);

class TensorSummary {
 public:
  explicit TensorSummary(size_t capacity) : capacity_(capacity) {}

  // Looks at a value; one that is no tensor of real numbers only counts. Thread-safe; the value is read without a lock.
  void add(const base::Value& value);

  struct Snapshot {
    int64_t runs = 0;
    Moments moments;
    std::vector<float> sample;  // each element ever seen is in it with the same probability
  };
  Snapshot snapshot() const;

 private:
  template <class T>
  void add_numbers(std::span<const T> numbers);
  template <class T>
  void keep_some(std::span<const T> numbers);
  void skip();
  double random();

  const size_t capacity_;
  mutable std::mutex mutex_;
  int64_t runs_ = 0;
  Moments moments_;
  std::vector<float> sample_;
  int64_t seen_ = 0;  // elements that the sample was chosen from
  int64_t next_ = 0;  // the next one that enters it
  double weight_ = 1;
  uint64_t state_ = 0x9e3779b97f4a7c15u;
};

}  // namespace onnxrun::api
