// NonMaxSuppression: the host waits for the number of boxes, which the output's shape depends on.
#include <algorithm>

#include "base/checked.h"
#include "cuda/device/suppress.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class NonMaxSuppression {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().host_input(2).host_input(3); }

  explicit NonMaxSuppression(const Node& node) {
    const auto scores = provider::dims(node.input(1));
    how_.batches = scores[0], how_.classes = scores[1], how_.boxes = scores[2];
    if (how_.boxes > kMostBoxes) throw provider::Declined{"more boxes than 32 bits count"};
    how_.centred = node.get_int("center_point_box", 0) != 0;
    const int64_t rows = base::checked_mul(how_.batches, how_.classes);
    const int64_t each = base::checked_mul(rows, how_.boxes), word = sizeof(int64_t);
    // A row selects at most all boxes, or as many as the model says.
    int64_t most = node.has_input(2) ? how_.boxes : 0;
    if (node.has_input(2) && node.input(2).data != nullptr)
      most = std::clamp<int64_t>(*static_cast<const int64_t*>(node.input(2).data), 0, how_.boxes);
    selected_ = base::checked_mul(base::checked_add(rows, 1), word);
    gone_ = base::checked_add(selected_, base::checked_mul(base::checked_mul(rows, most), word));
    scratch_ = base::checked_add(gone_, each);
  }
  size_t scratch_bytes() const { return static_cast<size_t>(scratch_); }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    Suppression how = how_;
    how.most = context.has_input(2) ? std::clamp<int64_t>(*context.in<int64_t>(2), 0, how.boxes) : 0;
    how.threshold = context.has_input(3) ? *context.in<float>(3) : 0.0f;
    if (!(how.threshold >= 0 && how.threshold <= 1))
      base::fail(base::Code::kRunFailed, "NonMaxSuppression: iou_threshold must be between 0 and 1, got {}",
                 how.threshold);
    if (context.has_input(4)) how.least = context.in<float>(4);
    how.corners = context.in<float>(0), how.scores = context.in<float>(1);
    auto* scratch = static_cast<char*>(context.scratch());
    how.starts = reinterpret_cast<int64_t*>(scratch);
    how.selected = reinterpret_cast<int64_t*>(scratch + selected_);
    how.gone = reinterpret_cast<uint8_t*>(scratch + gone_);
    launch_suppress(queue_of(stream), how);
    int64_t found = 0;
    stream.download(how.starts + how.batches * how.classes, &found, sizeof(found));
    stream.synchronize();
    const int64_t dims[] = {found, 3};
    const onnxrun_tensor& y = open_output(context, 0, dims);
    if (found > 0) launch_write_selected(queue_of(stream), how, static_cast<int64_t*>(y.data));
  }

 private:
  Suppression how_;
  int64_t selected_ = 0, gone_ = 0, scratch_ = 0;  // bytes
};

}  // namespace

void kernels_onnx_non_max_suppression(provider::KernelTable& table) {
  add<NonMaxSuppression>(table, "", "NonMaxSuppression", "blocks");
}

}  // namespace onnxrun::cuda
