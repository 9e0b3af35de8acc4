// Partition and execution of oneDNN's convolutions.
#include "cpu/onednn/convolution.h"

#include <algorithm>
#include <bit>

#include "cpu/onednn/int_sizes.h"

namespace onnxrun::cpu::onednn {

using dnnl::memory;
using Tag = memory::format_tag;

namespace {

constexpr auto kF32 = memory::data_type::f32;
constexpr size_t kAlignment = 64;
// Multiplications and additions between two looks at the run's cancellation: some 10 to 30 ms.
constexpr int64_t kChunkOperations = int64_t{1} << 30;
// Blocks of output channels that oneDNN's kernels want at least, to use what they have loaded of the input.
constexpr int64_t kChunkBlocks = 4;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

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

int64_t blocked_channels(int64_t channels) { return (channels + block() - 1) / block() * block(); }

}  // namespace

Convolution::Convolution(const ConvolutionWeights& weights, const WindowGeometry& g, const ConvolutionForm& form,
                         int parts)
    : weights_(weights),
      batch_(g.batch),
      in_channels_(g.in_channels),
      in_size_(g.in_size),
      out_size_(g.out_size),
      out_channels_(g.out_channels),
      in_(at_least_two(g.in, 1)),
      out_(at_least_two(g.out, 1)),
      strides_(at_least_two(g.strides, 1)),
      dilations_(at_least_two(g.dilations, 1)),
      pad_begin_(at_least_two(g.pad_begin, 0)),
      pad_end_(at_least_two(g.pad_end, 0)),
      form_(form),
      blocked_source_image_(blocked_channels(g.in_channels) * g.in_size),
      blocked_target_image_(blocked_channels(g.out_channels) * g.out_size) {
  require_int_sizes(g);
  if (batch_ == 0 || out_size_ == 0 || in_size_ == 0 || out_channels_ == 0)
    throw provider::Declined{"an empty input or output"};
  // The padding at the end that the windows really reach.
  for (size_t d = 0; d < in_.size(); ++d)
    pad_end_[d] = (out_[d] - 1) * strides_[d] + (weights_.kernel[d] - 1) * dilations_[d] + 1 - in_[d] - pad_begin_[d];
  guarded([&] {
    const SingleThread single;
    turn_axes();
    split(parts);
  });
}

// oneDNN's kernels work along the last axis: one of a single element goes to the front, where it costs nothing.
void Convolution::turn_axes() {
  for (size_t turned = 1; turned < in_.size() && in_.back() == 1 && out_.back() == 1 && weights_.kernel.back() == 1;
       ++turned) {
    for (std::vector<int64_t>* axes : {&in_, &out_, &strides_, &dilations_, &pad_begin_, &pad_end_})
      std::rotate(axes->begin(), axes->end() - 1, axes->end());
    weights_.turn_axes();
  }
}

void Convolution::split(int parts) {
  const int64_t unit =
      weights_.depthwise || weights_.groups == 1 ? block() : std::max(block(), weights_.filters / weights_.groups);
  const int64_t units = (out_channels_ + unit - 1) / unit;
  const bool by_image = batch_ >= parts;
  const int64_t count = by_image ? std::min<int64_t>(batch_, parts) : std::min<int64_t>(units, parts);
  shared_source_ = !by_image && weights_.groups == 1 && !weights_.plain_input && !form_.blocked_source;
  if (shared_source_) plan_loads(parts);
  for (int64_t p = 0; p < count; ++p) {
    Chunk range{.images = batch_, .filters = out_channels_};
    if (by_image) {
      range.image = batch_ * p / count;
      range.images = batch_ * (p + 1) / count - range.image;
    } else {
      range.filter = units * p / count * unit;
      range.filters = std::min(out_channels_, units * (p + 1) / count * unit) - range.filter;
    }
    add_part(range, unit);
  }
}

void Convolution::plan_loads(int parts) {
  scratch_ += aligned(static_cast<size_t>(batch_ * blocked_source_image_) * sizeof(float));
  const int64_t blocks = (in_channels_ + block() - 1) / block(), pieces = std::min<int64_t>(blocks, parts);
  for (int64_t i = 0; i < batch_ * pieces; ++i) {
    const int64_t p = i % pieces;
    const int64_t first = blocks * p / pieces * block(),
                  end = std::min(in_channels_, blocks * (p + 1) / pieces * block());
    size_t load = 0;
    while (load < loads_.size() && loads_[load].channels != end - first) ++load;
    if (load == loads_.size()) {
      memory::dims dims{1, end - first};
      dims.insert(dims.end(), in_.begin(), in_.end());
      Load made{end - first, plain_desc(dims, in_channels_ * in_size_), {dims, kF32, blocked_tag(in_.size())}, {}};
      made.reorder = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), made.from, engine(), made.to));
      loads_.push_back(std::move(made));
    }
    Job job;
    job.stream = dnnl::stream(engine());
    job.plain_source = memory(loads_[load].from, engine(), DNNL_MEMORY_NONE);
    job.source = memory(loads_[load].to, engine(), DNNL_MEMORY_NONE);
    load_items_.push_back({i / pieces, first, load, std::move(job)});
  }
}

