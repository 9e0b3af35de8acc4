// Products on tiles, with the tile instructions emulated as Intel's Software Developer's Manual defines them, against plain sums.
#include "cpu/loops/tile_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/floats.h"
#include "cpu/loops/integer_panels.h"

namespace onnxrun::cpu {
namespace {

using base::Bfloat16;

// Eight registers. Rows that the configuration leaves out are neither read nor written.
class Registers {
 public:
  Registers(int rows, int more_rows) {
    ++configured;
    const int other = more_rows == 0 ? rows : more_rows;
    const int of[8] = {rows, rows, other, other, rows, other, 16, 16};
    for (int t = 0; t < 8; ++t) rows_[t] = of[t];
  }
  ~Registers() { ++released; }

  template <int T>
  void load(const char* from, int64_t stride) {
    for (int r = 0; r < rows_[T]; ++r) std::memcpy(bytes_[T][r], from + r * stride, 64);
  }
  template <int T>
  void store(char* to, int64_t stride) {
    for (int r = 0; r < rows_[T]; ++r) std::memcpy(to + r * stride, bytes_[T][r], 64);
  }
  template <int T>
  void zero() {
    std::memset(bytes_[T], 0, sizeof bytes_[T]);
  }

  inline static int configured = 0, released = 0;

 protected:
  // Else the processor raises an exception.
  template <int Sums, int A, int B>
  void expect_agreement() const {
    EXPECT_EQ(rows_[Sums], rows_[A]);
    EXPECT_EQ(rows_[B], 16);
  }
  template <class T>
  static T at(const char* from, int i) {
    T value;
    std::memcpy(&value, from + i * static_cast<int>(sizeof(T)), sizeof value);
    return value;
  }
  template <class T>
  static void add(char* to, int i, T value) {
    value = static_cast<T>(value + at<T>(to, i));
    std::memcpy(to + i * static_cast<int>(sizeof(T)), &value, sizeof value);
  }

  int rows_[8];
  char bytes_[8][16][64] = {};
};

struct PairRegisters : Registers {
  using Registers::Registers;
  template <int Sums, int A, int B>
  void multiply() {
    expect_agreement<Sums, A, B>();
    for (int m = 0; m < rows_[Sums]; ++m)
      for (int n = 0; n < 16; ++n) {
        float sums[2] = {};
        for (int k = 0; k < rows_[B]; ++k)
          for (int e = 0; e < 2; ++e)
            sums[e] = std::fma(static_cast<float>(at<Bfloat16>(bytes_[A][m], 2 * k + e)),
                               static_cast<float>(at<Bfloat16>(bytes_[B][k], 2 * n + e)), sums[e]);
        add(bytes_[Sums][m], n, sums[0] + sums[1]);
      }
  }
};

struct ByteRegisters : Registers {
  using Registers::Registers;
  template <int Sums, int A, int B>
  void multiply() {
    expect_agreement<Sums, A, B>();
    for (int m = 0; m < rows_[Sums]; ++m)
      for (int n = 0; n < 16; ++n)
        for (int k = 0; k < rows_[B]; ++k)
          for (int e = 0; e < 4; ++e)
            add(bytes_[Sums][m], n, at<uint8_t>(bytes_[A][m], 4 * k + e) * at<int8_t>(bytes_[B][k], 4 * n + e));
  }
};

class Numbers {
 public:
  uint32_t next() { return (state_ = state_ * 1664525u + 1013904223u) >> 8; }

 private:
  uint32_t state_ = 7;
};

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
