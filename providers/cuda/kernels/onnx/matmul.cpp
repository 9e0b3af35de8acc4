// MatMul by cuBLASLt: one call where the matrices lie at fixed distances, otherwise one for each.
#include <cstddef>
#include <vector>

#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"

namespace onnxrun::cuda {
namespace {

class MatMul {
 public:
  static Acceptance accepts(const Node& node) {
    return Product::serves(dtype(node.input(0))) ? Acceptance() : no_kernel(node);
  }

  explicit MatMul(const Node& node) : bytes_(static_cast<size_t>(base::dtype_bits(dtype(node.input(0)))) / 8) {
    base::Dims a = dims(node, 0), b = dims(node, 1);
    count_ = provider::count(node.output(0));
    // A vector is a row on the left and a column on the right.
    if (a.size() == 1) a.insert(a.begin(), 1);
    if (b.size() == 1) b.push_back(1);
    ProductShape shape;
    shape.m = a[a.size() - 2], shape.k = a.back(), shape.n = b.back();
    a.resize(a.size() - 2);
    b.resize(b.size() - 2);
    const base::Dims batch = base::broadcast(a, b);
    const int64_t matrices = base::element_count(batch);
    if (count_ == 0 || shape.k == 0) return;
    if (b.empty()) {
      // All rows of all matrices on the left meet the same matrix.
      shape.m *= matrices;
      offsets_ = {{0, 0, 0}};
    } else {
      const int64_t sizes[] = {shape.m * shape.k, shape.k * shape.n, shape.m * shape.n};
      place(batch, base::broadcast_strides(a, batch), base::broadcast_strides(b, batch), sizes, shape);
    }
    products_.emplace_back(dtype(node.input(0)), node.precision(), shape);
  }

  size_t scratch_bytes() const { return products_.empty() ? 0 : Product::kWorkspace; }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    if (products_.empty()) return fill_zero(stream, context.output(0).data, static_cast<size_t>(count_) * bytes_);
    for (const Offsets& at : offsets_) {
      context.check_cancelled();
      products_[0].run(stream, place_of(context.input(0).data, at.a), place_of(context.input(1).data, at.b), nullptr,
                       place_of(context.output(0).data, at.y), context.scratch());
    }
  }

 private:
  struct Offsets {
    int64_t a, b, y;  // in elements
  };
  static base::Dims dims(const Node& node, size_t i) {
    const auto view = provider::dims(node.input(i));
    return {view.begin(), view.end()};
  }
  void* place_of(void* data, int64_t offset) const {
    return static_cast<std::byte*>(data) + offset * static_cast<int64_t>(bytes_);
  }

  // Joins the batch axes at fixed distances into the shape's batch; the other ones give an offset each.
  void place(const base::Dims& batch, const base::Dims& a_steps, const base::Dims& b_steps, const int64_t (&sizes)[3],
             ProductShape& shape) {
    const auto axes = walk<2>(batch, {a_steps, b_steps});
    if (!axes) throw provider::Declined{fmt::format("a batch of more than {} axes", kMaxAxes)};
    int outer = axes->rank;
    if (outer > 0) {
      --outer;
      shape.batch = axes->dims[outer];
      shape.a_step = axes->steps[0][outer] * sizes[0];
      shape.b_step = axes->steps[1][outer] * sizes[1];
      shape.y_step = sizes[2];
    }
    const int64_t calls = axes->count / shape.batch;
    for (int64_t call = 0; call < calls; ++call) {
      Offsets at{0, 0, call * shape.batch * sizes[2]};
      int64_t rest = call;
      for (int d = outer; d-- > 0; rest /= axes->dims[d]) {
        at.a += rest % axes->dims[d] * axes->steps[0][d] * sizes[0];
        at.b += rest % axes->dims[d] * axes->steps[1][d] * sizes[1];
      }
      offsets_.push_back(at);
    }
  }

  size_t bytes_;
  int64_t count_ = 0;
  std::vector<Product> products_;  // one, or none where there is nothing to multiply
  std::vector<Offsets> offsets_;
};

}  // namespace

void kernels_onnx_matmul(provider::KernelTable& table) { add<MatMul>(table, "", "MatMul", "cublaslt"); }

}  // namespace onnxrun::cuda
