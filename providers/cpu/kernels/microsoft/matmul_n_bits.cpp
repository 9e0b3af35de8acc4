// MatMulNBits: weights packed into panels and unpacked in registers for few rows, panel by panel for many; a plain kernel for weights that are
// not constant.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/parallel.h"
#include "cpu/loops/block_weights.h"
#include "cpu/loops/float_runs.h"
#include "cpu/loops/work_operands.h"
#include "cpu/simd_level.h"
#include "ops/attributes/n_bits.h"

namespace onnxrun::cpu {
namespace {

using ops::attributes::NBits;

size_t rounded(size_t bytes) { return (bytes + 63) & ~size_t{63}; }

// Element `index` of packed numbers of `bits` bits.
inline int64_t packed_number(const uint8_t* from, int64_t index, int64_t bits) {
  const int64_t bit = index * bits;
  return (from[bit / 8] >> (bit % 8)) & ((1 << bits) - 1);
}

// What the zero points of a node are.
enum class Zeros : uint8_t { kNone, kPacked, kFloat };
Zeros zeros_kind(const Node& node) {
  if (!node.has_input(3)) return Zeros::kNone;
  return dtype(node.input(3)) == DType::kUint8 ? Zeros::kPacked : Zeros::kFloat;
}

// How a node's weights lie in its packed bytes: starts of the blocks, then (with g_idx) the order of the depth, words, scales and zeros of all panels.
struct Layout {
  NBits sizes;
  Zeros zeros;
  bool reordered;
  int64_t group, panels, steps = 0;
  std::vector<int32_t> starts, order;  // order: which element of a row of A stands at a place of the depth, -1 none

  explicit Layout(const Node& node)
      : sizes(ops::attributes::read_n_bits(node)),
        zeros(zeros_kind(node)),
        reordered(node.has_input(4)),
        group(word_depth(static_cast<int>(sizes.bits))),
        panels((sizes.n + kPanel - 1) / kPanel) {
    if (reordered && node.input(4).data != nullptr) order_by_groups(static_cast<const int32_t*>(node.input(4).data));
    if (!reordered) {
      for (int64_t b = 0; b < sizes.blocks(); ++b) starts.push_back(static_cast<int32_t>(b * (sizes.block / group)));
      starts.push_back(static_cast<int32_t>((sizes.k + group - 1) / group));
    }
    if (!starts.empty()) steps = starts.back();
  }

  int64_t depth() const { return steps * group; }
  size_t starts_bytes() const { return rounded(static_cast<size_t>(sizes.blocks() + 1) * 4); }
  size_t order_bytes() const { return reordered ? rounded(static_cast<size_t>(depth()) * 4) : 0; }
  size_t word_bytes() const {
    return static_cast<size_t>(base::checked_mul(base::checked_mul(panels, steps), kPanel * 4));
  }
  size_t scale_bytes() const {
    return static_cast<size_t>(base::checked_mul(base::checked_mul(panels, sizes.blocks()), kPanel * 4));
  }
  size_t zero_bytes() const {
    return zeros == Zeros::kNone ? 0 : zeros == Zeros::kPacked ? scale_bytes() / 4 : scale_bytes();
  }
  size_t bytes() const { return starts_bytes() + order_bytes() + word_bytes() + scale_bytes() + zero_bytes(); }

  BlockPanel panel(const void* packed, int64_t p) const {
    const char* at = static_cast<const char*>(packed);
    const char* words = at + starts_bytes() + order_bytes();
    const char* scales = words + word_bytes();
    const char* zero = scales + scale_bytes();
    const int64_t count = sizes.blocks() * kPanel;
    return {reinterpret_cast<const uint32_t*>(words) + p * steps * kPanel,
            reinterpret_cast<const float*>(scales) + p * count,
            zeros == Zeros::kPacked ? reinterpret_cast<const int8_t*>(zero) + p * count : nullptr,
            zeros == Zeros::kFloat ? reinterpret_cast<const float*>(zero) + p * count : nullptr,
            reinterpret_cast<const int32_t*>(at),
            sizes.blocks(),
            static_cast<int>(sizes.bits)};
  }

