// Sizes of Attention and its present outputs.
#include "cpu/loops/attention.h"

#include <cstring>

#include "cpu/loops/polled.h"

namespace onnxrun::cpu {

AttentionShape::AttentionShape(const Node& node) : attributes(ops::attributes::read_attention(node)) {
  const auto q = provider::dims(node.input(0)), k = provider::dims(node.input(1)), v = provider::dims(node.input(2));
  merged = q.size() == 3;
  batch = q[0];
  q_heads = merged ? attributes.q_heads : q[1];
  kv_heads = merged ? attributes.kv_heads : k[1];
  q_length = merged ? q[1] : q[2];
  kv_length = merged ? k[1] : k[2];
  head = merged ? q[2] / q_heads : q[3];
  v_head = merged ? v[2] / kv_heads : v[3];
  past = node.has_input(4) ? provider::dims(node.input(4))[2] : 0;
  total = past + kv_length;
  if (!node.has_input(3)) return;
  const auto mask = provider::dims(node.input(3));
  mask_length = mask.back();
  if (mask_length == 0) throw provider::Declined{"an empty mask"};
  int64_t stride = 1;
  for (size_t d = 0; d < mask.size(); ++d) {
    const int64_t size = mask[mask.size() - 1 - d];
    mask_strides[3 - d] = d > 0 && size == 1 ? 0 : stride;
    stride *= size;
  }
}

int64_t valid_keys(const AttentionShape& shape, const RunContext& context, int64_t b) {
  if (!context.has_input(6)) return shape.total;
  const int64_t valid = context.in<int64_t>(6)[b];
  if (valid < 0 || valid > shape.total)
    base::fail(base::Code::kRunFailed, "Attention: nonpad_kv_seqlen[{}] is {}, but there are {} keys", b, valid,
               shape.total);
  return valid;
}

void write_present(RunContext& context, const AttentionShape& s) {
  for (size_t output : {1, 2}) {
    if (!context.has_output(output) || provider::count(context.output(output)) == 0) continue;
    const int64_t size = output == 1 ? s.head : s.v_head;
    const int64_t bytes = size * base::dtype_bits(dtype(context.input(output))) / 8;
    const char* past = s.past > 0 ? static_cast<const char*>(context.input(output + 3).data) : nullptr;
    const char* fresh = static_cast<const char*>(context.input(output).data);
    char* out = static_cast<char*>(context.output(output).data);
    const int64_t element = base::dtype_bits(dtype(context.input(output))) / 8;
    parallel_polled(context, s.batch * s.kv_heads, Cost(s.total) * bytes, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t b = item / s.kv_heads, h = item % s.kv_heads;
        char* to = out + item * s.total * bytes;
        if (past != nullptr) std::memcpy(to, past + item * s.past * bytes, static_cast<size_t>(s.past * bytes));
        to += s.past * bytes;
        for (int64_t j = 0; j < s.kv_length; ++j)
          std::memcpy(to + j * bytes, fresh + s.at(s.kv_heads, s.kv_length, size, b, h, j) * element,
                      static_cast<size_t>(bytes));
      }
    });
  }
}

}  // namespace onnxrun::cpu
