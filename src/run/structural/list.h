// Sequences that a run makes: what their lists take is charged beside their elements' data.
#pragma once

#include <memory>
#include <utility>

#include "base/charge.h"
#include "base/checked.h"
#include "base/value.h"

namespace onnxrun::run {

// What the list of so many elements takes beside their data, about. Throws kLimitExceeded beyond 64 bits.
inline int64_t list_bytes(int64_t elements) {
  constexpr int64_t kOwn = 512;
  return base::checked_mul(elements, static_cast<int64_t>(sizeof(base::Value)) + kOwn);
}

// A sequence, still empty, that holds on to what its list is charged to.
inline std::shared_ptr<base::Sequence> make_listed(base::Charge list) {
  struct Listed {
    base::Charge list;
    base::Sequence sequence;
  };
  auto listed = std::make_shared<Listed>();
  listed->list = std::move(list);
  return {listed, &listed->sequence};
}

}  // namespace onnxrun::run