  void pack(const Node& node, void* packed) const {
    char* at = static_cast<char*>(packed);
    std::copy(starts.begin(), starts.end(), reinterpret_cast<int32_t*>(at));
    if (reordered) std::copy(order.begin(), order.end(), reinterpret_cast<int32_t*>(at + starts_bytes()));
    for (int64_t p = 0; p < panels; ++p) pack_panel(node, panel(packed, p), p * kPanel);
  }

 private:
  // Elements of one group next to each other, each group filled up to whole words.
  void order_by_groups(const int32_t* groups) {
    std::vector<std::vector<int32_t>> members(static_cast<size_t>(sizes.blocks()));
    for (int64_t i = 0; i < sizes.k; ++i) {
      if (groups[i] < 0 || groups[i] >= sizes.blocks())
        base::fail(base::Code::kInvalidModel, "input 'g_idx' names block {}, there are {}", groups[i], sizes.blocks());
      members[static_cast<size_t>(groups[i])].push_back(static_cast<int32_t>(i));
    }
    for (const auto& own : members) {
      starts.push_back(static_cast<int32_t>(static_cast<int64_t>(order.size()) / group));
      order.insert(order.end(), own.begin(), own.end());
      order.resize(
          (order.size() + static_cast<size_t>(group) - 1) / static_cast<size_t>(group) * static_cast<size_t>(group),
          -1);
    }
    starts.push_back(static_cast<int32_t>(static_cast<int64_t>(order.size()) / group));
  }

  void pack_panel(const Node& node, const BlockPanel& to, int64_t first) const {
    const uint8_t* b = static_cast<const uint8_t*>(node.input(1).data);
    const int64_t columns = std::min(kPanel, sizes.n - first), blocks = sizes.blocks();
    uint32_t* words = const_cast<uint32_t*>(to.words);
    float* scales = const_cast<float*>(to.scales);
    std::fill_n(words, steps * kPanel, 0u);
    std::fill_n(scales, blocks * kPanel, 0.0f);
    if (to.zeros != nullptr) std::fill_n(const_cast<int8_t*>(to.zeros), blocks * kPanel, int8_t{0});
    if (to.float_zeros != nullptr) std::fill_n(const_cast<float*>(to.float_zeros), blocks * kPanel, 0.0f);
    std::vector<float> line(static_cast<size_t>(blocks));
    for (int64_t j = 0; j < columns; ++j) {
      const uint8_t* row = b + (first + j) * sizes.row_bytes();
      const auto flip = static_cast<uint32_t>(sizes.middle());
      for (int64_t at = 0; at < depth(); ++at) {
        const int64_t element = reordered ? order[static_cast<size_t>(at)] : at;
        if (element < 0 || element >= sizes.k) continue;
        const auto value = static_cast<uint32_t>(packed_number(row, element, sizes.bits)) ^ flip;
        words[at / group * kPanel + j] |= value << (at % group * sizes.bits);
      }
      read_floats(dtype(node.input(2)), node.input(2).data, (first + j) * blocks, blocks, line.data());
      for (int64_t i = 0; i < blocks; ++i) scales[i * kPanel + j] = line[static_cast<size_t>(i)];
      if (zeros == Zeros::kPacked) {
        const uint8_t* own = static_cast<const uint8_t*>(node.input(3).data) + (first + j) * sizes.zero_row_bytes();
        for (int64_t i = 0; i < blocks; ++i)
          const_cast<int8_t*>(to.zeros)[i * kPanel + j] =
              static_cast<int8_t>(packed_number(own, i, sizes.bits) - sizes.middle());
      }
      if (zeros == Zeros::kFloat) {
        read_floats(dtype(node.input(3)), node.input(3).data, (first + j) * blocks, blocks, line.data());
        for (int64_t i = 0; i < blocks; ++i)
          const_cast<float*>(to.float_zeros)[i * kPanel + j] =
              line[static_cast<size_t>(i)] - static_cast<float>(sizes.middle());
      }
    }
  }
};

// Whether rows of A may be rounded to 8 bits, block by block: the node says so, or the caller does and it is faster.
bool multiplies_bytes(const Node& node) {
  return node.get_int("accuracy_level", 0) == 4 ||
         (node.precision() == ONNXRUN_PRECISION_MEDIUM && simd_level() >= SimdLevel::kVnni);
}

constexpr uint64_t kAsStored = 0b11110;  // B, scales, zero points and g_idx

class MatMulNBits {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i : {1, 2, 3, 4})
      if (node.has_input(i) ? node.input(i).data == nullptr : i < 3)
        return Acceptance::decline("weights, scales, zero points or g_idx that are not constant, or of no known type");
    Acceptance acceptance;
    const uint64_t bytes = Layout(node).bytes();
    for (size_t i : {1, 2, 3, 4})
      if (node.has_input(i)) acceptance.pack(bytes, {i});
    return acceptance;
  }
  static void pack(const Node& node, void* bytes) { Layout(node).pack(node, bytes); }

