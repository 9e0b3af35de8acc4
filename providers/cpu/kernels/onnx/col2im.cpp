// Col2Im: each pixel sums the elements of all blocks that cover it.
#include "cpu/loops/convolve.h"

#include <algorithm>
#include "cpu/loops/open_output.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Col2Im {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (type == DType::kString || type == DType::kBool) return Acceptance::decline("elements that cannot be added");
    Acceptance acceptance;
    acceptance.host_input(1).host_input(2);
    return acceptance;
  }
  explicit Col2Im(const Node& node)
      : strides_(node.get_ints("strides")), dilations_(node.get_ints("dilations")), pads_(node.get_ints("pads")) {}

  void run(RunContext& context) const {
    const int64_t rank = provider::count(context.input(1));
    const size_t axes = static_cast<size_t>(rank);
    Sizes s;
    s.strides = strides_;
    s.dilations = dilations_;
    s.pads = pads_;
    if (s.strides.empty()) s.strides.assign(axes, 1);
    if (s.dilations.empty()) s.dilations.assign(axes, 1);
    if (s.pads.empty()) s.pads.assign(2 * axes, 0);
    const int64_t *image = context.in<int64_t>(1), *block = context.in<int64_t>(2);
    s.image.assign(image, image + rank);
    s.block.assign(block, block + provider::count(context.input(2)));
    check(context, s);
    const auto in = provider::dims(context.input(0));
    base::Dims dims{in[0], in[1] / s.block_size};
    dims.insert(dims.end(), s.image.begin(), s.image.end());
    const onnxrun_tensor& out = open_output(context, 0, dims);
    const DType type = dtype(out);
    const bool done = dispatch(Types<float, double, uint8_t, uint16_t, uint32_t, uint64_t, Float16, Bfloat16>{},
                               base::unsigned_of(type), [&](auto t) {
                                 using T = typename decltype(t)::type;
                                 using Sum =
                                     std::conditional_t<std::is_integral_v<T>, T,
                                                        std::conditional_t<std::is_same_v<T, double>, double, float>>;
                                 sum<T, Sum>(context, s, dims, context.in<T>(0), static_cast<T*>(out.data), 1);
                               });
    if (!done && type == DType::kComplex64)
      sum<float, float>(context, s, dims, context.in<float>(0), static_cast<float*>(out.data), 2);
    if (!done && type == DType::kComplex128)
      sum<double, double>(context, s, dims, context.in<double>(0), static_cast<double*>(out.data), 2);
  }

 private:
  struct Sizes {
    base::Dims image, block, strides, dilations, pads, blocks;
    int64_t image_size = 1, block_size = 1, block_count = 1;
  };

  static void check(RunContext& context, Sizes& s) {
    using base::Code;
    const size_t axes = s.image.size();
    if (axes == 0 || axes > kMaxSpatialAxes || s.block.size() != axes || s.strides.size() != axes ||
        s.dilations.size() != axes || s.pads.size() != 2 * axes)
      base::fail(
          Code::kRunFailed,
          "inputs 'image_shape' and 'block_shape' have {} and {} values, expected as many as attributes have axes",
          axes, s.block.size());
    for (size_t d = 0; d < axes; ++d) {
      if (s.image[d] < 1 || s.block[d] < 1)
        base::fail(Code::kRunFailed, "inputs 'image_shape' and 'block_shape' must be positive");
      const int64_t extent = base::checked_add(base::checked_mul(s.block[d] - 1, s.dilations[d]), 1);
      const int64_t span = base::checked_add(s.image[d], base::checked_add(s.pads[d], s.pads[axes + d])) - extent;
      if (span < 0)
        base::fail(Code::kRunFailed, "a block of {} elements does not fit axis {} of the padded image", extent, d);
      s.blocks.push_back(span / s.strides[d] + 1);
    }
    s.image_size = base::element_count(s.image);
    s.block_size = base::element_count(s.block);
    s.block_count = base::element_count(s.blocks);
    const auto in = provider::dims(context.input(0));
    if (in[1] % s.block_size != 0 || in[2] != s.block_count)
      base::fail(Code::kRunFailed, "input 'input' of shape {} does not fit {} blocks of {} elements",
                 base::to_string(in), s.block_count, s.block_size);
  }

  // The element of a block at k adds to each pixel of a row of the image what blocks `strides` apart have there.
  template <class T, class Sum>
  static void sum(RunContext& context, const Sizes& s, const base::Dims& dims, const T* x, T* y, int64_t parts) {
    constexpr int64_t kPixels = 256;
    const size_t last = s.image.size() - 1;
    const int64_t width = s.image[last], rows = s.image_size / width;
    const Cost work = Cost(width) * s.block_size / s.strides[last] + s.block_size * 8;
    context.parallel(
        dims[0] * dims[1] * rows, std::max<int64_t>(1, 16384 / work.steps()), [&](int64_t begin, int64_t end) {
          Pacer pacer(context);
          Sum totals[2 * kPixels];
          int64_t pixel[kMaxSpatialAxes], k[kMaxSpatialAxes];
          for (int64_t item = begin; item < end; ++item) {
            const T* plane = x + item / rows * s.block_size * s.block_count * parts;
            coordinates(item % rows, s.image, last, pixel);
            for (int64_t first = 0; first < width; first += kPixels) {
              const int64_t count = std::min(kPixels, width - first);
              std::fill_n(totals, count * parts, Sum(0));
              std::fill_n(k, last + 1, 0);
              int64_t row = block_row(s, pixel, k);
              for (int64_t e = 0; e < s.block_size; ++e, ++k[last]) {
                if (k[last] == s.block[last]) {
                  next_block_row(s, k);
                  row = block_row(s, pixel, k);
                }
                pacer.did(8 + (row < 0 ? 0 : count));
                if (row < 0) continue;
                const int64_t stride = s.strides[last], shift = k[last] * s.dilations[last] - s.pads[last];
                // Block c lies at column c * stride + shift.
                const int64_t low = first > shift ? (first - shift - 1) / stride + 1 : 0;
                const int64_t reach = first + count - 1 - shift;
                const int64_t high = reach < 0 ? 0 : std::min(s.blocks[last], reach / stride + 1);
                const T* from = plane + (e * s.block_count + row * s.blocks[last]) * parts;
                if (low >= high) continue;
                add(from + low * parts, high - low, totals + (low * stride + shift - first) * parts, stride, parts);
              }
              T* to = y + (item * width + first) * parts;
              for (int64_t i = 0; i < count * parts; ++i) to[i] = static_cast<T>(totals[i]);
            }
          }
        });
  }

  // Adds elements side by side to totals `stride` apart.
  template <class T, class Sum>
  static void add(const T* from, int64_t count, Sum* totals, int64_t stride, int64_t parts) {
    const auto one = [](Sum total, T value) { return static_cast<Sum>(total + static_cast<Sum>(value)); };
    if (parts == 2) {
      for (int64_t c = 0; c < count; ++c)
        for (int64_t p = 0; p < 2; ++p) totals[c * stride * 2 + p] = one(totals[c * stride * 2 + p], from[c * 2 + p]);
    } else if (stride == 1) {
      for (int64_t c = 0; c < count; ++c) totals[c] = one(totals[c], from[c]);
    } else {
      for (int64_t c = 0; c < count; ++c) totals[c * stride] = one(totals[c * stride], from[c]);
    }
  }

  // Of all axes but the last one, the number of the blocks whose element k lies at `pixel`; below 0 when there are none.
  static int64_t block_row(const Sizes& s, const int64_t* pixel, const int64_t* k) {
    int64_t row = 0;
    for (size_t d = 0; d + 1 < s.image.size(); ++d) {
      const int64_t reach = pixel[d] + s.pads[d] - k[d] * s.dilations[d];
      const int64_t block = s.strides[d] == 1 ? reach : reach / s.strides[d];
      if (reach < 0 || block * s.strides[d] != reach || block >= s.blocks[d]) return -1;
      row = row * s.blocks[d] + block;
    }
    return row;
  }

  // Moves k to the first element of the next row of a block.
  static void next_block_row(const Sizes& s, int64_t* k) {
    k[s.block.size() - 1] = 0;
    for (size_t d = s.block.size() - 1; d-- > 0;) {
      if (++k[d] < s.block[d]) return;
      k[d] = 0;
    }
  }

  base::Dims strides_, dilations_, pads_;
};

}  // namespace

void kernels_onnx_col2im(provider::KernelTable& table) { table.add<Col2Im>("", "Col2Im", "reference"); }

}  // namespace onnxrun::cpu
