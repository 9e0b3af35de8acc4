// Splitting and executing oneDNN's pools.
#include "cpu/onednn/pooling.h"

#include <algorithm>

#include "base/kernel_memory.h"
#include "cpu/onednn/int_sizes.h"

namespace onnxrun::cpu::onednn {

using dnnl::memory;

namespace {
constexpr size_t kAlignment = 64;
// Elements taken between two looks at the run's cancellation.
constexpr int64_t kChunkElements = int64_t{1} << 23;
// Elements that one plane's windows may take: it is done without such a look.
constexpr double kMostWork = 0x1p33;
// Each has objects of the library.
constexpr int64_t kMostChunks = 4096;
}  // namespace

Pooling::Pooling(const WindowGeometry& g, dnnl::algorithm algorithm, int parts)
    : in_plane_(g.in_size * block()), out_plane_(g.out_size * block()) {
  require_int_sizes(g);
  const int64_t planes = g.batch * g.in_channels;
  if (planes == 0 || in_plane_ == 0 || out_plane_ == 0) return;
  const double windows = static_cast<double>(g.out_size) * static_cast<double>(g.kernel_size);
  if (windows * static_cast<double>(block()) > kMostWork)
    throw provider::Declined{"windows of so many elements that they could not be cancelled"};
  const int64_t work = std::max(in_plane_, g.out_size * std::min(g.kernel_size, kChunkElements) * block());
  const int64_t each = std::clamp<int64_t>(kChunkElements / work, 1, (planes + parts - 1) / parts);
  const int64_t chunks = (planes + each - 1) / each;
  if (chunks > kMostChunks) throw provider::Declined{"so many planes with so large windows"};
  base::take_kernel_memory(chunks * kChunkBytes + 2 * kStepBytes);
  guarded([&] {
    const SingleThread single;
    for (int64_t plane = 0; plane < planes; plane += each) {
      const int64_t count = std::min(each, planes - plane);
      if (steps_.empty() || steps_.back().planes != count) make_step(g, algorithm, count);
      add_chunk(plane, count);
    }
  });
}

void Pooling::make_step(const WindowGeometry& g, dnnl::algorithm algorithm, int64_t planes) {
  const auto in = at_least_two(g.in, 1), out = at_least_two(g.out, 1), kernel = at_least_two(g.kernel, 1),
             strides = at_least_two(g.strides, 1), begin = at_least_two(g.pad_begin, 0);
  memory::dims source{planes, block()}, target = source, end(in.size()), dilations(in.size(), 0);
  source.insert(source.end(), in.begin(), in.end());
  target.insert(target.end(), out.begin(), out.end());
  for (size_t d = 0; d < in.size(); ++d) end[d] = (out[d] - 1) * strides[d] + kernel[d] - in[d] - begin[d];
  Step step;
  step.planes = planes;
  step.source = memory::desc(source, memory::data_type::f32, blocked_tag(in.size()));
  step.target = memory::desc(target, memory::data_type::f32, blocked_tag(in.size()));
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  const dnnl::pooling_forward::primitive_desc pd(engine(), dnnl::prop_kind::forward_inference, algorithm, step.source,
                                                 step.target, strides, kernel, dilations, begin, end, attributes);
  step.pooling = dnnl::pooling_forward(pd);
  step.scratchpad = pd.scratchpad_desc();
  steps_.push_back(std::move(step));
}

void Pooling::add_chunk(int64_t plane, int64_t planes) {
  size_t index = steps_.size() - 1;
  while (steps_[index].planes != planes) --index;
  const Step& step = steps_[index];
  Chunk chunk{.plane = plane, .step = index, .scratch = scratch_};
  chunk.stream = dnnl::stream(engine());
  chunk.source = memory(step.source, engine(), DNNL_MEMORY_NONE);
  chunk.target = memory(step.target, engine(), DNNL_MEMORY_NONE);
  chunk.scratchpad = memory(step.scratchpad, engine(), DNNL_MEMORY_NONE);
  scratch_ += (step.scratchpad.get_size() + kAlignment - 1) & ~(kAlignment - 1);
  chunks_.push_back(std::move(chunk));
}

void Pooling::run(RunContext& context, const float* x, float* y, char* scratch) const {
  context.parallel(static_cast<int64_t>(chunks_.size()), 1, [&](int64_t begin, int64_t end) {
    guarded([&] {
      const SingleThread single;
      for (int64_t i = begin; i < end && !context.cancelled(); ++i) {
        const Chunk& chunk = chunks_[static_cast<size_t>(i)];
        chunk.source.set_data_handle(const_cast<float*>(x + chunk.plane * in_plane_));
        chunk.target.set_data_handle(y + chunk.plane * out_plane_);
        chunk.scratchpad.set_data_handle(scratch + chunk.scratch);
        const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, chunk.source.get()},
                                             {DNNL_ARG_DST, chunk.target.get()},
                                             {DNNL_ARG_SCRATCHPAD, chunk.scratchpad.get()}};
        dnnl::error::wrap_c_api(
            dnnl_primitive_execute(steps_[chunk.step].pooling.get(), chunk.stream.get(), 3, arguments),
            "a pool failed");
      }
    });
  });
  context.check_cancelled();
}

}  // namespace onnxrun::cpu::onednn
