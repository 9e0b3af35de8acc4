// com.microsoft.GroupQueryAttention.
#include "cpu/loops/grouped_attention.h"

namespace onnxrun::cpu {
namespace {

constexpr size_t kLengths = 5, kTotal = 6;

class GroupQueryAttention {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(3, 1).alias(4, 2); }

  explicit GroupQueryAttention(const Node& node)
      : attributes_(ops::attributes::read_grouped_attention(node)),
        core_(node,
              {.past_key = 3,
               .past_value = 4,
               .cos = 7,
               .sin = 8,
               .positions = 9,
               .bias = 10,
               .sink = 11,
               .key_scale = 12,
               .value_scale = 13,
               .q_norm = 14,
               .k_norm = 15},
              attributes_) {}

  size_t scratch_bytes() const { return core_.scratch_bytes(); }

  void run(RunContext& context) const {
    const int64_t total = context.in<int32_t>(kTotal)[0], length = core_.length();
    const bool prompt = length == total;
    std::vector<GroupedEntry> entries;
    for (int64_t b = 0; b < core_.batch(); ++b) {
      const int64_t last = context.in<int32_t>(kLengths)[b];
      if (last < 0 || last >= total)
        base::fail(base::Code::kRunFailed, "GroupQueryAttention: seqlens_k[{}] is {}, but total_sequence_length is {}",
                   b, last, total);
      const int64_t past = prompt ? 0 : last + 1 - length;
      if (past < 0)
        base::fail(base::Code::kRunFailed,
                   "GroupQueryAttention: batch entry {} has {} keys, fewer than the {} new ones", b, last + 1, length);
      if (past > core_.past_capacity() && !attributes_.sliding_cache)
        base::fail(base::Code::kRunFailed,
                   "GroupQueryAttention: batch entry {} has {} past keys, but 'past_key' has room for {}", b, past,
                   core_.past_capacity());
      entries.push_back({past, last + 1});
    }
    core_.run(context, entries, total, prompt, {});
  }

 private:
  ops::attributes::GroupedAttention attributes_;
  GroupedAttention core_;
};

}  // namespace

void kernels_microsoft_group_query_attention(provider::KernelTable& table) {
  table.add<GroupQueryAttention>("com.microsoft", "GroupQueryAttention", "tiled");
}

}  // namespace onnxrun::cpu
