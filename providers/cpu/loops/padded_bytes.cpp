// Copies of 8-bit images with padding, and the pieces that taps see.
#include "cpu/loops/padded_bytes.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/loops/convolve.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

PaddedBytes::PaddedBytes(const WindowGeometry& g)
    : images_(base::checked_mul(g.batch, g.in_channels)),
      in_size_(g.in_size),
      stride_(g.strides.back()),
      in_(g.in),
      out_(g.out) {
  const size_t rank = g.rank();
  std::vector<int64_t> padded(rank);
  for (size_t d = 0; d < rank; ++d) {
    padded[d] = base::checked_add(base::checked_add(g.in[d], g.pad_begin[d]), g.pad_end[d]);
    plane_ = base::checked_mul(plane_, padded[d]);
  }
  if (plane_ > 16 * g.in_size + 65536) throw provider::Declined{"more padding than input"};
  strides_.assign(rank, 1);
  for (size_t d = rank - 1; d-- > 0;) strides_[d] = strides_[d + 1] * padded[d + 1];
  for (size_t d = 0; d < rank; ++d) {
    steps_.push_back(g.strides[d] * strides_[d]);
    begin_ += g.pad_begin[d] * strides_[d];
  }
  base::take_kernel_memory(base::checked_mul(g.kernel_size, sizeof(int64_t)));
  taps_.reserve(static_cast<size_t>(g.kernel_size));
  int64_t k[kMaxSpatialAxes];
  for (int64_t position = 0; position < g.kernel_size; ++position) {
    coordinates(position, g.kernel, rank, k);
    int64_t offset = 0;
    for (size_t d = 0; d < rank; ++d) offset += k[d] * g.dilations[d] * strides_[d];
    taps_.push_back(offset);
  }
}

size_t PaddedBytes::bytes() const {
  return static_cast<size_t>(base::checked_add(base::checked_mul(images_, plane_), kSlack));
}

void PaddedBytes::fill(RunContext& context, const uint8_t* x, uint8_t outside, uint8_t* to) const {
  const size_t last = in_.size() - 1;
  const int64_t width = in_[last], rows = width == 0 ? 0 : in_size_ / width;
  const bool plain = plane_ == in_size_;
  parallel_polled(context, images_, Cost(plane_) * 2, [&](int64_t begin, int64_t end) {
    if (plain) return static_cast<void>(std::copy(x + begin * plane_, x + end * plane_, to + begin * plane_));
    int64_t at[kMaxSpatialAxes] = {};
    for (int64_t image = begin; image < end; ++image) {
      uint8_t* out = to + image * plane_;
      std::memset(out, outside, static_cast<size_t>(plane_));
      const uint8_t* from = x + image * in_size_;
      for (int64_t row = 0; row < rows; ++row, from += width) {
        int64_t offset = begin_;
        for (size_t d = 0; d < last; ++d) offset += at[d] * strides_[d];
        std::copy_n(from, width, out + offset);
        for (size_t d = last; d-- > 0;) {
          if (++at[d] < in_[d]) break;
          at[d] = 0;
        }
      }
    }
  });
}

int64_t PaddedBytes::start(int64_t output) const {
  const size_t rank = out_.size();
  int64_t o[kMaxSpatialAxes] = {}, from = 0;
  coordinates(output, out_, rank, o);
  for (size_t d = 0; d < rank; ++d) from += o[d] * steps_[d];
  return from;
}

int64_t PaddedBytes::pieces(int64_t column, int64_t count, Piece* pieces) const {
  const size_t last = out_.size() - 1;
  const int64_t longest = stride_ <= 2 ? 16 : 1;
  int64_t o[kMaxSpatialAxes], found = 0;
  coordinates(column, out_, last + 1, o);
  for (int64_t done = 0; done < count;) {
    const int64_t n = std::min(count - done, out_[last] - o[last]);
    int64_t from = 0;
    for (size_t d = 0; d <= last; ++d) from += o[d] * steps_[d];
    for (int64_t i = 0; i < n; i += longest) pieces[found++] = {done + i, from + i * stride_};
    done += n;
    o[last] = 0;
    for (size_t d = last; d-- > 0;) {
      if (++o[d] < out_[d]) break;
      o[d] = 0;
    }
  }
  return found;
}

void PaddedBytes::load(const uint8_t* from, const Piece* pieces, int64_t count, uint8_t* to) const {
  if (stride_ == 1) {
    for (int64_t p = 0; p < count; ++p) std::memcpy(to + pieces[p].to, from + pieces[p].from, 16);
  } else if (stride_ == 2) {
    for (int64_t p = 0; p < count; ++p) {
      const uint8_t* x = from + pieces[p].from;
      uint8_t* out = to + pieces[p].to;
      for (int64_t j = 0; j < 16; ++j) out[j] = x[2 * j];
    }
  } else {
    for (int64_t p = 0; p < count; ++p) to[pieces[p].to] = from[pieces[p].from];
  }
}

}  // namespace onnxrun::cpu
