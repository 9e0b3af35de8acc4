// com.microsoft.CDist: sums of squared differences, without the cancellation of expanded squares.
#include <cmath>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class CDist {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit CDist(const Node& node)
      : root_(node.get_string("metric", "sqeuclidean") == "euclidean"),
        rows_(provider::dims(node.input(0))[0]),
        others_(provider::dims(node.input(1))[0]),
        size_(provider::dims(node.input(0))[1]) {}

  void run(RunContext& context) const {
    dispatch(WideFloats(), dtype(context.input(0)), [&]<class T>(std::type_identity<T>) { measure<T>(context); });
  }

 private:
  template <class T>
  void measure(RunContext& context) const {
    parallel_polled(context, rows_ * others_, Cost(size_) * 4, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const T* a = context.in<T>(0) + item / others_ * size_;
        const T* b = context.in<T>(1) + item % others_ * size_;
        double sum = 0;
        for (int64_t e = 0; e < size_; ++e) {
          const double difference = static_cast<double>(a[e]) - static_cast<double>(b[e]);
          sum += difference * difference;
        }
        context.out<T>(0)[item] = static_cast<T>(root_ ? std::sqrt(sum) : sum);
      }
    });
  }

  bool root_;
  int64_t rows_, others_, size_;
};

}  // namespace

void kernels_microsoft_cdist(provider::KernelTable& table) { table.add<CDist>("com.microsoft", "CDist", "direct"); }

}  // namespace onnxrun::cpu
