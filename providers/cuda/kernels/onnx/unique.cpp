// Unique: the host waits for the number of different slices, which the outputs' shapes depend on.
#include "cuda/device/unique.h"

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/open_output.h"
#include "cuda/kernels/optional_axis.h"
#include "cuda/kernels/whole_bytes.h"

namespace onnxrun::cuda {
namespace {

class Unique {
 public:
  static Acceptance accepts(const Node& node) {
    return find_unique(dtype(node.input(0))) == nullptr ? no_kernel(node) : Acceptance();
  }
  explicit Unique(const Node& node)
      : launch_(find_unique(dtype(node.input(0)))),
        bytes_(bytes_of(node.input(0))),
        ascending_(node.get_int("sorted", 1) != 0),
        along_(node) {
    how_.outer = along_.outer;
    how_.size = along_.size;
    how_.inner = along_.inner;
    if (how_.size > int64_t{1} << 40) base::fail(base::Code::kLimitExceeded, "Unique of {} slices", how_.size);
  }
  size_t scratch_bytes() const {
    return static_cast<size_t>(padded_slices(how_.size) + 4 * how_.size + 1) * sizeof(int64_t);
  }

  void run(RunContext& context) const {
    Stream& stream = stream_of(context);
    Slices how = how_;
    how.x = context.input(0).data;
    UniqueLists lists;
    lists.groups = static_cast<int64_t*>(context.scratch());
    lists.order = lists.groups + 1, lists.group = lists.order + padded_slices(how.size);
    lists.first = lists.group + how.size, lists.begin = lists.first + how.size, lists.rank = lists.begin + how.size;
    int64_t groups = 0;
    if (how.size > 0) {
      launch_(queue_of(stream), how, lists, ascending_);
      stream.download(lists.groups, &groups, sizeof(groups));
      stream.synchronize();
    }
    const int64_t vector[] = {groups}, all[] = {how.size};
    const auto list = [&](size_t i, std::span<const int64_t> shape) {
      return context.has_output(i) ? static_cast<int64_t*>(open_output(context, i, shape).data) : nullptr;
    };
    UniqueResults results;
    if (context.has_output(0)) results.values = open_output(context, 0, along_.with(groups)).data;
    results.first = list(1, vector), results.inverse = list(2, all), results.counts = list(3, vector);
    launch_unique_results(queue_of(stream), how, lists, groups, bytes_, results);
  }

 private:
  UniqueLaunch launch_;
  int bytes_;
  bool ascending_;
  OptionalAxis along_;
  Slices how_;
};

}  // namespace

void kernels_onnx_unique(provider::KernelTable& table) { add<Unique>(table, "", "Unique", "sort"); }

}  // namespace onnxrun::cuda
