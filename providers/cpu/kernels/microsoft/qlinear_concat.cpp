// QLinearConcat: each part copied into its columns of the output, through a table where its scale or zero point is another.
#include "cpu/loops/byte_table.h"
#include "cpu/loops/index.h"
#include "cpu/loops/integer_product.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

class QLinearConcat {
 public:
  static Acceptance accepts(const Node&) { return {}; }
  explicit QLinearConcat(const Node& node) : type_(dtype(node.output(0))) {
    const auto out = provider::dims(node.output(0));
    const auto axis =
        static_cast<size_t>(base::normalize_axis(node.get_int("axis", 1), static_cast<int64_t>(out.size())));
    outer_ = product(out, 0, axis);
    row_ = product(out, axis, out.size());
    for (size_t i = 2; i < node.input_count(); i += 3) {
      const auto in = provider::dims(node.input(i));
      widths_.push_back(product(in, axis, in.size()));
    }
  }

  void run(RunContext& context) const {
    const float scale = *context.in<float>(0);
    const ByteType type = byte_type(context, type_, 1);
    uint8_t* out = context.out<uint8_t>(0);
    for (size_t part = 0; part < widths_.size(); ++part) {
      const int64_t width = widths_[part];
      if (width == 0) continue;
      const size_t input = 2 + 3 * part;
      const uint8_t* from = context.in<uint8_t>(input);
      const float own_scale = *context.in<float>(input + 1);
      const ByteType own_type = byte_type(context, type_, input + 2);
      const bool same = own_scale == scale && own_type.zero == type.zero;
      const ByteTable table = same ? ByteTable{} : rescaling_table(own_scale, own_type, scale, type);
      parallel_polled(context, outer_, Cost(width) * 2, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          if (same) std::copy_n(from + i * width, width, out + i * row_);
          else look_up(table, from + i * width, out + i * row_, width);
        }
      });
      out += width;
    }
  }

 private:
  DType type_;
  int64_t outer_ = 1, row_ = 1;
  std::vector<int64_t> widths_;
};

}  // namespace

void kernels_microsoft_qlinear_concat(provider::KernelTable& table) {
  table.add<QLinearConcat>("com.microsoft", "QLinearConcat", "table");
}

}  // namespace onnxrun::cpu
