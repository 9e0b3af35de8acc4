// Layouts, partition and execution of oneDNN's convolutions.
#include "cpu/onednn/convolution.h"

#if defined(ONNXRUN_ONEDNN)

#include <algorithm>

namespace onnxrun::cpu::onednn {

using dnnl::memory;
using Tag = memory::format_tag;

namespace {

constexpr auto kF32 = memory::data_type::f32;
constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

// Channels of a block of the layouts.
int64_t block() {
  static const int64_t size = dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 16 : 8;
  return size;
}

Tag source_tag(size_t axes) {
  if (axes == 3) return block() == 16 ? Tag::aBcde16b : Tag::aBcde8b;
  return block() == 16 ? Tag::aBcd16b : Tag::aBcd8b;
}
Tag plain_tag(size_t axes) { return axes == 3 ? Tag::abcde : Tag::abcd; }

// One axis is taken as the second of two.
std::vector<int64_t> at_least_two(std::vector<int64_t> values, int64_t fill) {
  if (values.size() == 1) values.insert(values.begin(), fill);
  return values;
}

memory::desc plain_desc(const memory::dims& dims, int64_t batch_stride) {
  memory::dims strides(dims.size());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 1;) {
    strides[d] = stride;
    stride *= dims[d];
  }
  strides[0] = batch_stride;
  return {dims, kF32, strides};
}

}  // namespace

