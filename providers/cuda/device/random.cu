// Random numbers: a thread an element, of Multinomial a thread a sample.
#include "cuda/device/random.h"

#include <cmath>
#include <numbers>

#include "base/philox.h"
#include "cuda/device/launch.h"
#include "cuda/device/number.h"

namespace onnxrun::cuda {
namespace {

__device__ double uniform(Generator generator, int64_t i) {
  const base::PhiloxWords words = base::philox(generator.key, generator.stream, static_cast<uint64_t>(i));
  return static_cast<double>(base::upper_bits(words[0], words[1])) * 0x1p-53;
}

// By Box and Muller's transform.
__device__ double normal(Generator generator, int64_t i) {
  const base::PhiloxWords words = base::philox(generator.key, generator.stream, static_cast<uint64_t>(i));
  const double u = (static_cast<double>(base::upper_bits(words[0], words[1])) + 0.5) * 0x1p-53;
  const double turn = static_cast<double>(base::upper_bits(words[2], words[3])) * 0x1p-53;
  return sqrt(-2.0 * log(u)) * cos(2.0 * std::numbers::pi * turn);
}

// Product and sum are rounded each for itself, as on the CPU.
__global__ void random(Generator generator, bool is_normal, double offset, double factor, DType type, void* y,
                       int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step()) {
    const double value = is_normal ? normal(generator, i) : uniform(generator, i);
    store_number(y, type, i, __dadd_rn(offset, __dmul_rn(factor, value)));
  }
}

__global__ void bernoulli(Generator generator, DType x_type, const void* x, DType y_type, void* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step())
    store_number(y, y_type, i, uniform(generator, i) < load_number<double>(x, x_type, i) ? 1.0 : 0.0);
}

__global__ void multinomial(Generator generator, Draw how, DType x_type, const void* x, DType y_type, void* y) {
  for (int64_t i = first_item(); i < how.rows * how.samples; i += item_step()) {
    const int64_t first = i / how.samples * how.classes;
    double largest = load_number<double>(x, x_type, first), total = 0;
    for (int64_t k = 1; k < how.classes; ++k) {
      const double value = load_number<double>(x, x_type, first + k);
      largest = largest < value ? value : largest;
    }
    const auto weight = [&](int64_t k) { return exp(load_number<double>(x, x_type, first + k) - largest); };
    for (int64_t k = 0; k < how.classes; ++k) total += weight(k);
    double left = __dmul_rn(uniform(generator, i), total);
    int64_t k = 0;
    while (k + 1 < how.classes && (left -= weight(k)) >= 0) ++k;
    store_number(y, y_type, i, static_cast<double>(k));
  }
}

template <class T>
__global__ void drop(const uint8_t* kept, WorkOf<T> factor, const T* x, T* y, int64_t count) {
  for (int64_t i = first_item(); i < count; i += item_step())
    y[i] = narrow<T>(kept[i] != 0 ? widen(x[i]) * factor : WorkOf<T>(0));
}

}  // namespace

bool has_random(DType type) { return has_element(AnyNumber{}, type); }

void launch_random(const Queue& queue, Generator generator, bool is_normal, double offset, double factor, DType type,
                   void* y, int64_t count) {
  if (count > 0)
    launch(queue, random, blocks_for(count), kThreads, generator, is_normal, offset, factor, type, y, count);
}

void launch_bernoulli(const Queue& queue, Generator generator, DType x_type, const void* x, DType y_type, void* y,
                      int64_t count) {
  if (count > 0) launch(queue, bernoulli, blocks_for(count), kThreads, generator, x_type, x, y_type, y, count);
}

void launch_multinomial(const Queue& queue, Generator generator, const Draw& how, DType x_type, const void* x,
                        DType y_type, void* y) {
  const int64_t count = how.rows * how.samples;
  if (count > 0) launch(queue, multinomial, blocks_for(count), kThreads, generator, how, x_type, x, y_type, y);
}

void launch_drop(const Queue& queue, DType type, const uint8_t* kept, double factor, const void* x, void* y,
                 int64_t count) {
  if (count == 0) return;
  with_element(FloatElements{}, type, [&]<class T>(std::type_identity<T>) {
    launch(queue, drop<T>, blocks_for(count), kThreads, kept, static_cast<WorkOf<T>>(factor), static_cast<const T*>(x),
           static_cast<T*>(y), count);
  });
}

}  // namespace onnxrun::cuda
