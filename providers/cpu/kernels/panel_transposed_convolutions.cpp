// ConvTranspose in float32: the product of the transposed weights with the input gives all contributions, which are then summed.
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/panel_product.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/work_operands.h"
#include "ops/attributes/conv_transpose.h"

namespace onnxrun::cpu {
namespace {

class ConvTranspose {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (type != DType::kFloat32 && type != DType::kFloat16 && type != DType::kBfloat16)
      return Acceptance::decline("computes in float32 only");
    if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
      return Acceptance::decline("more than 16 spatial axes");
    return {};
  }
  explicit ConvTranspose(const Node& node) : group_(node.get_int("group", 1)), operands_(node, 3, 1, DType::kFloat32) {
    const auto t = ops::read_transposed_window(node, kernel_of(node.input(1)));
    g_ = WindowGeometry(t.window, node.input(0), node.output(0));
    for (size_t d = 0; d < g_.rank(); ++d) cut_.push_back(t.cut_begin(d, g_.in[d], g_.out[d]));
    channels_ = g_.in_channels / group_;
    filters_ = g_.out_channels / group_;
    rows_ = filters_ * g_.kernel_size;
    if (channels_ < 8) throw provider::Declined{"too few channels for a product"};
    product_.m = rows_;
    product_.k = channels_;
    product_.n = g_.in_size;
    product_.a = product_.b = {0};
  }
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + rounded(rows_ * channels_) + rounded(panel_floats(channels_, g_.in_size)) +
           rounded(base::checked_mul(rows_, g_.in_size));
  }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    char* scratch = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    float* weights = reinterpret_cast<float*>(scratch);
    float* packed = reinterpret_cast<float*>(scratch + rounded(rows_ * channels_));
    float* parts =
        reinterpret_cast<float*>(scratch + rounded(rows_ * channels_) + rounded(panel_floats(channels_, g_.in_size)));
    for (int64_t group = 0; group < group_; ++group) {
      const float* w = arrays.in<float>(1) + group * rows_ * channels_;
      for (int64_t r = 0; r < rows_; ++r)
        for (int64_t c = 0; c < channels_; ++c) weights[r * channels_ + c] = w[c * rows_ + r];
      for (int64_t n = 0; n < g_.batch; ++n) {
        const float* x = arrays.in<float>(0) + (n * g_.in_channels + group * channels_) * g_.in_size;
        pack_matrices(context, x, 1, g_.in_size, 1, channels_, g_.in_size, 1, packed);
        multiply_packed(context, product_, weights, packed, false, parts);
        parallel_polled(context, filters_, 8 * Cost(g_.in_size) * g_.kernel_size, [&](int64_t begin, int64_t end) {
          for (int64_t f = begin; f < end; ++f) {
            const int64_t m = group * filters_ + f;
            const float start = arrays.in<float>(2) == nullptr ? 0.0f : arrays.in<float>(2)[m];
            sum(parts + f * g_.kernel_size * g_.in_size, start,
                arrays.out<float>(0) + (n * g_.out_channels + m) * g_.out_size);
          }
        });
      }
    }
    operands_.store(context, arrays);
  }

 private:
  static size_t rounded(int64_t floats) { return (static_cast<size_t>(floats) * sizeof(float) + 63) & ~size_t{63}; }

  // One channel of the output from its contributions [kernel position][input position].
  void sum(const float* parts, float start, float* y) const {
    std::fill_n(y, g_.out_size, start);
    if (g_.in_size == 0) return;
    const size_t last = g_.rank() - 1;
    const int64_t in_width = g_.in[last], in_rows = g_.in_size / in_width, width = g_.out[last],
                  stride = g_.strides[last];
    int64_t k[kMaxSpatialAxes], i[kMaxSpatialAxes];
    for (int64_t kernel = 0; kernel < g_.kernel_size; ++kernel) {
      coordinates(kernel, g_.kernel, last + 1, k);
      const int64_t shift = k[last] * g_.dilations[last] - cut_[last];
      const int64_t low = shift >= 0 ? 0 : (-shift + stride - 1) / stride;
      const int64_t high = width <= shift ? 0 : std::min(in_width, (width - 1 - shift) / stride + 1);
      for (int64_t row = 0; row < in_rows; ++row) {
        coordinates(row, g_.in, last, i);
        int64_t out_row = 0;
        bool inside = true;
        for (size_t d = 0; d < last; ++d) {
          const int64_t at = i[d] * g_.strides[d] + k[d] * g_.dilations[d] - cut_[d];
          inside = inside && at >= 0 && at < g_.out[d];
          out_row = out_row * g_.out[d] + at;
        }
        if (!inside) continue;
        const float* from = parts + (kernel * in_rows + row) * in_width;
        float* to = y + out_row * width + shift;
        for (int64_t j = low; j < high; ++j) to[j * stride] += from[j];
      }
    }
  }

  WindowGeometry g_;
  std::vector<int64_t> cut_;
  int64_t group_, channels_ = 1, filters_ = 1, rows_ = 1;
  WorkOperands operands_;
  ProductGeometry product_;
};

}  // namespace

void add_panel_transposed_convolutions(provider::KernelTable& table) {
  table.add<ConvTranspose>("", "ConvTranspose", "panels");
}

}  // namespace onnxrun::cpu
