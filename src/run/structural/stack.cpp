// Joining the parts as they come.
#include "run/structural/stack.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "run/structural/axis.h"
#include "run/structural/list.h"

namespace onnxrun::run {

using base::Code;
using base::Dims;
using base::DType;
using base::Tensor;

void Stack::push(Tensor part) {
  if (count_ == 0) first_ = part;
  if (part.dims() != first_.dims() || part.dtype() != first_.dtype())
    base::fail(Code::kRunFailed, "iteration {} makes a {} tensor {} for a scan output, the first made a {} tensor {}",
               count_, base::dtype_name(part.dtype()), base::to_string(part.dims()), base::dtype_name(first_.dtype()),
               base::to_string(first_.dims()));
  if (direct()) {
    if (count_ == capacity_) reserve();
    copy_elements(part, 0, joined_, count_ * part.count(), part.count());
  } else {
    list_.add(list_bytes(1));
    parts_.push_back(std::move(part));
  }
  ++count_;
}

void Stack::reserve() {
  Dims dims = first_.dims();
  const int64_t capacity = std::max<int64_t>(1, base::checked_mul(capacity_, int64_t{2}));
  dims.insert(dims.begin(), capacity);
  Tensor larger = pool_.make(first_.dtype(), std::move(dims));
  // What no part fills of the last byte is zero.
  if (base::is_sub_byte(larger.dtype())) std::memset(larger.mutable_raw(), 0, larger.bytes());
  if (count_ > 0) copy_elements(joined_, 0, larger, 0, count_ * first_.count());
  joined_ = std::move(larger);
  capacity_ = capacity;
}

Tensor Stack::take() {
  if (!direct())
    return join_axis(parts_, base::normalize_axis(axis_, first_.rank() + 1, "scan_output_axes"), true, pool_, reverse_);
  Dims dims = first_.dims();
  dims.insert(dims.begin(), count_);
  return Tensor(joined_.dtype(), std::move(dims), joined_.buffer());
}

}  // namespace onnxrun::run
