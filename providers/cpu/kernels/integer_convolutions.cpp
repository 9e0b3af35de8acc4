// ConvInteger and QLinearConv with constant weights: rows of weights times 8-bit panels of input columns.
#include <cstring>

#include "base/parallel.h"
#include "cpu/kernels/fast_products.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/depthwise.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/padded_bytes.h"
#include "cpu/loops/polled.h"
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
        channels_(g_.in_channels / group_),
        slots_(base::available_cpus()),
        direct_(is_pointwise()),
        depthwise_(channels_ == 1 && filters_ <= 4) {
    if (!direct_ || depthwise_) padded_ = PaddedBytes(g_);
  }
  size_t table_bytes() const { return padded_.table_bytes(); }
  size_t scratch_bytes() const {
    return padded_bytes() + 2 * filter_bytes() + static_cast<size_t>(slots_) * slot_bytes();
  }
  int64_t filters() const { return g_.out_channels; }
  int64_t out_size() const { return g_.out_size; }

  // store(filter, offset, tile) gets the sums of filters from `filter` on, the first of which lies at `offset` of y; the zero points (inputs `x_zero`
  // and `w_zero`) are in the tile's terms. `bias` may be null.
  template <class Store>
  void run(RunContext& context, size_t x_zero, size_t w_zero, const int32_t* bias, Store store) const {
    const ByteType x_type = byte_type(context, x_type_, x_zero);
    const uint8_t* x = context.in<uint8_t>(0);
    char* at = static_cast<char*>(context.scratch());
    if (padded_bytes() != 0) {
      uint8_t* to = reinterpret_cast<uint8_t*>(at);
      padded_.fill(context, x, static_cast<uint8_t>(x_type.zero), to);
      x = to;
    }
    int32_t* factors = reinterpret_cast<int32_t*>(at += padded_bytes());
    int32_t* offsets = reinterpret_cast<int32_t*>(at += filter_bytes());
    at += filter_bytes();
    load_terms(context, x_type, w_zero, bias, factors, offsets);
    const int64_t panels = (g_.out_size + kPanel - 1) / kPanel, slots = std::min<int64_t>(slots_, context.threads());
    // With few panels, threads share one and take a part of the filters each.
    const int64_t whole = g_.batch * group_ * (depthwise_ ? 1 : panels);
    const int64_t parts = depthwise_ || whole >= 2 * slots ? 1 : std::clamp<int64_t>(filters_ / 24, 1, slots);
    const int64_t items = whole * parts;
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        char* scratch = at + slot * static_cast<int64_t>(slot_bytes());
        for (int64_t item = items * slot / slots; item < items * (slot + 1) / slots; ++item) {
          if (context.cancelled()) return;
          if (depthwise_) {
            channel(context, x, item, factors, offsets, reinterpret_cast<int32_t*>(scratch), store);
            continue;
          }
          const int64_t part = item % parts;
          panel(x, item / parts / panels, item / parts % panels, filters_ * part / parts, filters_ * (part + 1) / parts,
                factors, offsets, scratch, store);
        }
      }
    });
    context.check_cancelled();
  }

 private:
  static constexpr int64_t kRows = 96;  // filters at a time

  // Whether the rows of inputs are those of outputs.
  bool is_pointwise() const {
    for (size_t d = 0; d < g_.rank(); ++d)
      if (g_.kernel[d] != 1 || g_.strides[d] != 1 || g_.pad_begin[d] != 0 || g_.pad_end[d] != 0) return false;
    return true;
  }
  size_t padded_bytes() const { return !direct_ || depthwise_ ? rounded(static_cast<int64_t>(padded_.bytes())) : 0; }
  size_t filter_bytes() const { return rounded(g_.out_channels * 4); }
  size_t slot_bytes() const {
    if (depthwise_) return rounded((g_.kernel_size + rows_at_once() * g_.out.back()) * 4);
    return rounded(weights_.stride() * kPanel) + rounded(kRows * kPanel * 4);
  }
  // Rows of a channel's outputs that are summed before they are stored.
  int64_t rows_at_once() const {
    const int64_t width = std::max<int64_t>(1, g_.out.back());
    return std::clamp<int64_t>(2048 / width, 1, std::max<int64_t>(1, g_.out_size / width));
  }

  // What the filters' sums are corrected by for the zero points: column sums times `factors`, less `offsets`.
  void load_terms(const RunContext& context, ByteType x_type, size_t w_zero, const int32_t* bias, int32_t* factors,
                  int32_t* offsets) const {
    const bool given = context.has_input(w_zero), many = given && provider::count(context.input(w_zero)) > 1;
    const int32_t flip = depthwise_ ? (x_type.is_signed ? -128 : 0) : x_type.is_signed ? 0 : 128;
    const uint32_t x_term = static_cast<uint32_t>(x_type.zero - flip);
    for (int64_t m = 0; m < g_.out_channels; ++m) {
      factors[m] = (given ? zero_point(context.input(w_zero), many ? m : 0) : 0) + weights_.move();
      const uint32_t total = static_cast<uint32_t>(weights_.sums(packed_)[m]) -
                             static_cast<uint32_t>(weights_.depth) * static_cast<uint32_t>(factors[m]);
      offsets[m] = static_cast<int32_t>(static_cast<uint32_t>(bias == nullptr ? 0 : bias[m]) - x_term * total);
    }
  }

  template <class Store>
  void panel(const uint8_t* x, int64_t image, int64_t panel, int64_t first_filter, int64_t last_filter,
             const int32_t* factors, const int32_t* offsets, char* scratch, Store& store) const {
    const int64_t n = image / group_, group = image % group_, column = panel * kPanel,
                  columns = std::min(kPanel, g_.out_size - column);
    int8_t* packed = reinterpret_cast<int8_t*>(scratch);
    int32_t* sums = reinterpret_cast<int32_t*>(scratch + rounded(weights_.stride() * kPanel));
    int32_t column_sums[kPanel] = {};
    load_panel(x, n * g_.in_channels + group * channels_, column, columns, x_type_ == DType::kInt8 ? 0 : 0x80, packed,
               column_sums);
    for (int64_t first = first_filter; first < last_filter; first += kRows) {
      const int64_t count = std::min(kRows, last_filter - first), m = group * filters_ + first;
      multiply_integer_panels(static_cast<const uint8_t*>(packed_) + m * weights_.stride(), weights_.stride(), packed,
                              count, weights_.depth, columns, sums, kPanel);
      store(m, (n * g_.out_channels + m) * g_.out_size + column,
            SumTile{sums, kPanel, count, columns, column_sums, factors + m, offsets + m});
    }
  }

  // Packs what all taps of channels from `channel` on see of a panel's outputs.
  void load_panel(const uint8_t* x, int64_t channel, int64_t column, int64_t columns, uint8_t flip, int8_t* packed,
                  int32_t* column_sums) const {
    // Rows are read well after they were written: until then their pieces are on the way to the cache. Columns beyond the last hold anything; their sums
    // are not stored.
    constexpr int64_t kAtOnce = 32;
    uint8_t buffers[kAtOnce][PaddedBytes::kRowBytes] = {};
    PaddedBytes::Piece pieces[kPanel];
    const int64_t piece_count = direct_ ? 0 : padded_.pieces(column, columns, pieces),
                  plane = direct_ ? g_.in_size : padded_.plane();
    const uint8_t* from = x + channel * plane;
    int64_t tap = 0;
    for (int64_t first = 0; first < weights_.depth; first += kAtOnce) {
      const int64_t count = std::min(kAtOnce, weights_.depth - first);
      const uint8_t* rows[kAtOnce] = {};
      for (int64_t r = 0; r < count; ++r) {
        rows[r] = direct_ ? from + column : buffers[r];
        if (!direct_) padded_.load(from + padded_.tap(tap), pieces, piece_count, buffers[r]);
        if (++tap == g_.kernel_size) {
          tap = 0;
          from += plane;
        }
      }
      pack_integer_rows(rows, count, direct_ ? columns : kPanel, flip, packed + first * kPanel, column_sums);
    }
  }

  // All outputs of one channel, which is a group of its own.
  template <class Store>
  void channel(const RunContext& context, const uint8_t* x, int64_t image, const int32_t* factors,
               const int32_t* offsets, int32_t* scratch, Store& store) const {
    // Columns of a row that are summed before the run is asked whether it goes on.
    const int64_t most = std::max<int64_t>(64, (int64_t{4} << 20) / g_.kernel_size / 64 * 64),
                  stride = g_.strides.back();
    Pacer pacer(context);
    const int64_t n = image / group_, group = image % group_, width = g_.out.back();
    const uint8_t flip = x_type_ == DType::kInt8 ? 0x80 : 0;
    const int32_t nothing = 0;
    int32_t *weights = scratch, *sums = scratch + g_.kernel_size;
    for (int64_t m = group * filters_; m < (group + 1) * filters_; ++m) {
      const uint8_t* own = static_cast<const uint8_t*>(packed_) + m * weights_.stride();
      for (int64_t t = 0; t < g_.kernel_size; ++t) weights[t] = own[t] - factors[m];
      for (int64_t at = 0; at < g_.out_size;) {
        const int64_t count = std::min(rows_at_once() * width, g_.out_size - at);
        for (int64_t done = 0; done < count; done += width) {
          const uint8_t* row = x + image * padded_.plane() + padded_.start(at + done);
          for (int64_t column = 0; column < width; column += most) {
            const int64_t columns = std::min(most, width - column);
            depthwise_row(row + column * stride, padded_.taps(), weights, g_.kernel_size, stride, flip,
                          sums + done + column, columns);
            pacer.did(columns * g_.kernel_size / 8);
          }
        }
        store(m, (n * g_.out_channels + m) * g_.out_size + at,
              SumTile{sums, count, 1, count, sums, &nothing, offsets + m});
        at += count;
      }
    }
  }

  const void* packed_;
  PackedWeights weights_;
  WindowGeometry g_;
  DType x_type_;
  int64_t group_, filters_, channels_, slots_;
  bool direct_, depthwise_;
  PaddedBytes padded_;
};

