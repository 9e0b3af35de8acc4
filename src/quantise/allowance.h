// Allowance: the time and the memory that a quantisation may take.
#pragma once

#include <cstdint>

#include "base/charge.h"
#include "base/deadline.h"
#include "base/error.h"

namespace onnxrun::quantise {

struct Allowance {
  base::Deadline deadline;
  base::BudgetPtr budget;  // null: nothing is charged

  // Throws kDeadline.
  void check() const {
    if (deadline.past())
      base::fail(base::Code::kDeadline,
                 "the model could not be quantised within the time given (option timeout); rounding 'nearest', no "
                 "target for the error, and fewer or smaller samples take less");
  }
  // Throws kLimitExceeded.
  base::Charge charge(int64_t bytes) const { return {budget, bytes}; }
};

}  // namespace onnxrun::quantise
