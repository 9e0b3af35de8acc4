// Compress: the places where the condition is true are listed, and gathered. The host waits for their number.
#include "cuda/device/indexed.h"
#include "cuda/device/nonzero.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/open_output.h"
#include "cuda/kernels/optional_axis.h"
#include "cuda/kernels/whole_bytes.h"

namespace onnxrun::cuda {
namespace {

class Compress {
 public:
  static Acceptance accepts(const Node& node) { return whole_bytes(node.input(0)); }
  explicit Compress(const Node& node)
      : bytes_(bytes_of(node.input(0))), condition_(provider::count(node.input(1))), along_(node) {
    how_.size = along_.size;
    how_.outer = along_.outer;
    how_.inner = along_.inner;
  }
  // The starts of pieces, the length of the condition, and the places.
  size_t scratch_bytes() const {
    return static_cast<size_t>(base::checked_mul(base::checked_add(condition_, kNonZeroPieces + 2), sizeof(int64_t)));
  }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    auto* starts = static_cast<int64_t*>(context.scratch());
    int64_t *length = starts + kNonZeroPieces + 1, *places = length + 1;
    find_nonzero_count(DType::kBool)(queue_of(stream), condition_, context.input(1).data, starts);
    int64_t found = 0;
    stream.download(starts + kNonZeroPieces, &found, sizeof(found));
    stream.synchronize();
    const onnxrun_tensor& y = open_output(context, 0, along_.with(found));
    stream.send(&condition_, length, sizeof(condition_));
    find_nonzero_write(DType::kBool)(queue_of(stream), condition_, 1, length, found, starts, context.input(1).data,
                                     places);
    Gather how = how_;
    how.picks = found;
    const Indices indices{places, true, stream.expect("Compress: 'condition' is true beyond the elements of the axis")};
    launch_gather(queue_of(stream), how, bytes_, indices, context.input(0).data, y.data);
  }

 private:
  int bytes_;
  int64_t condition_;
  OptionalAxis along_;
  Gather how_;
};

}  // namespace

void kernels_onnx_compress(provider::KernelTable& table) { add<Compress>(table, "", "Compress", "indexed"); }

}  // namespace onnxrun::cuda
