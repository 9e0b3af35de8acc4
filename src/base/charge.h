// Charge: bytes that are charged to a budget for as long as it lives.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/buffer.h"

namespace onnxrun::base {

// What a tensor of a list takes beside its elements and itself, about.
inline constexpr size_t kTensorBytes = 256;

class Charge {
 public:
  Charge() = default;
  // Throws kLimitExceeded. `budget` may be null: then nothing is charged.
  Charge(BudgetPtr budget, int64_t bytes) : budget_(std::move(budget)), bytes_(bytes), used_(bytes) {
    if (budget_) budget_->charge(bytes);
  }
  explicit Charge(BudgetPtr budget) : budget_(std::move(budget)) {}
  Charge(Charge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)),
        used_(std::exchange(other.used_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    std::swap(used_, other.used_);
    return *this;
  }
  ~Charge() {
    if (budget_) budget_->release(bytes_);
  }

  // Of something that grows by small amounts: charges a step ahead, so that most calls cost nothing. Throws kLimitExceeded.
  void add(int64_t bytes) {
    constexpr int64_t kStep = int64_t{1} << 20;
    used_ += bytes;
    if (!budget_ || used_ <= bytes_) return;
    const int64_t more = std::max(kStep, used_ - bytes_);
    budget_->charge(more);
    bytes_ += more;
  }

 private:
  BudgetPtr budget_;
  int64_t bytes_ = 0, used_ = 0;
};

}  // namespace onnxrun::base
