// LinearAttention, with the state in float32.
#include "cuda/device/linear_attention.h"

#include <cmath>
#include <string>

#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/host_float.h"

namespace onnxrun::cuda {
namespace {

class LinearAttention {
 public:
  static Acceptance accepts(const Node& node) {
    for (size_t i = 0; i < node.input_count(); ++i)
      if (node.has_input(i) && !is_plain_float(dtype(node.input(i)))) return no_kernel(node);
    return {};
  }

  explicit LinearAttention(const Node& node) {
    const auto q = provider::dims(node.input(0)), v = provider::dims(node.input(2));
    how_.batch = q[0], how_.length = q[1];
    how_.query_heads = node.get_int("q_num_heads", 1);
    how_.heads = node.get_int("kv_num_heads", 1);
    how_.keys = q[2] / how_.query_heads;
    how_.values = v[2] / how_.heads;
    const std::string rule = node.get_string("update_rule", "gated_delta");
    gated_ = rule == "gated" || rule == "gated_delta";
    delta_ = rule == "delta" || rule == "gated_delta";
    if (gated_) how_.decay_per_key = provider::dims(node.input(4))[2] != how_.heads;
    if (delta_) how_.beta_heads = provider::dims(node.input(5))[2];
    const float scale = node.get_float("scale", 0);
    how_.scale = scale != 0 ? scale : static_cast<float>(1.0 / std::sqrt(static_cast<double>(how_.keys)));
  }
  size_t scratch_bytes() const {
    const int64_t heads = base::checked_mul(how_.batch, how_.heads);
    return static_cast<size_t>(
        base::checked_mul(base::checked_mul(heads, base::checked_mul(how_.keys, how_.values)), sizeof(float)));
  }

  void run(RunContext& context) const {
    const auto floats = [&](size_t i, bool wanted = true) -> AnyFloats {
      if (!wanted || !context.has_input(i)) return {};
      return {context.input(i).data, dtype(context.input(i))};
    };
    LinearAttending how = how_;
    how.query = floats(0), how.key = floats(1), how.value = floats(2), how.past = floats(3);
    how.decay = floats(4, gated_), how.beta = floats(5, delta_);
    how.state = static_cast<float*>(context.scratch());
    how.y = context.output(0).data, how.y_type = dtype(context.output(0));
    if (context.has_output(1)) how.present = context.output(1).data, how.present_type = dtype(context.output(1));
    launch_linear_attention(queue_of(context), how);
  }

 private:
  LinearAttending how_;
  bool gated_ = false, delta_ = false;
};

}  // namespace

void kernels_onnx_linear_attention(provider::KernelTable& table) {
  add<LinearAttention>(table, "", "LinearAttention", "columns");
}

}  // namespace onnxrun::cuda