  MatMulNBits(const Node& node, const void* packed)
      : packed_(packed),
        sizes_(ops::attributes::read_n_bits(node)),
        operands_(node, 6, 1, DType::kFloat32, kAsStored),
        layout_(node),
        m_(provider::count(node.input(0)) / sizes_.k),
        integer_(multiplies_bytes(node)),
        slots_(base::available_cpus()) {
    // Constants may be gone by now: what depends on g_idx is in the packed bytes.
    const int32_t* starts = static_cast<const int32_t*>(packed);
    layout_.steps = starts[sizes_.blocks()];
    // Sums of as many products as no block has more of must fit int32; with g_idx a block may be longer than its size.
    int64_t most = 0;
    for (int64_t b = 0; b < sizes_.blocks(); ++b) most = std::max<int64_t>(most, starts[b + 1] - starts[b]);
    integer_ = integer_ && most * layout_.group <= (std::numeric_limits<int32_t>::max() / 127) >> sizes_.bits;
    direct_ = !layout_.reordered && sizes_.k == layout_.depth();
    many_ = m_ > kFewRows && !integer_;
    row_block_ = std::min<int64_t>(m_, many_ ? 192 : 64);
    // Blocks of a panel that are unpacked at a time.
    const int64_t per_block = std::max<int64_t>(1, layout_.depth() / sizes_.blocks());
    chunk_ = std::clamp<int64_t>(512 / per_block, 1, sizes_.blocks());
    int64_t longest = 0;
    for (int64_t b = 0; b < sizes_.blocks(); b += chunk_)
      longest = std::max<int64_t>(longest, starts[std::min(b + chunk_, sizes_.blocks())] - starts[b]);
    unpacked_bytes_ = many_ ? rounded(static_cast<size_t>(longest * layout_.group * kPanel) * sizeof(float)) : 0;
  }
  size_t scratch_bytes() const {
    return operands_.scratch_bytes() + rows_bytes() + sums_bytes() + bytes_bytes() +
           static_cast<size_t>(slots_) * unpacked_bytes_;
  }

