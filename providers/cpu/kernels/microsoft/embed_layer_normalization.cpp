// EmbedLayerNormalization in float32: each row is gathered from the tables, summed and normalised while it is at hand.
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/kernels/simd/float_rows.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/rows.h"

namespace onnxrun::cpu {
namespace {

enum Input { kIds, kSegments, kWords, kPositions, kSegmentTable, kGamma, kBeta, kMask, kPositionIds };

class EmbeddedRows {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i : {kWords, kPositions, kSegmentTable, kGamma, kBeta})
      if (node.has_input(i) && dtype(node.input(i)) != DType::kFloat32) return Acceptance::decline("not float32");
    if (node.has_output(1)) return Acceptance::decline("counts no words");
    if (add() == nullptr) return Acceptance::decline("no fast Add at this instruction set level");
    return {};
  }

  explicit EmbeddedRows(const Node& node) : epsilon_(node.get_float("epsilon", 1e-12f)) {
    const auto ids = provider::dims(node.input(kIds));
    if (ids.size() != 2) throw provider::Declined{"'input_ids' is no matrix"};
    count_ = provider::count(node.input(kIds));
    length_ = ids[1];
    size_ = provider::dims(node.input(kWords)).back();
    for (size_t i : {kWords, kPositions, kSegmentTable}) {
      if (!node.has_input(i)) continue;
      const auto dims = provider::dims(node.input(i));
      if (dims.size() != 2 || dims[1] != size_) throw provider::Declined{"a table has rows of another size"};
      rows_[i] = dims[0];
    }
    for (size_t i : {kGamma, kBeta})
      if (provider::count(node.input(i)) != size_) throw provider::Declined{"a parameter is not the shape of a row"};
    for (size_t i : {kIds, kSegments, kPositionIds}) {
      if (!node.has_input(i)) continue;
      if (provider::count(node.input(i)) != count_) throw provider::Declined{"ids are broadcast"};
      wide_[i] = dtype(node.input(i)) == DType::kInt64;
    }
  }

  void run(RunContext& context) const {
    const float *scale = context.in<float>(kGamma), *shift = context.in<float>(kBeta);
    float* y = context.out<float>(0);
    float* sums = context.has_output(2) ? context.out<float>(2) : nullptr;
    const RowKernel plus = add();
    const int64_t n = size_;
    parallel_polled(context, count_, Cost(n) * 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        float* out = y + i * n;
        float* sum = sums != nullptr ? sums + i * n : out;
        const float* position = context.has_input(kPositionIds) ? row(context, kPositions, kPositionIds, i)
                                                                : row(context, kPositions, i % length_, "the length");
        plus({{row(context, kWords, kIds, i), position}, {1, 1}, sum, n, nullptr});
        if (context.has_input(kSegments))
          plus({{sum, row(context, kSegmentTable, kSegments, i)}, {1, 1}, sum, n, nullptr});
        const float mean = static_cast<float>(row_sum(sum, n) / static_cast<double>(n));
        const double variance = row_sum_squares(sum, mean, n) / static_cast<double>(n);
        const float factor = static_cast<float>(1.0 / std::sqrt(variance + static_cast<double>(epsilon_)));
        row_normalize(sum, mean, factor, scale, shift, out, n);
      }
    });
  }

 private:
  static RowKernel add() { return simd::float_row("Add"); }

  const float* row(RunContext& context, size_t table, size_t ids, int64_t i) const {
    const int64_t id = wide_[ids] ? context.in<int64_t>(ids)[i] : context.in<int32_t>(ids)[i];
    return row(context, table, id < 0 ? id + rows_[table] : id,
               ids == kIds        ? "input_ids"
               : ids == kSegments ? "segment_ids"
                                  : "position_ids");
  }
  const float* row(RunContext& context, size_t table, int64_t id, const char* what) const {
    if (id < 0 || id >= rows_[table])
      base::fail(base::Code::kRunFailed, "EmbedLayerNormalization: {} asks for row {}, but the table has {}", what, id,
                 rows_[table]);
    return context.in<float>(table) + id * size_;
  }

  float epsilon_;
  int64_t count_ = 0, length_ = 1, size_ = 0, rows_[kPositionIds + 1] = {};
  bool wide_[kPositionIds + 1] = {};
};

}  // namespace

void kernels_microsoft_embed_layer_normalization(provider::KernelTable& table) {
  table.add<EmbeddedRows>("com.microsoft", "EmbedLayerNormalization", "rows");
}

}  // namespace onnxrun::cpu
