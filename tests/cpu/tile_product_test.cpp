// Products on tiles, with the tile instructions emulated as Intel's Software Developer's Manual defines them, against plain sums.
#include "cpu/loops/tile_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/floats.h"
#include "cpu/loops/integer_panels.h"
#include "tile_registers.h"

namespace onnxrun::cpu {
namespace {

// What TileProduct takes of vectors: `a` with rows of `depth` words, `c` with rows of `ldc` sums.
template <class A, class B, class C>
TileOperands operands_of(const std::vector<A>& a, const std::vector<B>& packed, int64_t depth, bool add,
                         std::vector<C>& c, int64_t ldc, int64_t n) {
  return {reinterpret_cast<const char*>(a.data()),
          4 * depth,
          reinterpret_cast<const char*>(packed.data()),
          depth,
          add,
          reinterpret_cast<char*>(c.data()),
          4 * ldc,
          n};
}

constexpr int64_t kRows[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 50, 64, 97},
                  kColumns[] = {1, 16, 17, 32, 33, 63, 64, 65, 130};

TEST(TileProduct, MultipliesPairsOfBfloat16) {
  Numbers numbers;
  for (const int64_t m : kRows)
    for (const int64_t n : kColumns)
      for (const int64_t k : {1, 2, 31, 32, 33, 64, 70, 150})
        for (const bool add : {false, true}) {
          const auto number = [&] { return static_cast<float>(static_cast<int>(numbers.next() % 201) - 100) / 64; };
          std::vector<float> a(static_cast<size_t>(m * k)), b(static_cast<size_t>(k * n));
          for (float& x : a) x = number();
          for (float& x : b) x = number();
          const int64_t depth = panel_depth<Bfloat16Pair>(k), ldc = n + 3;
          std::vector<Bfloat16Pair> rows(static_cast<size_t>(m * depth)),
              packed(static_cast<size_t>(panel_floats(depth, n)));
          for (int64_t i = 0; i < m; ++i) pack_row(a.data() + i * k, k, rows.data() + i * depth);
          pack_panels(b.data(), n, 1, k, n, 1, packed.data());
          std::vector<float> c(static_cast<size_t>((m - 1) * ldc + n), 0.5f);
          const TileOperands operands = operands_of(rows, packed, depth, add, c, ldc, n);
          TileProduct<PairRegisters>(operands).run(m);
          for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < ldc && (i + 1 < m || j < n); ++j) {
              double want = j < n && !add ? 0 : 0.5, bound = 0.5;
              for (int64_t l = 0; j < n && l < k; ++l) {
                const double product = static_cast<double>(a[static_cast<size_t>(i * k + l)]) *
                                       static_cast<double>(b[static_cast<size_t>(l * n + j)]);
                want += product;
                bound += std::fabs(product);
              }
              ASSERT_NEAR(static_cast<double>(c[static_cast<size_t>(i * ldc + j)]), want, bound * 1e-5)
                  << m << " x " << k << " x " << n << " at " << i << ", " << j;
            }
        }
  EXPECT_EQ(Registers::configured, Registers::released);
}

TEST(TileProduct, MultipliesBytes) {
  Numbers numbers;
  for (const int64_t m : kRows)
    for (const int64_t n : kColumns)
      for (const int64_t k : {1, 4, 63, 64, 65, 200}) {
        const int64_t lda = grouped_depth(k), ldc = n + 1;
        std::vector<uint8_t> a(static_cast<size_t>(m * lda)), b(static_cast<size_t>(k * n));
        for (int64_t i = 0; i < m; ++i)
          for (int64_t l = 0; l < k; ++l) a[static_cast<size_t>(i * lda + l)] = static_cast<uint8_t>(numbers.next());
        for (uint8_t& x : b) x = static_cast<uint8_t>(numbers.next());
        std::vector<int8_t> packed(static_cast<size_t>(integer_panel_bytes(k, n)));
        std::vector<int32_t> sums(static_cast<size_t>(n)), c(static_cast<size_t>((m - 1) * ldc + n), 77);
        pack_integer_panels(b.data(), n, k, n, 0, packed.data(), sums.data());
        const TileOperands operands = operands_of(a, packed, lda / 4, false, c, ldc, n);
        TileProduct<ByteRegisters>(operands).run(m);
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < ldc && (i + 1 < m || j < n); ++j) {
            int32_t want = j < n ? 0 : 77;
            for (int64_t l = 0; j < n && l < k; ++l)
              want += a[static_cast<size_t>(i * lda + l)] * static_cast<int8_t>(b[static_cast<size_t>(l * n + j)]);
            ASSERT_EQ(c[static_cast<size_t>(i * ldc + j)], want)
                << m << " x " << k << " x " << n << " at " << i << ", " << j;
          }
      }
}

}  // namespace
}  // namespace onnxrun::cpu
