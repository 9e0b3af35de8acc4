// HannWindow, HammingWindow and BlackmanWindow.
#include "cuda/device/window.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/ints.h"
#include "cuda/kernels/open_output.h"

namespace onnxrun::cuda {
namespace {

class Window {
 public:
  static Acceptance accepts(const Node& node) {
    if (!has_window(dtype(node.output(0)))) return Acceptance::decline("no window of this type");
    return Acceptance().host_input(0);
  }
  explicit Window(const Node& node) : periodic_(node.get_int("periodic", 1) != 0) {
    if (node.op() == "HannWindow") how_.level = how_.first = 0.5;
    else if (node.op() == "HammingWindow") how_.level = 25.0 / 46.0, how_.first = 21.0 / 46.0;
    else how_.level = 0.42, how_.first = 0.5, how_.second = 0.08;
  }
  void run(RunContext& context) const {
    CosineWindow how = how_;
    const int64_t dims[] = {ints_of(context.input(0))[0]};
    const onnxrun_tensor& y = open_output(context, 0, dims);
    how.size = provider::count(y);
    how.period = static_cast<double>(periodic_ ? how.size : how.size - 1);
    launch_window(queue_of(context), how, dtype(y), y.data);
  }

 private:
  bool periodic_;
  CosineWindow how_;
};

}  // namespace

void kernels_onnx_window(provider::KernelTable& table) {
  for (const char* op : {"HannWindow", "HammingWindow", "BlackmanWindow"}) add<Window>(table, "", op, "map");
}

}  // namespace onnxrun::cuda
