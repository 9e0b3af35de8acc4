// Discrete Fourier transforms: a block a row, which divides it step by step between two places (Stockham's form of the fast transform).
#include "cuda/device/fourier.h"

#include <cmath>
#include <numbers>

#include "cuda/device/block.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

template <class W>
struct Complex {
  W re, im;
};
template <class W>
__device__ Complex<W> times(Complex<W> a, Complex<W> b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

// e^(-2 pi i k / n) for 0 <= k < n, by an angle within an eighth of a turn of the nearest quarter.
template <class W>
__device__ Complex<W> root_of(int64_t k, int64_t n) {
  const int64_t quarters = (8 * k + n) / (2 * n), off = 4 * k - n * quarters;
  const double angle = -std::numbers::pi * static_cast<double>(off) / static_cast<double>(2 * n);
  const W c = static_cast<W>(cos(angle)), s = static_cast<W>(sin(angle));
  switch (quarters % 4) {
    case 0: return {c, s};
    case 1: return {s, -c};
    case 2: return {-c, -s};
    default: return {-s, c};
  }
}

template <class W>
__global__ void find_roots(Complex<W>* roots, int64_t padded) {
  for (int64_t k = first_item(); k < padded; k += item_step()) roots[k] = root_of<W>(k, padded);
}

// chirp[j] = e^(-+ pi i j^2 / length), and the conjugates, at j and padded - j, that a row is convolved with.
template <class W>
__global__ void find_chirp(Complex<W>* chirp, Complex<W>* conjugates, FourierRows how) {
  for (int64_t j = first_item(); j < how.padded; j += item_step()) {
    const int64_t distance = j < how.length ? j : how.padded - j;
    Complex<W> value{0, 0};
    if (distance < how.length) {
      const auto square = static_cast<uint64_t>(distance) * static_cast<uint64_t>(distance);
      value = root_of<W>(static_cast<int64_t>(square % static_cast<uint64_t>(2 * how.length)), 2 * how.length);
      if (how.inverse) value.im = -value.im;
    }
    if (j < how.length) chirp[j] = value;
    conjugates[j] = {value.re, -value.im};
  }
}

__device__ int64_t place_of(const RowPlaces& places, int64_t row, int64_t k) {
  return (row / places.per * places.outer + row % places.per * places.inner + k * places.step) * places.parts;
}

template <class W>
__global__ void read_rows(const void* x, Complex<W>* rows, const Complex<W>* chirp, FourierRows how) {
  for (int64_t i = first_item(); i < how.rows * how.padded; i += item_step()) {
    const int64_t k = i % how.padded;
    const bool mirrored = how.halved && k > how.length / 2;
    const int64_t element = mirrored ? how.length - k : k;
    Complex<W> value{0, 0};
    if (k < how.length && element < how.given) {
      const int64_t at = place_of(how.from, i / how.padded, element);
      value.re = load_number<W>(x, how.type, at);
      const bool real = how.from.parts == 1 || (how.halved && 2 * element % how.length == 0);
      if (!real) value.im = load_number<W>(x, how.type, at + 1);
      if (mirrored) value.im = -value.im;
      if (how.window != nullptr) {
        const W factor = load_number<W>(how.window, how.type, k);
        value = {value.re * factor, value.im * factor};
      }
      if (chirp != nullptr) value = times(value, chirp[k]);
    }
    rows[i] = value;
  }
}

// By what a length is divided, one step each: fours, a two before them, then odd primes.
constexpr int kLargestPrime = 31;
struct Factors {
  int count = 0;
  int all[64];
};

// One butterfly: elements `apart` apart, of which pairs of an odd factor share their products, to results `stride` apart, each turned by its root.
template <class W>
struct Butterfly {
  const Complex<W>* from;
  Complex<W>* to;
  const Complex<W>* roots;
  int64_t length, apart, stride, turn;
  bool inverse;

  __device__ Complex<W> root(int64_t k) const {
    Complex<W> result = roots[k];
    if (inverse) result.im = -result.im;
    return result;
  }
  __device__ Complex<W> in(int64_t k) const { return from[k * apart]; }
  __device__ void out(int64_t k, Complex<W> value) const {
    to[k * stride] = k == 0 || turn == 0 ? value : times(value, root(turn * k));
  }

  __device__ void two() const {
    out(0, sum(in(0), in(1)));
    out(1, difference(in(0), in(1)));
  }
  __device__ void four() const {
    const Complex<W> sum02 = sum(in(0), in(2)), dif02 = difference(in(0), in(2));
    const Complex<W> sum13 = sum(in(1), in(3)), dif13 = difference(in(1), in(3));
    const Complex<W> aside = inverse ? Complex<W>{-dif13.im, dif13.re} : Complex<W>{dif13.im, -dif13.re};
    out(0, sum(sum02, sum13));
    out(1, sum(dif02, aside));
    out(2, difference(sum02, sum13));
    out(3, difference(dif02, aside));
  }
  __device__ void odd(int factor) const {
    constexpr int kMost = (kLargestPrime - 1) / 2;
    const int half = (factor - 1) / 2;
    Complex<W> sums[kMost], differences[kMost];
    const Complex<W> first = in(0);
    Complex<W> total = first;
    for (int j = 0; j < half; ++j) {
      sums[j] = sum(in(j + 1), in(factor - 1 - j));
      differences[j] = difference(in(j + 1), in(factor - 1 - j));
      total = sum(total, sums[j]);
    }
    out(0, total);
    for (int k = 1; k <= half; ++k) {
      Complex<W> even = first, aside{0, 0};
      for (int j = 1; j <= half; ++j) {
        const Complex<W> w = root(j * k % factor * (length / factor));
        even.re += w.re * sums[j - 1].re, even.im += w.re * sums[j - 1].im;
        aside.re += w.im * differences[j - 1].re, aside.im += w.im * differences[j - 1].im;
      }
      out(k, {even.re - aside.im, even.im + aside.re});
      out(factor - k, {even.re + aside.im, even.im - aside.re});
    }
  }

 private:
  __device__ static Complex<W> sum(Complex<W> a, Complex<W> b) { return {a.re + b.re, a.im + b.im}; }
  __device__ static Complex<W> difference(Complex<W> a, Complex<W> b) { return {a.re - b.re, a.im - b.im}; }
};

// The transform of each row, not divided; the result is in `a` where the number of steps is even, else in `b`.
template <class W>
__global__ void transform(Complex<W>* a, Complex<W>* b, const Complex<W>* roots, int64_t rows, int64_t padded,
                          Factors factors, bool inverse) {
  for (int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    Complex<W>*from = a + row * padded, *to = b + row * padded;
    int64_t stride = 1;
    for (int step = 0; step < factors.count; ++step) {
      const int factor = factors.all[step];
      const int64_t apart = padded / factor;
      for (int64_t i = threadIdx.x; i < apart; i += blockDim.x) {
        const int64_t at = i % stride, turn = i - at;
        const Butterfly<W> butterfly{from + i, to + at + factor * turn, roots, padded, apart, stride, turn, inverse};
        if (factor == 2) butterfly.two();
        else if (factor == 4) butterfly.four();
        else butterfly.odd(factor);
      }
      __syncthreads();
      stride *= factor;
      Complex<W>* const swapped = from;
      from = to, to = swapped;
    }
  }
}

template <class W>
__global__ void multiply(Complex<W>* rows, const Complex<W>* factors, int64_t count, int64_t padded) {
  for (int64_t i = first_item(); i < count; i += item_step()) rows[i] = times(rows[i], factors[i % padded]);
}

template <class W>
__global__ void write_rows(const Complex<W>* rows, const Complex<W>* chirp, void* y, FourierRows how) {
  for (int64_t i = first_item(); i < how.rows * how.kept; i += item_step()) {
    const int64_t k = i % how.kept, row = i / how.kept;
    // Of a real row one half is the conjugate of the other, and what is its own conjugate is real.
    const bool real = how.from.parts == 1, mirrored = real && 2 * k > how.length;
    const int64_t element = mirrored ? how.length - k : k;
    Complex<W> value = rows[row * how.padded + element];
    if (chirp != nullptr) {
      value = times(value, chirp[element]);
      value = {value.re / static_cast<W>(how.padded), value.im / static_cast<W>(how.padded)};
    }
    if (how.inverse) value = {value.re / static_cast<W>(how.length), value.im / static_cast<W>(how.length)};
    if (real && 2 * k % how.length == 0) value.im = 0;
    const int64_t at = place_of(how.to, row, k);
    store_number(y, how.type, at, value.re);
    if (how.to.parts == 2) store_number(y, how.type, at + 1, mirrored ? -value.im : value.im);
  }
}

Factors factors_of(int64_t length) {
  Factors factors;
  int fours = 0;
  for (; length % 4 == 0; length /= 4) ++fours;
  if (length % 2 == 0) factors.all[factors.count++] = 2, length /= 2;
  for (; fours > 0; --fours) factors.all[factors.count++] = 4;
  for (int p = 3; p <= kLargestPrime; p += 2)
    for (; length % p == 0; length /= p) factors.all[factors.count++] = p;
  return factors;
}

template <class W>
void launch_of(const Queue& queue, const FourierRows& how, const void* x, void* y, void* scratch) {
  const int64_t count = how.rows * how.padded;
  auto* a = static_cast<Complex<W>*>(scratch);
  Complex<W>*b = a + count, *roots = b + count, *chirp = roots + how.padded, *factors = chirp + how.padded;
  const bool by_chirp = how.padded != how.length;
  const Factors factors_of_row = factors_of(how.padded);
  launch(queue, find_roots<W>, blocks_for(how.padded), kThreads, roots, how.padded);
  const auto transformed = [&](Complex<W>* from, Complex<W>* to, int64_t rows, bool inverse) {
    launch(queue, transform<W>, blocks_for_rows(rows), threads_for_row(how.padded / 2), from, to, roots, rows,
           how.padded, factors_of_row, inverse);
    return factors_of_row.count % 2 != 0 ? to : from;
  };
  if (by_chirp) {
    // The factors take two places, of which the second one serves the transform.
    launch(queue, find_chirp<W>, blocks_for(how.padded), kThreads, chirp, factors, how);
    factors = transformed(factors, factors + how.padded, 1, false);
  }
  launch(queue, read_rows<W>, blocks_for(count), kThreads, x, a, by_chirp ? chirp : nullptr, how);
  Complex<W>* result = transformed(a, b, how.rows, how.inverse && !by_chirp);
  if (by_chirp) {
    launch(queue, multiply<W>, blocks_for(count), kThreads, result, factors, count, how.padded);
    result = transformed(result, result == a ? b : a, how.rows, true);
  }
  launch(queue, write_rows<W>, blocks_for(how.rows * how.kept), kThreads, result, by_chirp ? chirp : nullptr, y, how);
}

}  // namespace

int64_t padded_length(int64_t length) {
  int64_t left = length;
  for (int p = 2; p <= kLargestPrime; ++p)
    while (left % p == 0) left /= p;
  if (left == 1) return length;
  int64_t padded = 1;
  while (padded < 2 * length - 1) padded *= 2;
  return padded;
}

int64_t fourier_bytes(int64_t rows, int64_t padded, bool wide) {
  // Two places for each row, roots, chirp, and two places for the factors.
  return (2 * rows + 4) * padded * static_cast<int64_t>(wide ? sizeof(Complex<double>) : sizeof(Complex<float>));
}

void launch_fourier(const Queue& queue, const FourierRows& how, const void* x, void* y, void* scratch) {
  if (how.rows == 0 || how.kept == 0) return;
  if (how.wide) launch_of<double>(queue, how, x, y, scratch);
  else launch_of<float>(queue, how, x, y, scratch);
}

}  // namespace onnxrun::cuda