  void run(RunContext& context) const {
    if (m_ == 0) return;
    const auto arrays = operands_.load(context);
    char* at = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    Rows rows{arrays.in<float>(0), reinterpret_cast<float*>(at + rows_bytes()),
              reinterpret_cast<int32_t*>(at + rows_bytes() + sums_bytes() / 2),
              reinterpret_cast<int8_t*>(at + rows_bytes() + sums_bytes())};
    if (!direct_) rows.a = reinterpret_cast<float*>(at);
    prepare(context, arrays.in<float>(0), rows);
    const float* bias = arrays.in<float>(5);
    float* y = arrays.out<float>(0);
    const int64_t row_blocks = (m_ + row_block_ - 1) / row_block_, items = row_blocks * layout_.panels;
    const int64_t slots =
        items * row_block_ * layout_.depth() * kPanel < 131072 ? 1 : std::min<int64_t>(slots_, context.threads());
    char* unpacked = at + rows_bytes() + sums_bytes() + bytes_bytes();
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot)
        for (int64_t item = items * slot / slots; item < items * (slot + 1) / slots; ++item) {
          if (context.cancelled()) return;
          const int64_t p = item / row_blocks, row = item % row_blocks * row_block_, first = p * kPanel;
          const int64_t count = std::min(row_block_, m_ - row), columns = std::min(kPanel, sizes_.n - first);
          float* c = y + row * sizes_.n + first;
          multiply(rows, p, row, count, columns, c,
                   reinterpret_cast<float*>(unpacked + slot * static_cast<int64_t>(unpacked_bytes_)));
          if (bias != nullptr)
            for (int64_t i = 0; i < count; ++i)
              for (int64_t j = 0; j < columns; ++j) c[i * sizes_.n + j] += bias[first + j];
        }
    });
    context.check_cancelled();
    operands_.store(context, arrays);
  }

 private:
  static constexpr int64_t kFewRows = 8;  // up to so many, elements are unpacked for each four rows anew

  // Rows of A in the panels' order, the sums of their blocks, and their bytes with scales and sums.
  struct Rows {
    const float* a;
    float* sums;  // of floats; with bytes their scales
    int32_t* byte_sums;
    int8_t* bytes;
  };

  int64_t lda() const { return direct_ ? sizes_.k : layout_.depth(); }
  size_t rows_bytes() const {
    return direct_ ? 0 : rounded(static_cast<size_t>(base::checked_mul(m_, layout_.depth())) * sizeof(float));
  }
  size_t sums_bytes() const {
    return many_ ? 0 : 2 * rounded(static_cast<size_t>(base::checked_mul(m_, sizes_.blocks())) * sizeof(float));
  }
  size_t bytes_bytes() const { return integer_ ? rounded(static_cast<size_t>(m_ * layout_.depth())) : 0; }

  void prepare(RunContext& context, const float* a, const Rows& rows) const {
    const BlockPanel panel = layout_.panel(packed_, 0);
    const int32_t* order = reinterpret_cast<const int32_t*>(static_cast<const char*>(packed_) + layout_.starts_bytes());
    const int64_t depth = layout_.depth(), blocks = sizes_.blocks();
    if (direct_ && (many_ || (!integer_ && layout_.zeros == Zeros::kNone))) return;
    context.parallel(m_, std::max<int64_t>(1, 32768 / std::max<int64_t>(1, depth)), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const float* from = a + row * sizes_.k;
        if (!direct_) {
          float* to = const_cast<float*>(rows.a) + row * depth;
          if (layout_.reordered)
            for (int64_t i = 0; i < depth; ++i) to[i] = order[i] < 0 ? 0.0f : from[order[i]];
          else std::fill(std::copy_n(from, sizes_.k, to), to + depth, 0.0f);
          from = to;
        }
        if (integer_)
          quantize_blocks(panel, from, rows.bytes + row * depth, rows.sums + row * blocks,
                          rows.byte_sums + row * blocks);
        else if (!many_ && layout_.zeros != Zeros::kNone)
          for (int64_t b = 0; b < blocks; ++b) {
            float sum = 0;
            for (int64_t i = panel.starts[b] * layout_.group; i < panel.starts[b + 1] * layout_.group; ++i)
              sum += from[i];
            rows.sums[row * blocks + b] = sum;
          }
      }
    });
  }

  void multiply(const Rows& rows, int64_t p, int64_t row, int64_t count, int64_t columns, float* c,
                float* unpacked) const {
    const BlockPanel panel = layout_.panel(packed_, p);
    const int64_t blocks = sizes_.blocks(), n = sizes_.n;
    if (integer_)
      return multiply_integer_blocks(panel, rows.bytes + row * layout_.depth(), layout_.depth(),
                                     rows.sums + row * blocks, rows.byte_sums + row * blocks, count, c, n, columns);
    if (!many_)
      return multiply_blocks(panel, rows.a + row * lda(), lda(), rows.sums + row * blocks, count, c, n, columns);
    for (int64_t b = 0; b < blocks; b += chunk_) {
      const int64_t last = std::min(b + chunk_, blocks), begin = panel.starts[b] * layout_.group;
      const int64_t depth = panel.starts[last] * layout_.group - begin;
      unpack_blocks(panel, b, last, unpacked);
      multiply_panels(rows.a + row * lda() + begin, lda(), unpacked, count, depth, columns, b > 0, c, n);
    }
  }

  const void* packed_;
  NBits sizes_;
  WorkOperands operands_;
  Layout layout_;
  int64_t m_;
  bool integer_, direct_ = false, many_ = false;
  int64_t slots_, row_block_ = 1, chunk_ = 1;
  size_t unpacked_bytes_ = 0;
};

