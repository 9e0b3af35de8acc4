// ConvInteger and QLinearConv with constant weights: rows of weights times 8-bit panels of input columns.
#include <cstring>

#include "base/parallel.h"
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/quantized.h"

namespace onnxrun::cpu {
namespace {

uint64_t rounded(int64_t bytes) { return (static_cast<uint64_t>(bytes) + 63) & ~uint64_t{63}; }

// Packed weights: a row of unsigned bytes a filter, then the rows' sums. Signed weights have their sign bits flipped.
struct PackedWeights {
  int64_t filters = 1, depth = 1;
  DType type = DType::kInt8;

  explicit PackedWeights(const onnxrun_tensor& w) : type(dtype(w)) {
    const auto dims = provider::dims(w);
    filters = dims[0];
    for (size_t d = 1; d < dims.size(); ++d) depth = base::checked_mul(depth, dims[d]);
  }
  int32_t move() const { return type == DType::kInt8 ? 128 : 0; }
  int64_t stride() const { return grouped_depth(depth); }
  uint64_t row_bytes() const { return rounded(base::checked_mul(filters, stride())); }
  uint64_t bytes() const { return row_bytes() + rounded(filters * 4); }
  const int32_t* sums(const void* packed) const {
    return reinterpret_cast<const int32_t*>(static_cast<const char*>(packed) + row_bytes());
  }
  void pack(const onnxrun_tensor& w, void* packed) const {
    const uint8_t* from = static_cast<const uint8_t*>(w.data);
    for (int64_t f = 0; f < filters; ++f)
      const_cast<int32_t*>(sums(packed))[f] = pack_integer_row(from + f * depth, depth, static_cast<uint8_t>(move()),
                                                               static_cast<uint8_t*>(packed) + f * stride());
  }
};

class IntegerConvolution {
 public:
  static Acceptance accepts(const Node& node, size_t w) {
    const onnxrun_tensor& weights = node.input(w);
    if (weights.data == nullptr || !provider::shape_known(weights) || provider::count(weights) == 0)
      return Acceptance::decline("the weights are not constant");
    if (node.input(0).rank > static_cast<int32_t>(kMaxSpatialAxes) + 2)
      return Acceptance::decline("more than 16 spatial axes");
    Acceptance acceptance;
    acceptance.pack(PackedWeights(weights).bytes(), {w});
    return acceptance;
  }
  IntegerConvolution(const Node& node, size_t w, const void* packed)
      : packed_(packed),
        weights_(node.input(w)),
        g_(ops::read_window(node, kernel_of(node.input(w))), node.input(0), node.output(0)),
        x_type_(dtype(node.input(0))),
        group_(node.get_int("group", 1)),
        filters_(g_.out_channels / group_),
        slots_(base::available_cpus()) {}
  size_t scratch_bytes() const { return static_cast<size_t>(slots_) * slot_bytes(); }

