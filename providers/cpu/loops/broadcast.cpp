// Building a broadcast plan: strides of each input, merged over dims that all operands walk alike.
#include "cpu/loops/broadcast.h"

#include "base/error.h"

namespace onnxrun::cpu {

BroadcastPlan::BroadcastPlan(std::span<const base::DimsView> inputs, base::DimsView output)
    : inputs_(inputs.size()), count_(base::element_count(output)) {
  if (inputs_ > kMaxInputs)
    base::fail(base::Code::kInternal, "a broadcast plan takes {} inputs, not {}", kMaxInputs, inputs_);
  std::vector<base::Dims> strides;
  for (const base::DimsView& input : inputs) strides.push_back(base::broadcast_strides(input, output));

  for (size_t d = 0; d < output.size(); ++d) {
    if (output[d] == 1) continue;
    Outer dim{output[d], {}};
    for (size_t k = 0; k < inputs_; ++k) dim.strides[k] = strides[k][d];
    const auto merges = [&](const Outer& before) {
      for (size_t k = 0; k < inputs_; ++k)
        if (before.strides[k] != dim.strides[k] * dim.size) return false;
      return true;
    };
    if (!outer_.empty() && merges(outer_.back())) dim.size *= outer_.back().size, outer_.back() = dim;
    else outer_.push_back(dim);
  }
  if (outer_.empty()) {
    for (size_t k = 0; k < inputs_; ++k) row_strides_[k] = 1;
    return;
  }
  if (outer_.size() > kMaxOuter) base::fail(base::Code::kLimitExceeded, "a tensor of more than {} dims", kMaxOuter);
  row_length_ = outer_.back().size;
  std::copy_n(outer_.back().strides, kMaxInputs, row_strides_);
  outer_.pop_back();
}

void BroadcastPlan::merge_repeats(int64_t longest) {
  if (outer_.empty() || row_length_ > longest || row_length_ < 2) return;
  const Outer& around = outer_.back();
  bool repeats[kMaxInputs] = {}, any = false;
  for (size_t k = 0; k < inputs_; ++k) {
    repeats[k] = around.strides[k] == 0 && row_strides_[k] == 1;
    any = any || repeats[k];
    if (!repeats[k] && around.strides[k] != row_strides_[k] * row_length_) return;
  }
  if (!any) return;
  std::copy_n(repeats, kMaxInputs, repeats_);
  period_ = row_length_;
  row_length_ *= around.size;
  outer_.pop_back();
}

int64_t BroadcastPlan::start(int64_t begin, int64_t* index, int64_t* offsets) const {
  int64_t row = begin / row_length_;
  std::fill_n(offsets, inputs_, 0);
  for (size_t d = outer_.size(); d-- > 0;) {
    index[d] = row % outer_[d].size;
    row /= outer_[d].size;
    for (size_t k = 0; k < inputs_; ++k) offsets[k] += index[d] * outer_[d].strides[k];
  }
  return begin % row_length_;
}

}  // namespace onnxrun::cpu