// A column's weights at a time, in float32, with sums in double.
class PlainMatMulNBits {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit PlainMatMulNBits(const Node& node)
      : sizes_(ops::attributes::read_n_bits(node)),
        zeros_(zeros_kind(node)),
        operands_(node, 6, 1, DType::kFloat32, kAsStored),
        m_(provider::count(node.input(0)) / sizes_.k),
        slots_(base::available_cpus()) {}
  size_t scratch_bytes() const { return operands_.scratch_bytes() + static_cast<size_t>(slots_) * slot_bytes(); }

  void run(RunContext& context) const {
    const auto arrays = operands_.load(context);
    const float *a = arrays.in<float>(0), *bias = arrays.in<float>(5);
    float* y = arrays.out<float>(0);
    char* scratch = static_cast<char*>(context.scratch()) + operands_.scratch_bytes();
    const int64_t slots = std::min<int64_t>(slots_, context.threads());
    context.parallel(slots, 1, [&](int64_t begin, int64_t end) {
      for (int64_t slot = begin; slot < end; ++slot) {
        float* weights = reinterpret_cast<float*>(scratch + slot * static_cast<int64_t>(slot_bytes()));
        for (int64_t j = sizes_.n * slot / slots; j < sizes_.n * (slot + 1) / slots; ++j) {
          if (context.cancelled()) return;
          load_column(context, j, weights);
          for (int64_t i = 0; i < m_; ++i) {
            double sum = 0;
            for (int64_t p = 0; p < sizes_.k; ++p)
              sum += static_cast<double>(a[i * sizes_.k + p]) * static_cast<double>(weights[p]);
            y[i * sizes_.n + j] = static_cast<float>(sum + (bias == nullptr ? 0.0 : static_cast<double>(bias[j])));
          }
        }
      }
    });
    context.check_cancelled();
    operands_.store(context, arrays);
  }

 private:
  size_t slot_bytes() const { return rounded(static_cast<size_t>(sizes_.k + 2 * sizes_.blocks()) * sizeof(float)); }

  void load_column(RunContext& context, int64_t j, float* weights) const {
    const int64_t blocks = sizes_.blocks();
    float *scales = weights + sizes_.k, *zeros = scales + blocks;
    read_floats(dtype(context.input(2)), context.input(2).data, j * blocks, blocks, scales);
    if (zeros_ == Zeros::kFloat) read_floats(dtype(context.input(3)), context.input(3).data, j * blocks, blocks, zeros);
    else
      for (int64_t b = 0; b < blocks; ++b)
        zeros[b] = static_cast<float>(
            zeros_ == Zeros::kNone
                ? sizes_.middle()
                : packed_number(context.in<uint8_t>(3) + j * sizes_.zero_row_bytes(), b, sizes_.bits));
    const int32_t* groups = context.has_input(4) ? context.in<int32_t>(4) : nullptr;
    const uint8_t* row = context.in<uint8_t>(1) + j * sizes_.row_bytes();
    for (int64_t p = 0; p < sizes_.k; ++p) {
      const int64_t b = groups != nullptr ? groups[p] : p / sizes_.block;
      if (b < 0 || b >= blocks)
        base::fail(base::Code::kRunFailed, "input 'g_idx' names block {}, there are {}", b, blocks);
      weights[p] = (static_cast<float>(packed_number(row, p, sizes_.bits)) - zeros[b]) * scales[b];
    }
  }

  NBits sizes_;
  Zeros zeros_;
  WorkOperands operands_;
  int64_t m_, slots_;
};

}  // namespace

void kernels_microsoft_matmul_n_bits(provider::KernelTable& table) {
  table.add<MatMulNBits>("com.microsoft", "MatMulNBits", "blocks");
  table.add<PlainMatMulNBits>("com.microsoft", "MatMulNBits", "reference");
}

}  // namespace onnxrun::cpu
