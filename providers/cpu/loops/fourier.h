// Discrete Fourier transforms of any length, of many rows side by side.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "cpu/loops/chirp_transform.h"
#include "cpu/loops/mixed_radix.h"

namespace onnxrun::cpu {

// T is float or double. Lengths with a large prime factor are transformed in double whatever T is.
template <class T>
class FourierTransform {
 public:
  // `length` >= 1. Throws kLimitExceeded where tables would overflow. Here and below `pacer`, where given, ends the work of a cancelled run.
  explicit FourierTransform(int64_t length, Pacer* pacer = nullptr);

  int64_t length() const { return length_; }
  static size_t work_bytes(int64_t length, int64_t rows);

  // Transforms re and im, [length, rows] each, in place: forward (e^-) or, unscaled, inverse (e^+). `work` has work_bytes and is aligned to 8 bytes.
  void run(T* re, T* im, int64_t rows, bool inverse, void* work, Pacer* pacer = nullptr) const;

 private:
  int64_t length_;
  std::optional<MixedRadix<T>> radix_;
  std::optional<ChirpTransform> chirp_;
};

// The transform of the length last asked for. Threads may share it.
template <class T>
class LatestTransform {
 public:
  std::shared_ptr<const FourierTransform<T>> of(int64_t length, Pacer* pacer = nullptr) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (latest_ == nullptr || latest_->length() != length)
      latest_ = std::make_shared<const FourierTransform<T>>(length, pacer);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const FourierTransform<T>> latest_;
};

}  // namespace onnxrun::cpu