std::string ConvolutionWeights::refuse(const onnxrun_tensor& weights, int64_t groups) {
  const auto dims = provider::dims(weights);
  if (dims.size() < 3 || dims.size() > 5) return "oneDNN convolves along one to three axes";
  for (int64_t dim : dims)
    if (dim < 1 || dim > (1 << 24)) return "weights of this size";
  if (groups == 1) return {};
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
  const bool wide = block() == 16, deep = kernel.size() == 3;
  const memory::dims all = dims(filters);
  plain = memory::desc(all, kF32, groups > 1 ? (deep ? Tag::abcdef : Tag::abcde) : plain_tag(kernel.size()));
  Tag tag;
  if (depthwise) tag = wide ? Tag::Goihw16g : Tag::Goihw8g;
  else if (plain_input) tag = wide ? Tag::Ohwi16o : Tag::Ohwi8o;
  else if (groups > 1) tag = deep ? (wide ? Tag::gOIdhw16i16o : Tag::gOIdhw8i8o) : (wide ? Tag::gOIhw16i16o : Tag::gOIhw8i8o);
  else tag = deep ? (wide ? Tag::OIdhw16i16o : Tag::OIdhw8i8o) : (wide ? Tag::OIhw16i16o : Tag::OIhw8i8o);
  packed = memory::desc(all, kF32, tag);
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

memory::desc ConvolutionWeights::part(int64_t part_filters) const {
  memory::dims all = dims(filters), some = dims(part_filters);
  if (all == some) return packed;
  // The same layout with fewer output channels.
  const bool wide = block() == 16, deep = kernel.size() == 3;
  if (depthwise) return {some, kF32, wide ? Tag::Goihw16g : Tag::Goihw8g};
  if (plain_input) return {some, kF32, wide ? Tag::Ohwi16o : Tag::Ohwi8o};
  if (groups > 1) return {some, kF32, deep ? (wide ? Tag::gOIdhw16i16o : Tag::gOIdhw8i8o) : (wide ? Tag::gOIhw16i16o : Tag::gOIhw8i8o)};
  return {some, kF32, deep ? (wide ? Tag::OIdhw16i16o : Tag::OIdhw8i8o) : (wide ? Tag::OIhw16i16o : Tag::OIhw8i8o)};
}

size_t ConvolutionWeights::offset(int64_t filter) const { return filter == 0 ? 0 : part(filter).get_size(); }

void ConvolutionWeights::pack(const float* from, void* to) const {
  guarded([&] {
    const SingleThread single;
    const memory source(plain, engine(), const_cast<float*>(from)), target(packed, engine(), to);
    dnnl::stream stream(engine());
    dnnl::reorder(source, target).execute(stream, const_cast<memory&>(source), const_cast<memory&>(target));
    stream.wait();
  });
}

Convolution::Convolution(const ConvolutionWeights& weights, const WindowGeometry& g, bool bias, const dnnl::post_ops& post_ops, int parts)
    : weights_(weights), batch_(g.batch), in_channels_(g.in_channels), in_size_(g.in_size), out_size_(g.out_size),
      out_channels_(g.out_channels), in_(at_least_two(g.in, 1)), out_(at_least_two(g.out, 1)),
      strides_(at_least_two(g.strides, 1)), dilations_(at_least_two(g.dilations, 1)), pad_begin_(at_least_two(g.pad_begin, 0)),
      pad_end_(at_least_two(g.pad_end, 0)), bias_(bias) {
  if (batch_ * out_size_ * in_size_ * out_channels_ == 0) throw provider::Declined{"an empty input or output"};
  // The padding at the end that the windows really reach.
  for (size_t d = 0; d < in_.size(); ++d)
    pad_end_[d] = (out_[d] - 1) * strides_[d] + (weights_.kernel[d] - 1) * dilations_[d] + 1 - in_[d] - pad_begin_[d];
  guarded([&] {
    const SingleThread single;
    split(parts, post_ops);
  });
}

Convolution::Step Convolution::make_step(int64_t images, int64_t filters, const dnnl::post_ops& post_ops) const {
  Step step;
  step.images = images;
  step.filters = filters;
  const bool grouped = weights_.groups > 1;
  const int64_t channels = grouped ? filters / (weights_.filters / weights_.groups) * weights_.channels : in_channels_;
  memory::dims source{images, channels}, target{images, filters};
  source.insert(source.end(), in_.begin(), in_.end());
  target.insert(target.end(), out_.begin(), out_.end());
  const size_t axes = in_.size();
  step.plain_source = plain_desc(source, in_channels_ * in_size_);
  step.plain_target = plain_desc(target, out_channels_ * out_size_);
  step.source = memory::desc(source, kF32, weights_.plain_input ? plain_tag(axes) : source_tag(axes));
  step.target = memory::desc(target, kF32, source_tag(axes));
  step.weights = weights_.part(filters);
  if (bias_) step.bias = memory::desc({filters}, kF32, Tag::a);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  attributes.set_fpmath_mode(dnnl::fpmath_mode::strict);
  attributes.set_post_ops(post_ops);
  memory::dims dilations = dilations_;
  for (int64_t& dilation : dilations) --dilation;
  const dnnl::convolution_forward::primitive_desc pd(engine(), dnnl::prop_kind::forward_inference,
                                                     dnnl::algorithm::convolution_direct, step.source, step.weights, step.bias,
                                                     step.target, strides_, dilations, pad_begin_, pad_end_, attributes, true);
  if (!pd) throw provider::Declined{"oneDNN has no kernel for this convolution"};
  const std::string implementation = pd.impl_info_str();
  if (implementation.find("ref") != std::string::npos || implementation.find("gemm") == 0)
    throw provider::Declined{"oneDNN would use its " + implementation};
  step.convolution = dnnl::convolution_forward(pd);
  step.scratchpad = pd.scratchpad_desc();
  if (!weights_.plain_input && (grouped || !shared_source_))
    step.to_blocked = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), step.plain_source, engine(), step.source));
  step.to_plain = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), step.target, engine(), step.plain_target));
  step.source_bytes = step.to_blocked ? aligned(step.source.get_size()) : 0;
  step.target_bytes = aligned(step.target.get_size());
  step.scratchpad_bytes = aligned(step.scratchpad.get_size());
  return step;
}

void Convolution::add_part(const Part& wanted, const dnnl::post_ops& post_ops) {
  Part part = wanted;
  for (part.step = 0; part.step < steps_.size(); ++part.step)
    if (steps_[part.step].images == part.images && steps_[part.step].filters == part.filters) break;
  if (part.step == steps_.size()) steps_.push_back(make_step(part.images, part.filters, post_ops));
  const Step& step = steps_[part.step];
  part.scratch = scratch_;
  scratch_ += step.source_bytes + step.target_bytes + step.scratchpad_bytes;
  parts_.push_back(part);
}

