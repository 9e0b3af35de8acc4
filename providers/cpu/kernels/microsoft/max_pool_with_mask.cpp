// com.microsoft.MaxpoolWithMask, as ONNX Runtime defines it by what it does.
#include <algorithm>
#include <array>
#include <limits>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "ops/attributes/window.h"

namespace onnxrun::cpu {
namespace {

class MaxpoolWithMask {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit MaxpoolWithMask(const Node& node) {
    const auto x = provider::dims(node.input(0)), y = provider::dims(node.output(0)),
               mask = provider::dims(node.input(1));
    images_ = x[0] * x[1];
    first_masked_ = x.size() > 3 ? 1 : 0;
    masks_ = mask[0] * mask[1];
    const size_t rank = x.size() - 2, skip = 3 - rank;
    const ops::Window window = ops::read_window(node, ops::read_kernel(node, rank));
    for (size_t d = 0; d < rank; ++d) {
      in_[skip + d] = x[d + 2];
      out_[skip + d] = y[d + 2];
      kernel_[skip + d] = window.kernel[d];
      stride_[skip + d] = window.strides[d];
      pad_[skip + d] = window.padding(d, x[d + 2]).first;
    }
    if (images_ > 0 && (masks_ == 0 || provider::count(node.input(1)) < masks_ - 1 + in_[0] * in_[1] * in_[2]))
      throw provider::Declined{"a mask that is smaller than an image"};
  }

  void run(RunContext& context) const {
    const int64_t size = in_[0] * in_[1] * in_[2], results = out_[0] * out_[1] * out_[2];
    parallel_polled(context, images_, Cost(results) * kernel_[0] * kernel_[1] * kernel_[2] * 4,
                    [&](int64_t begin, int64_t end) {
                      for (int64_t image = begin; image < end; ++image) {
                        const float* x = context.in<float>(0) + image * size;
                        // The mask of an image begins as many elements on as its own offset leaves of the number of masks.
                        const int32_t* mask = context.in<int32_t>(1) + image * size % masks_;
                        float* y = context.out<float>(0) + image * results;
                        Pacer pacer(context);
                        for (int64_t d = 0; d < out_[0]; ++d)
                          for (int64_t h = 0; h < out_[1]; ++h)
                            for (int64_t w = 0; w < out_[2]; ++w) *y++ = largest(x, mask, {d, h, w}, pacer);
                      }
                    });
  }

 private:
  using Place = std::array<int64_t, 3>;

  // The largest element of a window; along its last axis it ends at the first zero of the mask.
  float largest(const float* x, const int32_t* mask, const Place& at, Pacer& pacer) const {
    Place begin, end;
    for (size_t d = 0; d < 3; ++d) {
      begin[d] = at[d] * stride_[d] - pad_[d];
      end[d] = std::min(begin[d] + kernel_[d], in_[d]);
      begin[d] = std::max<int64_t>(begin[d], 0);
    }
    pacer.did(1);
    float result = std::numeric_limits<float>::lowest();
    for (int64_t d = begin[0]; d < end[0]; ++d)
      for (int64_t h = begin[1]; h < end[1]; ++h) {
        pacer.did(std::max<int64_t>(0, end[2] - begin[2]) + 1);
        for (int64_t w = begin[2]; w < end[2]; ++w) {
          const int64_t i = (d * in_[1] + h) * in_[2] + w;
          if (i >= first_masked_ && mask[i] == 0) break;
          if (x[i] > result) result = x[i];
        }
      }
    return result;
  }

  int64_t images_ = 0, masks_ = 1;
  int64_t first_masked_ = 0;  // beyond one axis the mask of element 0 counts for nothing
  Place in_{1, 1, 1}, out_{1, 1, 1}, kernel_{1, 1, 1}, stride_{1, 1, 1}, pad_{0, 0, 0};
};

}  // namespace

void kernels_microsoft_max_pool_with_mask(provider::KernelTable& table) {
  table.add<MaxpoolWithMask>("com.microsoft", "MaxpoolWithMask", "direct");
}

}  // namespace onnxrun::cpu
