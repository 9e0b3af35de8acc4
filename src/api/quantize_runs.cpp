// Running models on samples.
#include "api/quantize_runs.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "api/status.h"
#include "base/floats.h"

namespace onnxrun::api {
namespace {

using base::DType;
using base::Tensor;

// The elements as float32; empty for other than floating-point tensors.
std::optional<Tensor> floats_of(const base::Value& value) {
  if (!value.is_tensor()) return std::nullopt;
  const Tensor& tensor = value.tensor();
  if (tensor.memory() != 0)
    fail(Code::kInvalidArgument, "samples lie in host memory; copy the {} there first", value.describe());
  if (tensor.dtype() == DType::kFloat32) return tensor;
  Tensor result(DType::kFloat32, tensor.dims());
  float* to = result.mutable_data<float>();
  if (tensor.dtype() == DType::kFloat16) base::convert(tensor.data<base::Float16>(), to, tensor.count());
  else if (tensor.dtype() == DType::kBfloat16) base::convert(tensor.data<base::Bfloat16>(), to, tensor.count());
  else if (tensor.dtype() == DType::kFloat64) std::copy_n(tensor.data<double>(), tensor.count(), to);
  else return std::nullopt;
  return result;
}

// The sample's inputs in the types that a model wants, which a narrower one has changed.
NamedValues fitted(const NamedValues& inputs, const Session& session) {
  NamedValues result = inputs;
  for (auto& [name, value] : result)
    for (const run::Port& port : session.session.inputs()) {
      if (port.name != name || !value.is_tensor() || value.tensor().dtype() != DType::kFloat32) continue;
      const Tensor& from = value.tensor();
      Tensor to(port.fact.dtype, from.dims());
      if (port.fact.dtype == DType::kFloat16)
        base::convert(from.data<float>(), to.mutable_data<base::Float16>(), from.count());
      else if (port.fact.dtype == DType::kBfloat16)
        base::convert(from.data<float>(), to.mutable_data<base::Bfloat16>(), from.count());
      else continue;
      value = base::Value(std::move(to));
    }
  return result;
}

using Tap = std::function<void(const std::string&, base::Value)>;

NamedValues run(Session& session, const NamedValues& inputs, int64_t index, const quantise::Allowance& allowance,
                const std::set<std::string>& taps = {}, const Tap& tap = {}) {
  run::Observer observer;
  run::RunRequest request;
  request.control.deadline = allowance.deadline;
  request.inputs = fitted(inputs, session);
  if (tap) {
    for (const std::string& name : taps)
      if (session.session.program().makes(name)) observer.taps.insert(name);
    observer.on_tap = tap;
    request.observer = &observer;
  }
  try {
    session.session.run(request);
  } catch (base::Error& error) {
    throw error.in(fmt::format("sample {}", index));
  }
  return std::move(request.outputs);
}

// The model as it is, so that all of its values can be seen.
onnxrun_options unoptimised(const onnxrun_options& options) {
  onnxrun_options result = options;
  result.level = 0;
  result.passes.clear();
  return result;
}

// Differences of one value, summed over samples.
struct Sums {
  double largest = 0, apart = 0, square_apart = 0, square = 0, other_square = 0, product = 0;
  int64_t count = 0, rows = 0, agreed = 0;

  void add(const Tensor& reference, const Tensor& other) {
    const auto a = reference.span<float>(), b = other.span<float>();
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) {
        if (std::isfinite(a[i]))
          square += double{a[i]} * a[i], other_square += double{a[i]} * a[i], product += double{a[i]} * a[i];
        continue;
      }
      const double difference = std::abs(double{a[i]} - b[i]);
      largest = std::isnan(difference) ? HUGE_VAL : std::max(largest, difference);
      apart += difference;
      square_apart += difference * difference;
      square += double{a[i]} * a[i];
      other_square += double{b[i]} * b[i];
      product += double{a[i]} * b[i];
    }
    count += reference.count();
    const size_t width = reference.dims().empty() ? 0 : static_cast<size_t>(reference.dims().back());
    if (width < 2) return;
    for (size_t begin = 0; begin + width <= a.size(); begin += width) {
      const auto first = a.begin() + static_cast<ptrdiff_t>(begin), second = b.begin() + static_cast<ptrdiff_t>(begin);
      const auto step = static_cast<ptrdiff_t>(width);
      ++rows;
      agreed += std::max_element(first, first + step) - first == std::max_element(second, second + step) - second;
    }
  }

  Distance distance(const std::string& name) const {
    Distance result;
    result.output = name;
    result.largest = largest;
    result.mean = count > 0 ? apart / static_cast<double>(count) : 0;
    result.relative = square_apart == 0 ? 0 : std::sqrt(square_apart / square);
    if (std::isnan(result.relative)) result.relative = HUGE_VAL;
    const double sizes = std::sqrt(square) * std::sqrt(other_square);
    result.cosine = sizes > 0 ? product / sizes : square_apart == 0 ? 1 : 0;
    result.top1 = rows > 0 ? static_cast<double>(agreed) / static_cast<double>(rows) : 1;
    return result;
  }
};

void add_all(std::vector<std::pair<std::string, Sums>>& sums, const NamedValues& reference, const NamedValues& other) {
  size_t place = 0;
  for (size_t i = 0; i < reference.size() && i < other.size(); ++i) {
    const auto a = floats_of(reference[i].second), b = floats_of(other[i].second);
    if (!a || !b) continue;
    if (a->dims() != b->dims())
      fail(Code::kRunFailed, "output '{}' has the shape {} in one model and {} in the other", reference[i].first,
           a->dims(), b->dims());
    if (place == sums.size()) sums.emplace_back(reference[i].first, Sums());
    sums[place++].second.add(*a, *b);
  }
}

