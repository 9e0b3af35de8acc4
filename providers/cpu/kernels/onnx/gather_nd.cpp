// GatherND and ScatterND: slices read or written at index tuples.
#include "cpu/cpu.h"
#include "cpu/loops/copy.h"
#include "cpu/loops/index.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scatter_target.h"
#include "cpu/loops/unpacked.h"

namespace onnxrun::cpu {
namespace {

// How index tuples address slices of the data.
struct Tuples {
  explicit Tuples(const Node& node) : dims(provider::dims(node.input(0)).begin(), provider::dims(node.input(0)).end()) {
    const auto indices = provider::dims(node.input(1));
    batch_dims = static_cast<size_t>(node.get_int("batch_dims", 0));
    length = static_cast<size_t>(indices.back());
    count = product(indices, 0, indices.size() - 1);
    const int64_t batches = product(dims, 0, batch_dims);
    per_batch = batches > 0 ? count / batches : 0;
    batch_size = product(dims, batch_dims, dims.size());
    slice = product(dims, batch_dims + length, dims.size());
  }

  // First element of the slice that tuple `i` addresses.
  int64_t offset(const char* op, const int64_t* indices, int64_t i) const {
    int64_t at = 0;
    for (size_t k = 0; k < length; ++k) {
      const size_t axis = batch_dims + k;
      at = at * dims[axis] + position(op, indices[i * static_cast<int64_t>(length) + static_cast<int64_t>(k)],
                                      static_cast<int64_t>(axis), dims[axis]);
    }
    return (batch_dims > 0 ? i / per_batch * batch_size : 0) + at * slice;
  }

  // Tuples and slices without elements may be many more than memory could hold.
  bool nothing_to_do() const { return length == 0 && slice == 0; }

  base::Dims dims;
  size_t batch_dims = 0, length = 0;
  int64_t count = 0, per_batch = 0, batch_size = 0, slice = 0;
};

class GatherNd {
 public:
  static Acceptance accepts(const Node& node) {
    return is_packed(node.input(0).dtype) ? Acceptance::decline("packed elements") : Acceptance();
  }

  explicit GatherNd(const Node& node) : unit_(unit_of(node.input(0).dtype)), tuples_(node) {}

  void run(RunContext& context) const {
    if (tuples_.nothing_to_do()) return;
    const void* data = context.input(0).data;
    void* out = context.output(0).data;
    const auto* indices = context.in<int64_t>(1);
    parallel_polled(context, tuples_.count, Cost(tuples_.slice) * unit_.bytes + 8, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        copy_run(unit_, at(data, unit_, tuples_.offset("GatherND", indices, i)), at(out, unit_, i * tuples_.slice),
                 tuples_.slice);
    });
  }

 private:
  Unit unit_;
  Tuples tuples_;
};

class ScatterNd {
 public:
  static Acceptance accepts(const Node& node) { return ScatterTarget::accepts(node); }

  explicit ScatterNd(const Node& node) : target_(node), tuples_(node) {}

  void run(RunContext& context) const {
    const Unit unit = target_.unit();
    const Combine combine = target_.combine();
    void* out = target_.copy(context);
    const void* updates = context.input(2).data;
    if (tuples_.nothing_to_do()) return;
    const auto* indices = context.in<int64_t>(1);
    int64_t unpolled = 0;
    for (int64_t i = 0; i < tuples_.count; ++i) {  // in order: updates of one slice follow each other
      char* to = at(out, unit, tuples_.offset("ScatterND", indices, i));
      const char* from = at(updates, unit, i * tuples_.slice);
      if (combine != nullptr) combine(to, from, tuples_.slice);
      else copy_run(unit, from, to, tuples_.slice);
      if ((unpolled += tuples_.slice + 8) > (1 << 20)) {
        context.check_cancelled();
        unpolled = 0;
      }
    }
  }

 private:
  ScatterTarget target_;
  Tuples tuples_;
};

}  // namespace

void kernels_onnx_gather_nd(provider::KernelTable& table) {
  table.add<GatherNd>("", "GatherND", "reference");
  table.add<Unpacked<GatherNd>>("", "GatherND", "unpacked");
  table.add<ScatterNd>("", "ScatterND", "reference");
  table.add<Unpacked<ScatterNd>>("", "ScatterND", "unpacked");
}

}  // namespace onnxrun::cpu