// Cuts the range into chunks of whole images, or where one is too much work, of some of its channels.
void Convolution::add_part(const Chunk& range, int64_t filter_unit) {
  // What one primitive has begun cannot be stopped: it must end within seconds.
  constexpr double kMostOperations = 5e11;
  double unit_operations = 2.0 * static_cast<double>(out_size_) * static_cast<double>(weights_.channels) *
                           static_cast<double>(std::min(range.filters, filter_unit));
  for (int64_t extent : weights_.kernel) unit_operations *= static_cast<double>(extent);
  if (unit_operations > kMostOperations) throw provider::Declined{"filters of so many operations"};
  int64_t least = kChunkBlocks;
  while (least > 1 && static_cast<double>(least) * unit_operations > kMostOperations) least /= 2;
  int64_t per_filter = 2 * out_size_ * weights_.channels;
  for (int64_t extent : weights_.kernel) per_filter *= extent;
  const int64_t affordable = std::max<int64_t>(1, kChunkOperations / std::max<int64_t>(1, per_filter));
  const auto units = std::bit_floor(static_cast<uint64_t>(std::max<int64_t>(least, affordable / filter_unit)));
  const int64_t filters = std::min(range.filters, static_cast<int64_t>(units) * filter_unit);
  // Channels of one image are contiguous where they are blocked, those of several are not.
  const bool one_image = filters < out_channels_ && (form_.blocked_source || form_.blocked_target);
  const int64_t images = one_image ? 1 : std::clamp<int64_t>(affordable / filters, 1, range.images);
  Part part{.first = chunks_.size(), .scratch = scratch_};
  size_t scratch = 0;
  for (int64_t image = 0; image < range.images; image += images)
    for (int64_t filter = 0; filter < range.filters; filter += filters) {
      Chunk chunk{.image = range.image + image,
                  .images = std::min(images, range.images - image),
                  .filter = range.filter + filter,
                  .filters = std::min(filters, range.filters - filter)};
      scratch = std::max(scratch, add_chunk(std::move(chunk)));
    }
  part.count = chunks_.size() - part.first;
  scratch_ += scratch;
  parts_.push_back(part);
}

// Returns the scratch memory that it needs.
size_t Convolution::add_chunk(Chunk chunk) {
  for (chunk.step = 0; chunk.step < steps_.size(); ++chunk.step)
    if (steps_[chunk.step].images == chunk.images && steps_[chunk.step].filters == chunk.filters) break;
  if (chunk.step == steps_.size()) steps_.push_back(make_step(chunk.images, chunk.filters));
  const Step& step = steps_[chunk.step];
  chunk.weights = weights_.offset(chunk.filter);
  chunk.job = make_job(step);
  chunks_.push_back(std::move(chunk));
  return step.scratch_bytes;
}