constexpr int64_t kMostWatched = 4;  // samples on which single values are compared

}  // namespace

bool Samples::read(const std::shared_ptr<Session>& session, int64_t index, NamedValues& inputs) const {
  if (next_ == nullptr || (most_ > 0 && index >= most_)) return false;
  onnxrun_run run;
  run.session = session;
  const int32_t found = next_(context_, static_cast<size_t>(index), &run);
  if (found < 0) fail(Code::kCancelled, "the caller could not give sample {}", index);
  inputs = run.inputs.take();
  for (const auto& [name, value] : inputs)
    if (const auto floats = floats_of(value);
        floats && std::ranges::any_of(floats->span<float>(), [](float x) { return std::isnan(x); }))
      fail(Code::kInvalidArgument, "sample {}: input '{}' holds NaN, from which no range follows", index, name);
  return found > 0;
}

onnxrun_options in_time(onnxrun_options options, const quantise::Allowance& allowance) {
  allowance.check();
  if (allowance.deadline) options.set_timeout = std::max(allowance.deadline.left(), 1e-9);  // 0 would be none
  return options;
}

quantise::Observed observe(const ir::Model& model, const onnxrun_options& options, const Samples& samples,
                           const quantise::Wanted& wanted, const quantise::Allowance& allowance) {
  quantise::Observed observed;
  const std::shared_ptr<Session> session = make_session(model, in_time(unoptimised(options), allowance));
  std::set<std::string> names = wanted.ranges;
  for (const auto* list : {&wanted.channels, &wanted.pairs})
    for (const auto& [name, axis] : *list) names.insert(name);
  const auto add_by_place = [&](auto& sums, const Tensor& tensor, int64_t wanted_axis) {
    if (tensor.rank() == 0) return;
    const int64_t axis = wanted_axis < 0 ? tensor.rank() - 1 : std::min(wanted_axis, tensor.rank() - 1);
    int64_t inner = 1;
    for (int64_t d = axis + 1; d < tensor.rank(); ++d) inner *= tensor.dims()[static_cast<size_t>(d)];
    sums.add(tensor.span<float>(), tensor.dims()[static_cast<size_t>(axis)], inner, allowance);
  };
  const auto take = [&](const std::string& name, const base::Value& value) {
    if (!value.is_tensor() || value.tensor().dtype() != DType::kFloat32) return;
    const Tensor& tensor = value.tensor();
    if (wanted.ranges.contains(name)) observed.ranges[name].add(tensor.span<float>(), allowance);
    if (const auto found = wanted.channels.find(name); found != wanted.channels.end())
      add_by_place(observed.channels[name], tensor, found->second);
    if (const auto found = wanted.pairs.find(name); found != wanted.pairs.end())
      add_by_place(observed.pairs[name], tensor, found->second);
  };
  NamedValues inputs;
  while (samples.read(session, observed.samples, inputs)) {
    for (const auto& [name, value] : inputs) take(name, value);
    run(*session, inputs, observed.samples, allowance, names, take);
    ++observed.samples;
  }
  return observed;
}

Comparison::Comparison(const ir::Model& reference, const onnxrun_options& options, const Samples& samples, int64_t most,
                       quantise::Allowance allowance)
    : reference_(reference),
      options_(options),
      samples_(samples),
      allowance_(std::move(allowance)),
      session_(make_session(reference, in_time(options, allowance_))) {
  NamedValues inputs;
  while ((most == 0 || count_ < most) && samples.read(session_, count_, inputs)) {
    results_.push_back(run(*session_, inputs, count_, allowance_));
    ++count_;
  }
}

std::vector<Distance> Comparison::outputs(const ir::Model& model) const {
  const std::shared_ptr<Session> session = make_session(model, in_time(options_, allowance_));
  std::vector<std::pair<std::string, Sums>> sums;
  NamedValues inputs;
  for (int64_t i = 0; i < count_ && samples_.read(session_, i, inputs); ++i)
    add_all(sums, results_[static_cast<size_t>(i)], run(*session, inputs, i, allowance_));
  std::vector<Distance> result;
  for (const auto& [name, each] : sums) result.push_back(each.distance(name));
  return result;
}

double Comparison::error(const ir::Model& model) const {
  double worst = 0;
  for (const Distance& distance : outputs(model)) worst = std::max(worst, distance.relative);
  return worst;
}

std::vector<Distance> Comparison::values(const ir::Model& model, const std::set<std::string>& names) const {
  const auto made = [&](const ir::Model& one) { return make_session(one, in_time(unoptimised(options_), allowance_)); };
  const std::shared_ptr<Session> before = made(reference_), after = made(model);
  std::map<std::string, Sums> sums;
  NamedValues inputs;
  for (int64_t i = 0; i < std::min(count_, kMostWatched) && samples_.read(session_, i, inputs); ++i) {
    std::map<std::string, Tensor> seen;
    run(*before, inputs, i, allowance_, names, [&](const std::string& name, const base::Value& value) {
      if (auto floats = floats_of(value)) seen[name] = floats->clone(allowance_.budget);
    });
    run(*after, inputs, i, allowance_, names, [&](const std::string& name, const base::Value& value) {
      const auto floats = floats_of(value);
      const auto reference = seen.find(name);
      if (floats && reference != seen.end() && reference->second.dims() == floats->dims())
        sums[name].add(reference->second, *floats);
    });
  }
  std::vector<Distance> result;
  for (const auto& [name, each] : sums) result.push_back(each.distance(name));
  std::stable_sort(result.begin(), result.end(),
                   [](const Distance& a, const Distance& b) { return a.relative > b.relative; });
  return result;
}

}  // namespace onnxrun::api
