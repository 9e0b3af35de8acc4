// RandomNormal, RandomUniform, their -Like forms, Bernoulli and Multinomial: the numbers of the CPU provider.
#include "cuda/device/random.h"

#include "cuda/kernels/elementwise.h"
#include "ops/attributes/random_source.h"

namespace onnxrun::cuda {
namespace {

Generator generator_of(const ops::RandomSource& source) {
  const ops::RandomStream stream = source.next();
  return {stream.key, stream.stream};
}

Acceptance with_types(const Node& node) {
  if (!has_random(dtype(node.output(0)))) return Acceptance::decline("no random numbers of this type");
  return {};
}

class Random {
 public:
  static Acceptance accepts(const Node& node) { return with_types(node); }
  explicit Random(const Node& node)
      : source_(node),
        normal_(node.op().starts_with("RandomNormal")),
        offset_(static_cast<double>(normal_ ? node.get_float("mean", 0) : node.get_float("low", 0))),
        factor_(static_cast<double>(normal_ ? node.get_float("scale", 1) : node.get_float("high", 1)) -
                (normal_ ? 0.0 : offset_)) {}
  void run(RunContext& context) const {
    const onnxrun_tensor& y = context.output(0);
    launch_random(queue_of(context), generator_of(source_), normal_, offset_, factor_, dtype(y), y.data,
                  provider::count(y));
  }

 private:
  ops::RandomSource source_;
  bool normal_;
  double offset_, factor_;
};

class Bernoulli {
 public:
  static Acceptance accepts(const Node& node) {
    return has_random(dtype(node.input(0))) ? with_types(node) : no_kernel(node);
  }
  explicit Bernoulli(const Node& node) : source_(node) {}
  void run(RunContext& context) const {
    const onnxrun_tensor &x = context.input(0), &y = context.output(0);
    launch_bernoulli(queue_of(context), generator_of(source_), dtype(x), x.data, dtype(y), y.data, provider::count(y));
  }

 private:
  ops::RandomSource source_;
};

class Multinomial {
 public:
  static Acceptance accepts(const Node& node) { return Bernoulli::accepts(node); }
  explicit Multinomial(const Node& node) : source_(node) {}
  void run(RunContext& context) const {
    const onnxrun_tensor &x = context.input(0), &y = context.output(0);
    const Draw how{provider::dims(y)[0], provider::dims(x)[1], provider::dims(y)[1]};
    if (provider::count(y) > 0 && how.classes == 0)
      base::fail(base::Code::kRunFailed, "Multinomial: 'input' has no classes to draw from");
    launch_multinomial(queue_of(context), generator_of(source_), how, dtype(x), x.data, dtype(y), y.data);
  }

 private:
  ops::RandomSource source_;
};

}  // namespace

void kernels_onnx_random(provider::KernelTable& table) {
  for (const char* op : {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"})
    add<Random>(table, "", op, "philox");
  add<Bernoulli>(table, "", "Bernoulli", "philox");
  add<Multinomial>(table, "", "Multinomial", "philox");
}

}  // namespace onnxrun::cuda