dnnl::primitive_attr Convolution::attributes(const Step& step) const {
  dnnl::post_ops post_ops;
  if (form_.added) post_ops.append_binary(dnnl::algorithm::binary_add, step.target);
  form_.activation.append_to(post_ops);
  dnnl::primitive_attr result;
  result.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  result.set_fpmath_mode(dnnl::fpmath_mode::strict);
  result.set_post_ops(post_ops);
  return result;
}

Convolution::Step Convolution::make_step(int64_t images, int64_t filters) const {
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
  step.source = memory::desc(source, kF32, weights_.plain_input ? plain_tag(axes) : blocked_tag(axes));
  step.target = memory::desc(target, kF32, blocked_tag(axes));
  step.weights = weights_.part(filters);
  if (form_.bias) step.bias = memory::desc({filters}, kF32, Tag::a);
  memory::dims dilations = dilations_;
  for (int64_t& dilation : dilations) --dilation;
  const dnnl::convolution_forward::primitive_desc pd(
      engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, step.source, step.weights,
      step.bias, step.target, strides_, dilations, pad_begin_, pad_end_, attributes(step), true);
  if (!pd) throw provider::Declined{"oneDNN has no kernel for this convolution"};
  const std::string implementation = pd.impl_info_str();
  if (implementation.find("ref") != std::string::npos || implementation.find("gemm") == 0)
    throw provider::Declined{"oneDNN would use its " + implementation};
  step.convolution = dnnl::convolution_forward(pd);
  step.scratchpad = pd.scratchpad_desc();
  if (!weights_.plain_input && !form_.blocked_source && (grouped || !shared_source_))
    step.to_blocked = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), step.plain_source, engine(), step.source));
  if (!form_.blocked_target)
    step.to_plain = dnnl::reorder(dnnl::reorder::primitive_desc(engine(), step.target, engine(), step.plain_target));
  step.source_bytes = step.to_blocked ? aligned(step.source.get_size()) : 0;
  step.target_bytes = step.to_plain ? aligned(step.target.get_size()) : 0;
  step.scratch_bytes = step.source_bytes + step.target_bytes + aligned(step.scratchpad.get_size());
  return step;
}

Convolution::Job Convolution::make_job(const Step& step) const {
  const auto of = [](const memory::desc& desc) { return memory(desc, engine(), DNNL_MEMORY_NONE); };
  Job job;
  job.stream = dnnl::stream(engine());
  job.plain_source = of(step.plain_source);
  job.source = of(step.source);
  job.target = of(step.target);
  job.plain_target = of(step.plain_target);
  job.weights = of(step.weights);
  if (form_.bias) job.bias = of(step.bias);
  if (form_.added) job.added = of(step.target);
  job.scratchpad = of(step.scratchpad);
  return job;
}

// By the C functions, since the C++ ones make a map of the arguments for every call.
void Convolution::Job::reorder(const dnnl::reorder& primitive, const memory& from, const memory& to) const {
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from.get()}, {DNNL_ARG_TO, to.get()}};
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(), 2, arguments), "a reorder failed");
}

void Convolution::Job::convolve(const dnnl::convolution_forward& primitive) const {
  dnnl_exec_arg_t arguments[6] = {{DNNL_ARG_SRC, source.get()},
                                  {DNNL_ARG_WEIGHTS, weights.get()},
                                  {DNNL_ARG_DST, target.get()},
                                  {DNNL_ARG_SCRATCHPAD, scratchpad.get()}};
  int count = 4;
  if (bias) arguments[count++] = {DNNL_ARG_BIAS, bias.get()};
  if (added) arguments[count++] = {DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, added.get()};
  dnnl::error::wrap_c_api(dnnl_primitive_execute(primitive.get(), stream.get(), count, arguments),
                          "a convolution failed");
}