class ConvInteger {
 public:
  static Acceptance accepts(const Node& node) { return IntegerConvolution::accepts(node, 1); }
  static void pack(const Node& node, void* bytes) { PackedWeights(node.input(1)).pack(node.input(1), bytes); }
  ConvInteger(const Node& node, const void* packed) : convolution_(node, 1, packed) {}
  size_t scratch_bytes() const { return convolution_.scratch_bytes(); }
  void run(RunContext& context) const {
    int32_t* y = context.out<int32_t>(0);
    convolution_.run(context, 2, 3, nullptr, [&](int64_t, int64_t at, const SumTile& tile) {
      quantized_rows().store_tile(tile, y + at, convolution_.out_size());
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
  size_t scratch_bytes() const {
    return convolution_.scratch_bytes() + static_cast<size_t>(convolution_.filters()) * sizeof(float);
  }
  void run(RunContext& context) const {
    const int32_t* bias = context.has_input(8) ? context.in<int32_t>(8) : nullptr;
    const float x_scale = *context.in<float>(1), y_scale = *context.in<float>(6);
    const float* w_scale = context.in<float>(4);
    const bool many = provider::count(context.input(4)) > 1;
    // Behind the convolution's own scratch.
    float* scales = reinterpret_cast<float*>(static_cast<char*>(context.scratch()) + convolution_.scratch_bytes());
    for (int64_t m = 0; m < convolution_.filters(); ++m) scales[m] = x_scale * w_scale[many ? m : 0] / y_scale;
    const ByteType type = byte_type(context, type_, 7);
    uint8_t* y = context.out<uint8_t>(0);
    convolution_.run(context, 2, 5, bias, [&](int64_t m, int64_t at, const SumTile& tile) {
      quantized_rows().requantize_tile(tile, scales + m, type, y + at, convolution_.out_size());
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
