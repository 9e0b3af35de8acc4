// The choice of parts at this machine's level.
#include "cpu/loops/parts.h"

#include <onnxrun/provider.h>

#include <tuple>

#include "base/error.h"
#include "cpu/loops/convolution_parts.h"
#include "cpu/simd_level.h"

namespace onnxrun::cpu {

#if defined(__x86_64__)
namespace simd::spr {
PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to);
PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to);
void join_panel(const char* parts, int64_t depth, float* packed);
void multiply_parts(const PartOperands& operands, int parts);
PartExtents extents_of(const float* numbers, int64_t stride, int64_t rows, int64_t columns);
PartExtents split_positions(const PositionRows& rows, int parts);
PartExtents split_columns(const PlainColumns& columns, int parts);
void split_filters(FilterSplit& split, int parts, int64_t steps);
void split_positions(PositionSplit& split, int parts, int64_t steps);
void join_filters(const FilterSplit& split, const char* parts, float* packed);
PartExtents extents_of(const PositionSplit& split);
void convolve_parts(const BlockConvolution& convolution, const PartsOfConvolution& part, int parts,
                    const SplitBeside& beside);
}  // namespace simd::spr
#define ONNXRUN_ON_TILES(function, ...) \
  if (simd_level() == SimdLevel::kSpr) return simd::spr::function(__VA_ARGS__);
#else
#define ONNXRUN_ON_TILES(function, ...) static_cast<void>(sizeof(std::tuple(__VA_ARGS__)));
#endif

namespace {

[[noreturn]] void fail() {
  throw base::Error(base::Code::kInternal, "there are no tiles at this instruction set level");
}

}  // namespace

PartExtents split_rows(const float* a, int64_t lda, int64_t rows, int64_t depth, int parts, char* to) {
  ONNXRUN_ON_TILES(split_rows, a, lda, rows, depth, parts, to)
  fail();
}

PartExtents split_panel(const float* packed, int64_t depth, int64_t columns, int parts, char* to) {
  ONNXRUN_ON_TILES(split_panel, packed, depth, columns, parts, to)
  fail();
}

void join_panel(const char* parts, int64_t depth, float* packed) {
  ONNXRUN_ON_TILES(join_panel, parts, depth, packed)
  fail();
}

void multiply_parts(const PartOperands& operands, int parts) {
  ONNXRUN_ON_TILES(multiply_parts, operands, parts)
  fail();
}

PartExtents split_columns(const PlainColumns& columns, int parts) {
  ONNXRUN_ON_TILES(split_columns, columns, parts)
  fail();
}

PartExtents split_positions(const PositionRows& rows, int parts) {
  ONNXRUN_ON_TILES(split_positions, rows, parts)
  fail();
}

void split_filters(FilterSplit& split, int parts, int64_t steps) {
  ONNXRUN_ON_TILES(split_filters, split, parts, steps)
  fail();
}

void split_positions(PositionSplit& split, int parts, int64_t steps) {
  ONNXRUN_ON_TILES(split_positions, split, parts, steps)
  fail();
}

void join_filters(const FilterSplit& split, const char* parts, float* packed) {
  ONNXRUN_ON_TILES(join_filters, split, parts, packed)
  fail();
}

PartExtents extents_of(const PositionSplit& split) {
  ONNXRUN_ON_TILES(extents_of, split)
  fail();
}

void convolve_parts(const BlockConvolution& convolution, const PartsOfConvolution& part, int parts,
                    const SplitBeside& beside) {
  ONNXRUN_ON_TILES(convolve_parts, convolution, part, parts, beside)
  fail();
}

PartExtents extents_of(const float* numbers, int64_t stride, int64_t rows, int64_t columns) {
  ONNXRUN_ON_TILES(extents_of, numbers, stride, rows, columns)
  fail();
}

bool has_part_products() { return simd_level() == SimdLevel::kSpr; }

int parts_of_products(int precision) {
  if (!has_part_products()) return 0;
  return precision == ONNXRUN_PRECISION_HIGHEST ? 3 : 2;
}

}  // namespace onnxrun::cpu
