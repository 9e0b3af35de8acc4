// Choosing layouts and packing weights.
#include "cpu/onednn/convolution_weights.h"

#include <algorithm>

namespace onnxrun::cpu::onednn {

using dnnl::memory;
using Tag = memory::format_tag;

namespace {
constexpr auto kF32 = memory::data_type::f32;
}

int64_t block() {
  static const int64_t size = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 16 : 8;
  return size;
}

Tag blocked_tag(size_t axes) {
  if (axes == 3) return block() == 16 ? Tag::aBcde16b : Tag::aBcde8b;
  return block() == 16 ? Tag::aBcd16b : Tag::aBcd8b;
}
Tag plain_tag(size_t axes) { return axes == 3 ? Tag::abcde : Tag::abcd; }

std::vector<int64_t> at_least_two(std::vector<int64_t> values, int64_t fill) {
  if (values.size() == 1) values.insert(values.begin(), fill);
  return values;
}

std::string ConvolutionWeights::refuse(const onnxrun_tensor& weights, int64_t groups) {
  const auto dims = provider::dims(weights);
  if (dims.size() < 3 || dims.size() > 5) return "oneDNN convolves along one to three axes";
  for (int64_t dim : dims)
    if (dim < 1 || dim > (1 << 24)) return "weights of this size";
  if (groups == 1) return {};
  if (groups < 1 || dims[0] % groups != 0) return "groups that do not divide the filters";
  const int64_t filters = dims[0] / groups;
  if (filters == 1 && dims[1] == 1) return dims.size() == 5 ? "depthwise along three axes" : "";
  if (filters % block() != 0 || dims[1] % block() != 0) return "groups that do not fill whole channel blocks";
  return {};
}

ConvolutionWeights::ConvolutionWeights(const onnxrun_tensor& weights, int64_t group_count) : groups(group_count) {
  const auto shape = provider::dims(weights);
  filters = shape[0];
  channels = shape[1];
  kernel = at_least_two({shape.begin() + 2, shape.end()}, 1);
  depthwise = groups > 1 && channels == 1 && filters == groups;
  plain_input = groups == 1 && channels < block() && channels <= 4 && kernel.size() == 2;
  packed = part(filters);
}

void ConvolutionWeights::turn_axes() {
  std::rotate(kernel.begin(), kernel.end() - 1, kernel.end());
  packed = part(filters);
}

Tag ConvolutionWeights::tag() const {
  const bool wide = block() == 16, deep = kernel.size() == 3;
  if (depthwise) return wide ? Tag::Goihw16g : Tag::Goihw8g;
  if (plain_input) return wide ? Tag::Ohwi16o : Tag::Ohwi8o;
  if (groups > 1)
    return deep ? (wide ? Tag::gOIdhw16i16o : Tag::gOIdhw8i8o) : (wide ? Tag::gOIhw16i16o : Tag::gOIhw8i8o);
  return deep ? (wide ? Tag::OIdhw16i16o : Tag::OIdhw8i8o) : (wide ? Tag::OIhw16i16o : Tag::OIhw8i8o);
}

memory::dims ConvolutionWeights::dims(int64_t part_filters) const {
  memory::dims result;
  if (groups > 1) {
    const int64_t each = filters / groups;
    result = {part_filters / each, each, channels};
  } else {
    result = {part_filters, channels};
  }
  result.insert(result.end(), kernel.begin(), kernel.end());
  return result;
}

memory::desc ConvolutionWeights::part(int64_t part_filters) const { return {dims(part_filters), kF32, tag()}; }

size_t ConvolutionWeights::offset(int64_t filter) const { return filter == 0 ? 0 : part(filter).get_size(); }

void ConvolutionWeights::pack(const float* from, void* to) const {
  guarded([&] {
    const SingleThread single;
    const bool deep = kernel.size() == 3;
    const memory::desc plain(dims(filters), kF32,
                             groups > 1 ? (deep ? Tag::abcdef : Tag::abcde) : plain_tag(kernel.size()));
    const memory source(plain, engine(), const_cast<float*>(from)), target(packed, engine(), to);
    dnnl::stream stream(engine());
    dnnl::reorder(source, target).execute(stream, const_cast<memory&>(source), const_cast<memory&>(target));
    stream.wait();
  });
}

}  // namespace onnxrun::cpu::onednn
