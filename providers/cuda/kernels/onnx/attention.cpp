// Attention by a tiled kernel with a running softmax.
#include "ops/attributes/attention.h"

#include "cuda/device/attention.h"
#include "cuda/device/copy.h"
#include "cuda/host/attention_products.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"

namespace onnxrun::cuda {
namespace {

class Attention {
 public:
  static Acceptance accepts(const Node& node) {
    const DType type = dtype(node.input(0));
    if (find_attention(type) == nullptr) return no_kernel(node);
    if (dtype(node.input(1)) != type || dtype(node.input(2)) != type)
      return Acceptance::decline("Q, K and V of different types");
    if (node.has_input(3) && dtype(node.input(3)) != DType::kBool && find_attention(dtype(node.input(3))) == nullptr)
      return Acceptance::decline("a mask of an unusual type");
    return {};
  }

  explicit Attention(const Node& node)
      : type_(dtype(node.input(0))), attributes_(ops::attributes::read_attention(node)) {
    const auto q = provider::dims(node.input(0)), k = provider::dims(node.input(1)), v = provider::dims(node.input(2));
    const bool merged = q.size() == 3;
    work_.batch = q[0];
    work_.q_heads = merged ? attributes_.q_heads : q[1];
    work_.kv_heads = merged ? attributes_.kv_heads : k[1];
    work_.q_length = merged ? q[1] : q[2];
    kv_length_ = merged ? k[1] : k[2];
    work_.head = merged ? q[2] / work_.q_heads : q[3];
    work_.v_head = merged ? v[2] / work_.kv_heads : v[3];
    work_.past = node.has_input(4) ? provider::dims(node.input(4))[2] : 0;
    work_.first = work_.past;
    work_.total = work_.past + kv_length_;
    place(work_.q, merged, work_.q_heads, work_.q_length, work_.head);
    place(work_.k, merged, work_.kv_heads, kv_length_, work_.head);
    place(work_.v, merged, work_.kv_heads, kv_length_, work_.v_head);
    place(work_.past_k, false, work_.kv_heads, work_.past, work_.head);
    place(work_.past_v, false, work_.kv_heads, work_.past, work_.v_head);
    HeadRows y;
    place(y, merged, work_.q_heads, work_.q_length, work_.v_head);
    work_.y_batch = y.batch, work_.y_head = y.head, work_.y_position = y.position;
    work_.scale = static_cast<float>(attributes_.scale_for(work_.head));
    work_.softcap = attributes_.softcap;
    work_.causal = attributes_.causal;
    work_.left = attributes_.left, work_.right = attributes_.right;
    if (node.has_input(3)) place_mask(node);
    // A product would take values of padding, whatever they are, times 0.
    if (node.has_input(6)) return;
    // With a past, the keys lie in one piece only where they are an output, too.
    AttentionWork joined = work_;
    if (work_.past > 0 && node.has_output(1) && node.has_output(2)) join_past(joined);
    products_ = AttentionProducts::make(type_, node.precision(), joined);
  }

  size_t scratch_bytes() const { return products_.empty() ? 0 : products_[0].scratch_bytes(); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    AttentionWork work = work_;
    work.q.data = context.input(0).data, work.k.data = context.input(1).data, work.v.data = context.input(2).data;
    if (context.has_input(3)) work.mask = context.input(3).data, work.mask_type = dtype(context.input(3));
    if (context.has_input(4)) work.past_k.data = context.input(4).data;
    if (context.has_input(5)) work.past_v.data = context.input(5).data;
    if (context.has_input(6)) {
      work.valid = context.in<int64_t>(6);
      work.report = stream.expect("Attention: an element of 'nonpad_kv_seqlen' is not a number of keys");
    }
    work.y = context.output(0).data;
    if (context.has_output(1)) write_present(queue, work.past_k, work.k, work.head, context.output(1).data);
    if (context.has_output(2)) write_present(queue, work.past_v, work.v, work.v_head, context.output(2).data);
    if (context.has_output(3))
      find_scores(type_)(queue, work, static_cast<int>(attributes_.qk_output), context.output(3).data);
    if (products_.empty()) return find_attention(type_)(queue, work);
    if (work.past > 0) {
      join_past(work);
      work.k.data = context.output(1).data, work.v.data = context.output(2).data;
    }
    products_[0].run(stream, queue, work, context.scratch());
  }

 private:
  // Keys and values as the outputs have them, past and new ones together.
  static void join_past(AttentionWork& work) {
    work.past = 0;
    place(work.k, false, work.kv_heads, work.total, work.head);
    place(work.v, false, work.kv_heads, work.total, work.v_head);
  }

  // Heads merged into the last dim lie beside each other at each position.
  static void place(HeadRows& rows, bool merged, int64_t heads, int64_t length, int64_t size) {
    rows.batch = heads * length * size;
    rows.head = merged ? size : length * size;
    rows.position = merged ? heads * size : size;
  }

  void place_mask(const Node& node) {
    const auto mask = provider::dims(node.input(3));
    work_.mask_length = mask.back();
    if (work_.mask_length == 0) throw provider::Declined{"an empty mask"};
    int64_t step = 1;
    for (size_t d = 0; d < mask.size(); ++d) {
      const int64_t size = mask[mask.size() - 1 - d];
      work_.mask_steps[3 - d] = d > 0 && size == 1 ? 0 : step;
      step *= size;
    }
  }

  // The past, then the new rows of each head.
  void write_present(const Queue& queue, const HeadRows& past, const HeadRows& fresh, int64_t size, void* to) const {
    const int bytes = base::dtype_bits(type_) / 8;
    const auto copy = [&](const HeadRows& rows, int64_t length, int64_t first) {
      if (length == 0) return;
      const base::Dims dims = {work_.batch, work_.kv_heads, length, size};
      const base::Dims from = {rows.batch, rows.head, rows.position, 1};
      const base::Dims into = {work_.kv_heads * work_.total * size, work_.total * size, size, 1};
      launch_copy(queue, *walk<2>(dims, {from, into}), bytes, rows.data, static_cast<char*>(to) + first * size * bytes);
    };
    copy(past, work_.past, 0);
    copy(fresh, kv_length_, work_.past);
  }

  DType type_;
  ops::attributes::AttentionAttributes attributes_;
  AttentionWork work_;
  int64_t kv_length_ = 0;
  std::vector<AttentionProducts> products_;  // one, or none
};

}  // namespace

void kernels_onnx_attention(provider::KernelTable& table) { add<Attention>(table, "", "Attention", "attention"); }

}  // namespace onnxrun::cuda