void Convolution::split(int parts, const dnnl::post_ops& post_ops) {
  const int64_t unit = weights_.depthwise || weights_.groups == 1 ? block() : std::max(block(), weights_.filters / weights_.groups);
  const int64_t units = (out_channels_ + unit - 1) / unit;
  const bool by_image = batch_ >= parts;
  const int64_t count = by_image ? std::min<int64_t>(batch_, parts) : std::min<int64_t>(units, parts);
  shared_source_ = !by_image && weights_.groups == 1 && !weights_.plain_input;
  if (shared_source_) {
    memory::dims whole{batch_, in_channels_};
    whole.insert(whole.end(), in_.begin(), in_.end());
    source_bytes_ = aligned(memory::desc(whole, kF32, source_tag(in_.size())).get_size());
    scratch_ += source_bytes_;
    const int64_t blocks = (in_channels_ + block() - 1) / block(), pieces = std::min<int64_t>(blocks, parts);
    for (int64_t p = 0; p < pieces; ++p) {
      const int64_t first = blocks * p / pieces * block(), end = std::min(in_channels_, blocks * (p + 1) / pieces * block());
      size_t load = 0;
      while (load < loads_.size() && loads_[load].channels != end - first) ++load;
      if (load == loads_.size()) {
        memory::dims dims{1, end - first};
        dims.insert(dims.end(), in_.begin(), in_.end());
        Load made{end - first, plain_desc(dims, in_channels_ * in_size_), {dims, kF32, source_tag(in_.size())}, {}};
        made.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), made.from, engine(), made.to));
        loads_.push_back(std::move(made));
      }
      load_items_.emplace_back(first, load);
    }
  }
  for (int64_t p = 0; p < count; ++p) {
    Part part;
    if (by_image) {
      part.image = batch_ * p / count;
      part.images = batch_ * (p + 1) / count - part.image;
      part.filters = out_channels_;
    } else {
      part.images = batch_;
      part.filter = units * p / count * unit;
      part.filters = std::min(out_channels_, units * (p + 1) / count * unit) - part.filter;
    }
    add_part(part, post_ops);
  }
}

void Convolution::load_source(RunContext& context, const float* x, float* blocked) const {
  const int64_t padded = (in_channels_ + block() - 1) / block() * block(), pieces = static_cast<int64_t>(load_items_.size());
  context.parallel(batch_ * pieces, 1, [&](int64_t begin, int64_t end) {
    guarded([&] {
      const SingleThread single;
      dnnl::stream stream(engine());
      for (int64_t item = begin; item < end; ++item) {
        const auto [first, which] = load_items_[static_cast<size_t>(item % pieces)];
        const Load& load = loads_[which];
        const int64_t image = item / pieces;
        memory from(load.from, engine(), const_cast<float*>(x + (image * in_channels_ + first) * in_size_));
        memory to(load.to, engine(), blocked + (image * padded + first) * in_size_);
        load.reorder.execute(stream, from, to);
      }
      stream.wait();
    });
  });
}

void Convolution::run_part(const Part& part, const float* x, const float* blocked, const char* weights, const float* bias, float* y,
                           char* scratch) const {
  const Step& step = steps_[part.step];
  const SingleThread single;
  dnnl::stream stream(engine());
  const int64_t channel = weights_.groups > 1 ? part.filter / (weights_.filters / weights_.groups) * weights_.channels : 0;
  const float* plain = x + (part.image * in_channels_ + channel) * in_size_;
  memory plain_source(step.plain_source, engine(), const_cast<float*>(plain));
  memory source(step.source, engine(), const_cast<float*>(shared_source_ ? blocked : plain));
  char* here = scratch + part.scratch;
  if (step.to_blocked) {
    source.set_data_handle(here);
    step.to_blocked.execute(stream, plain_source, source);
  }
  memory target(step.target, engine(), here + step.source_bytes);
  memory scratchpad(step.scratchpad, engine(), here + step.source_bytes + step.target_bytes);
  memory filters(step.weights, engine(), const_cast<char*>(weights + weights_.offset(part.filter)));
  std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, filters}, {DNNL_ARG_DST, target},
                                            {DNNL_ARG_SCRATCHPAD, scratchpad}};
  if (bias_) arguments.emplace(DNNL_ARG_BIAS, memory(step.bias, engine(), const_cast<float*>(bias + part.filter)));
  step.convolution.execute(stream, arguments);
  memory plain_target(step.plain_target, engine(), y + (part.image * out_channels_ + part.filter) * out_size_);
  step.to_plain.execute(stream, target, plain_target);
  stream.wait();
}

void Convolution::run(RunContext& context, const float* x, const void* weights, const float* bias, float* y, char* scratch) const {
  float* blocked = reinterpret_cast<float*>(scratch);
  if (shared_source_) load_source(context, x, blocked);
  context.check_cancelled();
  context.parallel(static_cast<int64_t>(parts_.size()), 1, [&](int64_t begin, int64_t end) {
    guarded([&] {
      for (int64_t p = begin; p < end; ++p)
        run_part(parts_[static_cast<size_t>(p)], x, blocked, static_cast<const char*>(weights), bias, y, scratch);
    });
  });
}

}  // namespace onnxrun::cpu::onednn

#endif
