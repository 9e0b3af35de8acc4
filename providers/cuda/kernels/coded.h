// Conversions to and from element types that codes stand for, by tables that the host makes and sends.
#pragma once

#include <cstdint>
#include <vector>

#include "base/floats.h"
#include "cuda/device/coded.h"
#include "cuda/kernel.h"

namespace onnxrun::cuda {

// float8, float8e8m0, float6, float4 and the integers of 2 and 4 bits.
bool is_coded(base::DType type);

// What kernels read, one after the other as the device will have it.
class Tables {
 public:
  // Where these bytes will lie, from the start on.
  size_t append(const void* data, size_t bytes);
  size_t bytes() const { return data_.size(); }
  void send(Stream& stream, void* to) const { stream.send(data_.data(), to, data_.size()); }

 private:
  std::vector<char> data_;
};

// From codes to float32. `tables` is where the tables were sent.
class Decoder {
 public:
  Decoder(base::DType type, Tables& tables);
  void run(const Queue& queue, const char* tables, const void* x, float* y, int64_t count) const;
  // The value of each code.
  const float* values(const char* tables) const { return reinterpret_cast<const float*>(tables + table_); }

 private:
  int bits_;
  size_t table_;
};

// From float32 to the codes of a minifloat, one a byte.
class Encoder {
 public:
  Encoder(base::DType type, base::Saturate saturate, base::RoundMode round, Tables& tables);
  void run(const Queue& queue, const char* tables, const float* x, uint8_t* codes, int64_t count) const;

 private:
  Encoding encoding_;
  size_t lows_, codes_;
};

}  // namespace onnxrun::cuda
