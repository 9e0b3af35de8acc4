// Tile registers and their instructions, emulated as Intel's Software Developer's Manual defines them.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "base/floats.h"

namespace onnxrun::cpu {

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

}  // namespace onnxrun::cpu
