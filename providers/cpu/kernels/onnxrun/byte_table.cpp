// ByteTable by shuffles of the table.
#include "cpu/loops/byte_table.h"

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class Lookup {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(0, 0); }
  explicit Lookup(const Node& node) : count_(provider::count(node.input(0))) {}
  void run(RunContext& context) const {
    const uint8_t *x = context.in<uint8_t>(0), *table = context.in<uint8_t>(1);
    uint8_t* y = context.out<uint8_t>(0);
    parallel_polled(context, count_, 2,
                    [&](int64_t begin, int64_t end) { look_up(table, x + begin, y + begin, end - begin); });
  }

 private:
  int64_t count_;
};

}  // namespace

void kernels_onnxrun_byte_table(provider::KernelTable& table) { table.add<Lookup>("onnxrun", "ByteTable", "shuffles"); }

}  // namespace onnxrun::cpu
