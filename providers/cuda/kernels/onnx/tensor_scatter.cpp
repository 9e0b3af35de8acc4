// TensorScatter: nothing but the rows moves where cache and output share memory.
#include <algorithm>

#include "cuda/device/rearrange.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/whole_bytes.h"

namespace onnxrun::cuda {
namespace {

class TensorScatter {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)).alias(0, 0); }
  explicit TensorScatter(const Node& node)
      : bytes_(bytes_of(node.input(0))),
        size_(base::dtype_bytes(dtype(node.input(0)), provider::count(node.input(0)))) {
    const auto cache = provider::dims(node.input(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", -2), static_cast<int64_t>(cache.size())));
    how_.outer = product(cache, 0, axis);
    how_.per_batch = std::max<int64_t>(1, product(cache, 1, axis));
    how_.room = cache[axis];
    how_.rows = provider::dims(node.input(1))[axis];
    how_.inner = product(cache, axis + 1, cache.size());
    how_.circular = node.get_string("mode", "linear") == "circular";
  }
  void run(RunContext& context) const {
    RowsInto how = how_;
    void* y = context.output(0).data;
    if (context.input(0).data != y) stream_of(context).move(context.input(0).data, y, size_);
    if (context.has_input(2)) how.starts = context.in<int64_t>(2);
    how.report = stream_of(context).expect("TensorScatter: rows written at a value of 'write_indices' do not fit");
    launch_rows_into(queue_of(context), how, bytes_, context.input(1).data, y);
  }

 private:
  int bytes_;
  size_t size_;
  RowsInto how_;
};

}  // namespace

void kernels_onnx_tensor_scatter(provider::KernelTable& table) {
  add<TensorScatter>(table, "", "TensorScatter", "places");
}

}  // namespace onnxrun::cuda
