// LayerNormalization, RMSNormalization and SimplifiedLayerNormalization.
#include <algorithm>
#include <cmath>
#include <span>

#include "base/shape.h"
#include "cpu/cpu.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"
#include "cpu/loops/scalar.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kCost = 6;  // simple steps an element takes

// What all variants share: rows of `size` elements, which inputs and outputs there are.
struct Rows {
  int64_t count = 1, size = 1;
  float epsilon;
  bool centred;        // subtracts the mean
  size_t mean, scale;  // outputs of the statistics; 0: none

  explicit Rows(const Node& node)
      : epsilon(node.get_float("epsilon", 1e-5f)), centred(node.op() == "LayerNormalization") {
    mean = centred ? 1 : 0;
    scale = centred ? 2 : node.op() == "RMSNormalization" ? 0 : 1;
    const auto dims = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", -1), static_cast<int64_t>(dims.size())));
    count = product(dims, 0, axis);
    size = product(dims, axis, dims.size());
  }

  bool gives(const RunContext& context, size_t statistic) const {
    return statistic != 0 && context.has_output(statistic);
  }
  // Rows without elements may be many more than memory could hold.
  bool nothing_to_do(const RunContext& context) const {
    return size == 0 && !gives(context, mean) && !gives(context, scale);
  }
};

// Float32 with scale and bias the shape of a row.
class Float32Rows {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i = 0; i < node.input_count(); ++i)
      if (node.has_input(i) && dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not all float32");
    for (size_t i = 1; i < node.output_count(); ++i)
      if (node.has_output(i) && dtype(node.output(i)) != DType::kFloat32)
        return Acceptance::decline("statistics not float32");
    return Acceptance().alias(0, 0);
  }

  explicit Float32Rows(const Node& node) : rows_(node) {
    const auto dims = provider::dims(node.input(0));
    for (size_t i = 1; i < node.input_count(); ++i) {
      if (!node.has_input(i)) continue;
      auto parameter = provider::dims(node.input(i));
      while (!parameter.empty() && parameter.front() == 1) parameter = parameter.subspan(1);
      auto tail = dims.subspan(dims.size() - parameter.size());
      if (provider::count(node.input(i)) != rows_.size || !std::equal(parameter.begin(), parameter.end(), tail.begin()))
        throw provider::Declined{"a parameter is not the shape of the normalised dims"};
    }
  }

  void run(RunContext& context) const {
    if (rows_.nothing_to_do(context)) return;
    const float* in = context.in<float>(0);
    const float* scale = context.in<float>(1);
    const float* bias = rows_.centred && context.has_input(2) ? context.in<float>(2) : nullptr;
    float* out = context.out<float>(0);
    float* means = rows_.gives(context, rows_.mean) ? context.out<float>(rows_.mean) : nullptr;
    float* scales = rows_.gives(context, rows_.scale) ? context.out<float>(rows_.scale) : nullptr;
    const int64_t n = rows_.size;
    parallel_polled(context, rows_.count, Cost(n) * kCost, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* x = in + row * n;
        const float mean = rows_.centred ? static_cast<float>(row_sum(x, n) / static_cast<double>(n)) : 0.0f;
        const double variance = row_sum_squares(x, mean, n) / static_cast<double>(n);
        const float factor = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(rows_.epsilon)));
        row_normalize(x, mean, factor, scale, bias, out + row * n, n);
        if (means != nullptr) means[row] = mean;
        if (scales != nullptr) scales[row] = factor;
      }
    });
  }

 private:
  Rows rows_;
};

// Any types and any broadcast of the parameters, in double.
class Reference {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit Reference(const Node& node) : rows_(node) {
    const auto dims = provider::dims(node.input(0));
    dims_.assign(dims.begin(), dims.end());
    for (size_t i = 1; i < 3; ++i)
      if (node.has_input(i)) steps_[i - 1] = base::broadcast_strides(provider::dims(node.input(i)), dims);
  }

  void run(RunContext& context) const {
    if (rows_.nothing_to_do(context)) return;
    const void* in = context.input(0).data;
    const Load load = scalar_load(dtype(context.input(0)));
    const int64_t n = rows_.size;
    parallel_polled(context, rows_.count, Cost(n) * kCost * 4, [&](int64_t begin, int64_t end) {
      Pacer pacer(context);
      for (int64_t row = begin; row < end; ++row) {
        double mean = 0, variance = 0;
        if (rows_.centred) {
          for (int64_t i = 0; i < n; ++i) {
            pacer.did(kCost);
            mean += load(in, row * n + i);
          }
          mean /= static_cast<double>(n);
        }
        for (int64_t i = 0; i < n; ++i) {
          pacer.did(kCost);
          const double d = load(in, row * n + i) - mean;
          variance += d * d;
        }
        const double factor = 1.0 / std::sqrt(variance / static_cast<double>(n) + static_cast<double>(rows_.epsilon));
        normalize(context, row * n, mean, factor, load, pacer);
        if (rows_.gives(context, rows_.mean)) keep(context, rows_.mean, row, mean);
        if (rows_.gives(context, rows_.scale)) keep(context, rows_.scale, row, factor);
      }
    });
  }

 private:
  static void keep(RunContext& context, size_t output, int64_t row, double value) {
    scalar_save(dtype(context.output(output)))(context.output(output).data, row, value);
  }

  void normalize(RunContext& context, int64_t first, double mean, double factor, Load load, Pacer& pacer) const {
    const Load load_scale = scalar_load(dtype(context.input(1)));
    const bool biased = rows_.centred && context.has_input(2);
    const Save save = scalar_save(dtype(context.output(0)));
    for (int64_t i = first; i < first + rows_.size; ++i) {
      pacer.did(2 * kCost);
      double value = (load(context.input(0).data, i) - mean) * factor * load_scale(context.input(1).data, offset(0, i));
      if (biased) value += scalar_load(dtype(context.input(2)))(context.input(2).data, offset(1, i));
      save(context.output(0).data, i, value);
    }
  }

  int64_t offset(size_t parameter, int64_t index) const {
    int64_t result = 0;
    for (size_t d = dims_.size(); d-- > 0;) {
      result += index % dims_[d] * steps_[parameter][d];
      index /= dims_[d];
    }
    return result;
  }

  Rows rows_;
  base::Dims dims_, steps_[2];
};

}  // namespace

void kernels_onnx_layer_normalization(provider::KernelTable& table) {
  table.add<Float32Rows>("", "LayerNormalization", "rows");
  table.add<Widened<Float32Rows>>("", "LayerNormalization", "widened");
  table.add<Reference>("", "LayerNormalization", "reference");
  table.add<Float32Rows>("", "RMSNormalization", "rows");
  table.add<Widened<Float32Rows>>("", "RMSNormalization", "widened");
  table.add<Reference>("", "RMSNormalization", "reference");
  table.add<Float32Rows>("", "SimplifiedLayerNormalization", "rows");
  table.add<Widened<Float32Rows>>("", "SimplifiedLayerNormalization", "widened");
  table.add<Reference>("", "SimplifiedLayerNormalization", "reference");
}

}  // namespace onnxrun::cpu
