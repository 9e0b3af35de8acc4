// com.microsoft.SparseAttention: grouped attention that leaves out the blocks of keys a layout does not name.
#include "base/checked.h"
#include "base/kernel_memory.h"
#include "cpu/loops/grouped_attention.h"

namespace onnxrun::cpu {
namespace {

using base::Code;
using base::fail;

enum Input { kRows = 5, kColumns, kTotal, kLengths };

ops::attributes::GroupedAttention read(const Node& node) {
  ops::attributes::GroupedAttention a;
  a.heads = node.get_int("num_heads", 0);
  a.kv_heads = node.get_int("kv_num_heads", 0);
  a.scale = node.get_float("scale", 0);
  a.rotary = node.get_int("do_rotary", 0) == 1;
  a.interleaved = node.get_int("rotary_interleaved", 0) == 1;
  return a;
}

// Which blocks each layout names, from its compressed rows.
struct Layouts {
  int64_t count, rows, block;
  std::vector<bool> named;  // [count, rows, rows]

  bool sees(int64_t h, int64_t query, int64_t key) const {
    const int64_t row = query / block, column = key / block;
    return row < rows && column < rows && named[static_cast<size_t>((h % count * rows + row) * rows + column)];
  }
};

class SparseAttention {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(3, 1).alias(4, 2); }

  explicit SparseAttention(const Node& node)
      : core_(node,
              {.past_key = 3,
               .past_value = 4,
               .cos = 9,
               .sin = 10,
               .positions = 0,
               .bias = 0,
               .sink = 0,
               .key_scale = 0,
               .value_scale = 0,
               .q_norm = 0,
               .k_norm = 0},
              read(node)),
        block_(node.get_int("sparse_block_size", 0)),
        layouts_(provider::dims(node.input(kRows))[0]),
        rows_(provider::dims(node.input(kRows))[1] - 1),
        columns_(provider::dims(node.input(kColumns))[1]) {}

  size_t scratch_bytes() const { return core_.scratch_bytes(); }

  void run(RunContext& context) const {
    const int64_t total = context.in<int32_t>(kTotal)[0], length = core_.length();
    const bool prompt = length == total;
    std::vector<GroupedEntry> entries;
    for (int64_t b = 0; b < core_.batch(); ++b) {
      const int64_t keys = context.in<int32_t>(kLengths)[b], past = prompt ? 0 : keys - length;
      if (keys < 1 || keys > total || total > core_.past_capacity() || total > rows_ * block_ || past < 0)
        fail(Code::kRunFailed,
             "SparseAttention: {} of {} keys of batch entry {} do not fit {} new ones, caches of {} and layouts of {} "
             "blocks",
             keys, total, b, length, core_.past_capacity(), rows_);
      entries.push_back({past, keys});
    }
    const Layouts layouts = read_layouts(context);
    const auto sees = [](const void* of, int64_t h, int64_t q, int64_t j) {
      return static_cast<const Layouts*>(of)->sees(h, q, j);
    };
    core_.run(context, entries, total, prompt, {block_, sees, &layouts});
  }

 private:
  Layouts read_layouts(const RunContext& context) const {
    const int64_t blocks = base::checked_mul(layouts_, base::checked_mul(rows_, rows_));
    base::take_kernel_memory(blocks / 8);
    Layouts result{layouts_, rows_, block_, std::vector<bool>(static_cast<size_t>(blocks))};
    const int32_t *starts = context.in<int32_t>(kRows), *columns = context.in<int32_t>(kColumns);
    for (int64_t l = 0; l < layouts_; ++l)
      for (int64_t r = 0; r < rows_; ++r) {
        const int64_t begin = starts[l * (rows_ + 1) + r], end = starts[l * (rows_ + 1) + r + 1];
        if (begin < 0 || end < begin || end > columns_)
          fail(Code::kRunFailed, "SparseAttention: row {} of layout {} has the entries {} to {} of {}", r, l, begin,
               end, columns_);
        for (int64_t i = begin; i < end; ++i) {
          const int64_t column = columns[l * columns_ + i];
          if (column < 0 || column >= rows_)
            fail(Code::kRunFailed, "SparseAttention: layout {} names block {} of {}", l, column, rows_);
          result.named[static_cast<size_t>((l * rows_ + r) * rows_ + column)] = true;
        }
      }
    return result;
  }

  GroupedAttention core_;
  int64_t block_, layouts_, rows_, columns_;
};

}  // namespace

void kernels_microsoft_sparse_attention(provider::KernelTable& table) {
  table.add<SparseAttention>("com.microsoft", "SparseAttention", "tiled");
}

}  // namespace onnxrun::cpu
