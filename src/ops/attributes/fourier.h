// The sizes of discrete Fourier transforms.
#pragma once

#include <cstdint>

namespace onnxrun::ops::attributes {

// Which transform a DFT is.
struct Fourier {
  bool inverse = false, onesided = false;

  template <class Source>
  static Fourier read(const Source& source) {
    return {source.get_int("inverse", 0) != 0, source.get_int("onesided", 0) != 0};
  }
  // From one half of a complex spectrum to a real signal.
  bool to_real() const { return inverse && onesided; }
};

}  // namespace onnxrun::ops::attributes