void Convolution::load_source(RunContext& context, const float* x, float* blocked) const {
  context.parallel(static_cast<int64_t>(load_items_.size()), 1, [&](int64_t begin, int64_t end) {
    guarded([&] {
      const SingleThread single;
      for (int64_t i = begin; i < end && !context.cancelled(); ++i) {
        const LoadItem& item = load_items_[static_cast<size_t>(i)];
        item.job.plain_source.set_data_handle(
            const_cast<float*>(x + (item.image * in_channels_ + item.channel) * in_size_));
        item.job.source.set_data_handle(blocked + item.image * blocked_source_image_ + item.channel * in_size_);
        item.job.reorder(loads_[item.load].reorder, item.job.plain_source, item.job.source);
      }
    });
  });
}

int64_t Convolution::source_offset(int64_t image, int64_t channel) const {
  return image * (form_.blocked_source ? blocked_source_image_ : in_channels_ * in_size_) + channel * in_size_;
}
int64_t Convolution::target_offset(int64_t image, int64_t channel) const {
  return image * (form_.blocked_target ? blocked_target_image_ : out_channels_ * out_size_) + channel * out_size_;
}

void Convolution::run_chunk(const Chunk& chunk, const ConvolutionArrays& arrays, char* scratch) const {
  const Step& step = steps_[chunk.step];
  const Job& job = chunk.job;
  const int64_t channel =
      weights_.groups > 1 ? chunk.filter / (weights_.filters / weights_.groups) * weights_.channels : 0;
  auto* source = const_cast<float*>(arrays.x + source_offset(chunk.image, channel));
  float* target = arrays.y + target_offset(chunk.image, chunk.filter);
  if (step.to_blocked) {
    job.plain_source.set_data_handle(source);
    job.source.set_data_handle(scratch);
    job.reorder(step.to_blocked, job.plain_source, job.source);
  } else if (shared_source_) {
    job.source.set_data_handle(reinterpret_cast<float*>(arrays.scratch) + chunk.image * blocked_source_image_);
  } else {
    job.source.set_data_handle(source);
  }
  if (step.to_plain) job.target.set_data_handle(scratch + step.source_bytes);
  else job.target.set_data_handle(target);
  job.scratchpad.set_data_handle(scratch + step.source_bytes + step.target_bytes);
  job.weights.set_data_handle(const_cast<char*>(static_cast<const char*>(arrays.weights) + chunk.weights));
  if (form_.bias) job.bias.set_data_handle(const_cast<float*>(arrays.bias + chunk.filter));
  if (form_.added)
    job.added.set_data_handle(const_cast<float*>(arrays.added + target_offset(chunk.image, chunk.filter)));
  job.convolve(step.convolution);
  form_.activation.finish(static_cast<float*>(job.target.get_data_handle()),
                          static_cast<int64_t>(step.target.get_size() / sizeof(float)));
  if (!step.to_plain) return;
  job.plain_target.set_data_handle(target);
  job.reorder(step.to_plain, job.target, job.plain_target);
}

void Convolution::run(RunContext& context, const ConvolutionArrays& arrays) const {
  if (shared_source_) load_source(context, arrays.x, reinterpret_cast<float*>(arrays.scratch));
  context.check_cancelled();
  context.parallel(static_cast<int64_t>(parts_.size()), 1, [&](int64_t begin, int64_t end) {
    guarded([&] {
      const SingleThread single;
      for (int64_t p = begin; p < end; ++p) {
        const Part& part = parts_[static_cast<size_t>(p)];
        for (size_t c = part.first; c < part.first + part.count && !context.cancelled(); ++c)
          run_chunk(chunks_[c], arrays, arrays.scratch + part.scratch);
      }
    });
  });
  context.check_cancelled();
}

}  // namespace onnxrun::cpu::onednn