  // store(filter, offset, sums, count): sums of products with the zero points (inputs `x_zero` and `w_zero`) taken off.
  template <class Store>
  void run(RunContext& context, size_t x_zero, size_t w_zero, Store store) const {
    const int64_t panels = (g_.out_size + kPanel - 1) / kPanel, slots = std::min<int64_t>(slots_, context.threads());
    const int64_t items = g_.batch * group_ * panels;
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot)
        for (int64_t item = items * slot / slots; item < items * (slot + 1) / slots; ++item) {
          if (context.cancelled()) return;
          compute(context, item / panels, item % panels, x_zero, w_zero,
                  static_cast<char*>(context.scratch()) + slot * static_cast<int64_t>(slot_bytes()), store);
        }
    });
    context.check_cancelled();
  }

 private:
  static constexpr int64_t kRows = 96;  // filters at a time

  size_t slot_bytes() const { return rounded(weights_.stride() * kPanel) + rounded(kRows * kPanel * 4); }

  template <class Store>
  void compute(RunContext& context, int64_t image, int64_t panel, size_t x_zero, size_t w_zero, char* scratch,
               Store store) const {
    const int64_t n = image / group_, group = image % group_, column = panel * kPanel,
                  columns = std::min(kPanel, g_.out_size - column);
    const int64_t channels = g_.in_channels / group_;
    int8_t* packed = reinterpret_cast<int8_t*>(scratch);
    int32_t* sums = reinterpret_cast<int32_t*>(scratch + rounded(weights_.stride() * kPanel));
    const uint8_t flip = x_type_ == DType::kUint8 ? 0x80 : 0;
    const int32_t x_point = context.has_input(x_zero) ? zero_point(context.input(x_zero), 0) : 0;
    const uint8_t* x = context.in<uint8_t>(0) + (n * g_.in_channels + group * channels) * g_.in_size;
    int32_t column_sums[kPanel] = {};
    uint8_t buffers[4][kPanel];
    for (int64_t at = 0; at < weights_.stride() / 4; ++at) {
      const uint8_t* rows[4] = {};
      for (int64_t r = 0; r < 4 && 4 * at + r < weights_.depth; ++r) {
        load_row(x, 4 * at + r, column, columns, static_cast<uint8_t>(x_point), buffers[r]);
        rows[r] = buffers[r];
      }
      pack_integer_group(rows, columns, flip, at, packed, column_sums);
    }
    const uint32_t x_term = static_cast<uint32_t>(x_point - flip);
    const bool many = context.has_input(w_zero) && provider::count(context.input(w_zero)) > 1;
    for (int64_t first = 0; first < filters_; first += kRows) {
      const int64_t count = std::min(kRows, filters_ - first), m0 = group * filters_ + first;
      multiply_integer_panels(static_cast<const uint8_t*>(packed_) + m0 * weights_.stride(), weights_.stride(), packed,
                              count, weights_.depth, columns, sums, kPanel);
      for (int64_t i = 0; i < count; ++i) {
        const int64_t m = m0 + i;
        const uint32_t w_term = static_cast<uint32_t>(
            (context.has_input(w_zero) ? zero_point(context.input(w_zero), many ? m : 0) : 0) + weights_.move());
        const uint32_t constant = x_term * (static_cast<uint32_t>(weights_.depth) * w_term -
                                            static_cast<uint32_t>(weights_.sums(packed_)[m]));
        int32_t* row = sums + i * kPanel;
        const int32_t term = static_cast<int32_t>(0u - constant);
        quantized_rows().correct(row, w_term, column_sums, {&term, 0}, 1, columns);
        store(m, (n * g_.out_channels + m) * g_.out_size + column, static_cast<const int32_t*>(row), columns);
      }
    }
  }

  // The bytes that tap `row` (channel and kernel position) sees at output columns [column, column + count); `outside` in the padding.
  void load_row(const uint8_t* x, int64_t row, int64_t column, int64_t count, uint8_t outside, uint8_t* to) const {
    const size_t last = g_.rank() - 1;
    const uint8_t* plane = x + row / g_.kernel_size * g_.in_size;
    int64_t k[kMaxSpatialAxes], o[kMaxSpatialAxes];
    coordinates(row % g_.kernel_size, g_.kernel, last + 1, k);
    coordinates(column, g_.out, last + 1, o);
    const int64_t stride = g_.strides[last], shift = k[last] * g_.dilations[last] - g_.pad_begin[last],
                  width = g_.in[last];
    for (int64_t done = 0; done < count;) {
      const int64_t begin = o[last], end = begin + std::min(count - done, g_.out[last] - begin);
      int64_t offset = 0;
      bool inside = true;
      for (size_t d = 0; d < last; ++d) {
        const int64_t i = o[d] * g_.strides[d] + k[d] * g_.dilations[d] - g_.pad_begin[d];
        inside = inside && i >= 0 && i < g_.in[d];
        offset = offset * g_.in[d] + i;
      }
      int64_t low = shift >= 0 ? 0 : (-shift + stride - 1) / stride,
              high = shift >= width ? 0 : (width - 1 - shift) / stride + 1;
      low = inside ? std::clamp(low, begin, end) : end;
      high = std::clamp(high, low, end);
      uint8_t* out = to + done - begin;
      const uint8_t* from = plane + offset * width + shift;
      std::fill(out + begin, out + low, outside);
      if (stride == 1) std::copy(from + low, from + high, out + low);
      else
        for (int64_t i = low; i < high; ++i) out[i] = from[i * stride];
      std::fill(out + high, out + end, outside);
      done += end - begin;
      o[last] = 0;
      for (size_t d = last; d-- > 0;) {
        if (++o[d] < g_.out[d]) break;
        o[d] = 0;
      }
    }
  }

  const void* packed_;
  PackedWeights weights_;
  WindowGeometry g_;
  DType x_type_;
  int64_t group_, filters_, slots_;
};

class ConvInteger {
 public:
  static Acceptance accepts(const Node& node) { return IntegerConvolution::accepts(node, 1); }
  static void pack(const Node& node, void* bytes) { PackedWeights(node.input(1)).pack(node.input(1), bytes); }
  ConvInteger(const Node& node, const void* packed) : convolution_(node, 1, packed) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    int32_t* y = context.out<int32_t>(0);
    convolution_.run(context, 2, 3, [y](int64_t, int64_t at, const int32_t* sums, int64_t count) {
      std::copy_n(sums, count, y + at);
    });
  }

 private:
  IntegerConvolution convolution_;
};

class QLinearConv {
 public:
  static Acceptance accepts(const Node& node) { return IntegerConvolution::accepts(node, 3); }
  static void pack(const Node& node, void* bytes) { PackedWeights(node.input(3)).pack(node.input(3), bytes); }
  QLinearConv(const Node& node, const void* packed) : convolution_(node, 3, packed), type_(dtype(node.output(0))) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    const int32_t* bias = context.has_input(8) ? context.in<int32_t>(8) : nullptr;
    const float x_scale = *context.in<float>(1), y_scale = *context.in<float>(6);
    const float* w_scale = context.in<float>(4);
    const bool many = provider::count(context.input(4)) > 1;
    const ByteType type = byte_type(context, type_, 7);
    uint8_t* y = context.out<uint8_t>(0);
    convolution_.run(context, 2, 5, [&](int64_t m, int64_t at, const int32_t* sums, int64_t count) {
      const float scale = x_scale * w_scale[many ? m : 0] / y_scale;
      quantized_rows().requantize(sums, {bias == nullptr ? nullptr : bias + m, 0}, {&scale, 0}, type, y + at, count);
    });
  }

 private:
  IntegerConvolution convolution_;
  DType type_;
};

}  // namespace

void add_integer_convolutions(provider::KernelTable& table) {
  table.add<ConvInteger>("", "ConvInteger", "panels");
  table.add<QLinearConv>("", "QLinearConv", "panels");
}

}  // namespace onnxrun::cpu
