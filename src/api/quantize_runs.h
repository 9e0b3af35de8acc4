// Runs that quantisation needs: samples of a caller, what values a model has on them, and how far apart two models' results are.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "api/assemble.h"
#include "quantise/quantise.h"

namespace onnxrun::api {

using NamedValues = std::vector<std::pair<std::string, base::Value>>;

// The samples of a caller, read one at a time.
class Samples {
 public:
  Samples(onnxrun_sample next, void* context, int64_t most) : next_(next), context_(context), most_(most) {}

  bool any() const { return next_ != nullptr; }
  // The inputs of sample `index`; false where there are no more. Throws kCancelled where the caller wants no more of it.
  bool read(const std::shared_ptr<Session>& session, int64_t index, NamedValues& inputs) const;

 private:
  onnxrun_sample next_;
  void* context_;
  int64_t most_;
};

// The options with the time that is left of what all may take. Throws kDeadline where that is none.
onnxrun_options in_time(onnxrun_options options, const quantise::Allowance& allowance);

// Ranges and sums of the values wanted, over all samples. Throws kInvalidArgument naming the sample that does not fit the model.
quantise::Observed observe(const ir::Model& model, const onnxrun_options& options, const Samples& samples,
                           const quantise::Wanted& wanted, const quantise::Allowance& allowance);

// How far an output of one model is from the other's.
struct Distance {
  std::string output;
  double largest = 0, mean = 0;  // of the differences' magnitudes
  double relative = 0;           // root mean square of the differences against that of the reference
  double cosine = 1,
         top1 = 1;  // top1: how often the greatest along the last axis is the same
};

// A model's results against those of a reference.
class Comparison {
 public:
  // What is kept of single values is charged to the allowance, which bounds the time of all calls together.
  Comparison(const ir::Model& reference, const onnxrun_options& options, const Samples& samples, int64_t most,
             quantise::Allowance allowance);

  // Floating-point outputs in the model's order.
  std::vector<Distance> outputs(const ir::Model& model) const;
  // The greatest relative distance of an output.
  double error(const ir::Model& model) const;
  // Values of these names, in both models, on the first samples.
  std::vector<Distance> values(const ir::Model& model, const std::set<std::string>& names) const;
  int64_t samples() const { return count_; }

 private:
  const ir::Model& reference_;
  const onnxrun_options& options_;
  const Samples& samples_;
  quantise::Allowance allowance_;
  std::shared_ptr<Session> session_;
  std::vector<NamedValues> results_;  // of the reference, by sample
  int64_t count_ = 0;
};

}  // namespace onnxrun::api
