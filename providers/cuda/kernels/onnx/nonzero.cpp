// NonZero: the host waits for the number of elements, which the output's shape depends on.
#include "cuda/device/nonzero.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class NonZero {
 public:
  static Acceptance accepts(const Node& node) {
    return find_nonzero_count(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit NonZero(const Node& node)
      : type_(dtype(node.input(0))),
        dims_(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()),
        count_(provider::count(node.input(0))) {}

  size_t scratch_bytes() const { return (kNonZeroPieces + 1 + dims_.size()) * sizeof(int64_t); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    auto* starts = static_cast<int64_t*>(context.scratch());
    int64_t* dims = starts + kNonZeroPieces + 1;
    find_nonzero_count(type_)(queue_of(stream), count_, context.input(0).data, starts);
    int64_t found = 0;
    stream.download(starts + kNonZeroPieces, &found, sizeof(found));
    stream.synchronize();
    const int64_t shape[] = {static_cast<int64_t>(dims_.size()), found};
    const onnxrun_tensor& y = open_output(context, 0, shape);
    stream.send(dims_.data(), dims, dims_.size() * sizeof(int64_t));
    find_nonzero_write(type_)(queue_of(stream), count_, static_cast<int>(dims_.size()), dims, found, starts,
                              context.input(0).data, static_cast<int64_t*>(y.data));
  }

 private:
  DType type_;
  base::Dims dims_;
  int64_t count_;
};

}  // namespace

void kernels_onnx_nonzero(provider::KernelTable& table) { add<NonZero>(table, "", "NonZero", "pieces"); }

}  // namespace onnxrun::cuda
