// Random generators, by counter: what an element gets depends on seed and position only.
#include <algorithm>
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/philox.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class Random {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Random(const Node& node)
      : source_(node), normal_(node.op().starts_with("RandomNormal")), save_(scalar_save(dtype(node.output(0)))) {
    offset_ = static_cast<double>(normal_ ? node.get_float("mean", 0) : node.get_float("low", 0));
    factor_ = static_cast<double>(normal_ ? node.get_float("scale", 1) : node.get_float("high", 1)) -
              (normal_ ? 0.0 : offset_);
  }

  void run(RunContext& context) const {
    const Philox philox(source_.next());
    void* out = context.output(0).data;
    parallel_polled(context, provider::count(context.output(0)), 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const auto index = static_cast<uint64_t>(i);
        save_(out, i, offset_ + factor_ * (normal_ ? philox.normal(index) : philox.uniform(index)));
      }
    });
  }

 private:
  ops::RandomSource source_;
  bool normal_;
  Save save_;
  double offset_, factor_;
};

class Bernoulli {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Bernoulli(const Node& node)
      : source_(node), load_(scalar_load(dtype(node.input(0)))), save_(scalar_save(dtype(node.output(0)))) {}

  void run(RunContext& context) const {
    const Philox philox(source_.next());
    parallel_polled(context, provider::count(context.output(0)), 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        save_(context.output(0).data, i,
              philox.uniform(static_cast<uint64_t>(i)) < load_(context.input(0).data, i) ? 1.0 : 0.0);
    });
  }

 private:
  ops::RandomSource source_;
  Load load_;
  Save save_;
};

// Walks the cumulated probabilities of a row for each sample.
class Multinomial {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit Multinomial(const Node& node)
      : source_(node), load_(scalar_load(dtype(node.input(0)))), save_(scalar_save(dtype(node.output(0)))) {
    classes_ = provider::dims(node.input(0))[1];
  }

  void run(RunContext& context) const {
    const Philox philox(source_.next());
    const int64_t samples = provider::dims(context.output(0))[1];
    if (provider::count(context.output(0)) == 0) return;
    if (classes_ == 0) base::fail(base::Code::kRunFailed, "Multinomial: 'input' has no classes to draw from");
    parallel_polled(
        context, provider::dims(context.output(0))[0], Cost(samples) * classes_ * 16, [&](int64_t begin, int64_t end) {
          Pacer pacer(context);
          for (int64_t row = begin; row < end; ++row) {
            const auto logarithm = [&](int64_t k) { return load_(context.input(0).data, row * classes_ + k); };
            double largest = logarithm(0), total = 0;
            pacer.did(16 * classes_);
            for (int64_t k = 1; k < classes_; ++k) largest = std::max(largest, logarithm(k));
            for (int64_t k = 0; k < classes_; ++k) total += std::exp(logarithm(k) - largest);
            for (int64_t s = 0; s < samples; ++s) {
              double left = philox.uniform(static_cast<uint64_t>(row * samples + s)) * total;
              int64_t k = 0;
              while (k + 1 < classes_ && (left -= std::exp(logarithm(k) - largest)) >= 0) ++k;
              save_(context.output(0).data, row * samples + s, static_cast<double>(k));
              pacer.did(8 * k + 1);
            }
          }
        });
  }

 private:
  ops::RandomSource source_;
  Load load_;
  Save save_;
  int64_t classes_ = 0;
};

}  // namespace

void kernels_onnx_random(provider::KernelTable& table) {
  table.add<Random>("", "RandomNormal", "philox");
  table.add<Random>("", "RandomNormalLike", "philox");
  table.add<Random>("", "RandomUniform", "philox");
  table.add<Random>("", "RandomUniformLike", "philox");
  table.add<Bernoulli>("", "Bernoulli", "philox");
  table.add<Multinomial>("", "Multinomial", "philox");
}

}  // namespace onnxrun::cpu
