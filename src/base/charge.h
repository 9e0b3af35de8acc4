// Charge: bytes that are charged to a budget for as long as it lives.
#pragma once

#include <cstdint>
#include <utility>

#include "base/buffer.h"

namespace onnxrun::base {

class Charge {
 public:
  Charge() = default;
  // Throws kLimitExceeded. `budget` may be null: then nothing is charged.
  Charge(BudgetPtr budget, int64_t bytes) : budget_(std::move(budget)), bytes_(bytes) {
    if (budget_) budget_->charge(bytes);
  }
  Charge(Charge&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Charge& operator=(Charge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Charge() {
    if (budget_) budget_->release(bytes_);
  }

 private:
  BudgetPtr budget_;
  int64_t bytes_ = 0;
};

}  // namespace onnxrun::base
