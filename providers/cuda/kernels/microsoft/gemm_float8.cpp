// com.microsoft.GemmFloat8 of two matrices of float8: cuBLASLt's product of them, in the result's type where that is all, or in float32 with a kernel of
// ours behind it; where it has none, its product of float16, which holds both types.
#include "ops/attributes/gemm_float8.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <vector>

#include "base/checked.h"
#include "cuda/device/float8.h"
#include "cuda/host/product.h"
#include "cuda/kernels/elementwise.h"
#include "cuda/kernels/fill.h"
#include "cuda/kernels/ints.h"
#include "cuda/scratch_layout.h"

namespace onnxrun::cuda {
namespace {

using Activation = ops::attributes::GemmFloat8::Activation;

constexpr size_t kC = 2, kScaleA = 3, kScaleB = 4, kScaleY = 5;
// Rows are taken in chunks of so many bytes of sums, where these do not lie in the result.
constexpr int64_t kSumsBytes = int64_t{16} << 20;

int64_t whole(int64_t size) { return base::checked_add(size, 15) / 16 * 16; }

const float* scale_of(RunContext& context, size_t i) { return context.has_input(i) ? context.in<float>(i) : nullptr; }

class GemmFloat8 {
 public:
  static Acceptance accepts(const Node& node) {
    if (is_float8(dtype(node.input(0))) && is_float8(dtype(node.input(1)))) return {};
    return Acceptance::decline("an operand that is not float8");
  }

  explicit GemmFloat8(const Node& node)
      : how_(ops::attributes::read_gemm_float8(node)),
        a_type_(dtype(node.input(0))),
        b_type_(dtype(node.input(1))),
        y_type_(dtype(node.output(0))) {
    const auto out = provider::dims(node.output(0)), b = provider::dims(node.input(1));
    n_ = out.back();
    m_ = how_.a_transposed ? out[0] : product(out, 0, out.size() - 1);
    k_ = b[how_.b_transposed ? 1 : 0];
    if (m_ == 0 || n_ == 0) return;
    a_lines_ = {m_, k_, m_, whole(k_), how_.a_transposed};
    b_lines_ = {n_, k_, whole(n_), whole(k_), !how_.b_transposed};
    read_ends(node);
    sums_row_ = b_lines_.padded_lines;
    in_place_ = y_type_ == DType::kFloat32 && sums_row_ == n_;
    const int64_t fit = kSumsBytes / base::checked_mul(sums_row_, int64_t{sizeof(float)}) / 64 * 64;
    chunk_ = in_place_ ? m_ : std::min(m_, std::max<int64_t>(64, fit));
    if (k_ > 0) make_products(node);
    a_at_ = layout_.reserve(std::max(bytes_of(a_lines_), base::checked_mul(m_, 2 * k_)), 1);
    b_at_ = layout_.reserve(std::max(bytes_of(b_lines_), base::checked_mul(n_, 2 * k_)), 1);
    if (!in_place_) sums_at_ = layout_.reserve(base::checked_mul(chunk_, sums_row_), sizeof(float));
  }
  size_t scratch_bytes() const { return layout_.bytes(); }

  void run(RunContext& context) const {
    if (m_ == 0 || n_ == 0) return;
    Stream& stream = stream_of(context);
    const Queue queue = queue_of(stream);
    auto* scratch = static_cast<char*>(context.scratch());
    const void *a = context.input(0).data, *b = context.input(1).data;
    bool narrow = !narrow_.empty() && !refused_.load(std::memory_order_relaxed);
    const char *a_rows = static_cast<const char*>(a), *b_rows = static_cast<const char*>(b);
    if (narrow) {
      if (!a_lines_.in_place()) launch_float8_lines(queue, a_lines_, a, scratch + a_at_), a_rows = scratch + a_at_;
      if (!b_lines_.in_place()) launch_float8_lines(queue, b_lines_, b, scratch + b_at_), b_rows = scratch + b_at_;
      const OperandScales scales{scale_of(context, kScaleA), scale_of(context, kScaleB)};
      const void* bias = direct_bias_ ? context.input(kC).data : nullptr;
      if (direct_ && direct_->try_run(stream, a_rows, b_rows, bias, context.output(0).data, scratch, scales)) return;
    }
    Float8End end = end_;
    end.a_scale = scale_of(context, kScaleA), end.b_scale = scale_of(context, kScaleB);
    end.y_scale = scale_of(context, kScaleY);
    end.c = adds_ ? context.input(kC).data : nullptr;
    bool wide = false;  // whether the operands lie in the scratch memory as float16
    for (int64_t first = 0; first < m_; first += chunk_) {
      context.check_cancelled();
      end.first = first, end.rows = std::min(chunk_, m_ - first);
      auto* sums = in_place_ ? context.out<float>(0) : reinterpret_cast<float*>(scratch + sums_at_);
      const size_t which = end.rows == chunk_ ? 0 : 1;
      if (k_ == 0) fill_zero(stream, sums, static_cast<size_t>(end.rows * sums_row_) * sizeof(float));
      if (narrow)
        narrow = narrow_[which].try_run(stream, a_rows + first * a_lines_.padded_depth, b_rows, nullptr, sums, scratch);
      if (!narrow && k_ > 0) {
        refused_.store(!narrow_.empty(), std::memory_order_relaxed);
        if (!wide) {
          // float16 has every value of both types.
          find_float8_cast(a_type_, DType::kFloat16, false)(queue, a, scratch + a_at_, m_ * k_);
          find_float8_cast(b_type_, DType::kFloat16, false)(queue, b, scratch + b_at_, n_ * k_);
          wide = true;
        }
        const int64_t from = 2 * first * (how_.a_transposed ? 1 : k_);
        wide_[which].run(stream, scratch + a_at_ + from, scratch + b_at_, nullptr, sums, scratch);
      }
      launch_float8_end(queue, end, sums, y_type_, context.output(0).data);
    }
  }

 private:
  static int64_t bytes_of(const Float8Lines& lines) {
    return lines.in_place() ? 0 : base::checked_mul(lines.padded_lines, lines.padded_depth);
  }

  void read_ends(const Node& node) {
    end_.columns = n_, end_.sums_row = b_lines_.padded_lines, end_.beta = how_.beta;
    end_.b_step = node.has_input(kScaleB) && provider::count(node.input(kScaleB)) != 1 ? 1 : 0;
    if (how_.activation == Activation::kRelu) end_.activation = Float8Activation::kRelu;
    if (how_.activation == Activation::kGelu) end_.activation = Float8Activation::kGelu;
    adds_ = node.has_input(kC) && how_.beta != 0;
    if (!adds_) return;
    const auto out = provider::dims(node.output(0));
    end_.c_type = dtype(node.input(kC));
    const auto axes = walk<1>(out, {base::broadcast_strides(provider::dims(node.input(kC)), out)});
    if (!axes) throw provider::Declined{fmt::format("a broadcast over more than {} axes", kMaxAxes)};
    end_.c_walk = *axes;
  }

  void make_products(const Node& node) {
    // cuBLASLt multiplies no two of float8e5m2.
    const bool multiplies = a_type_ == DType::kFloat8E4M3FN || b_type_ == DType::kFloat8E4M3FN;
    ProductShape narrow;
    narrow.n = sums_row_, narrow.k = a_lines_.padded_depth;
    narrow.b_transposed = true, narrow.b_type = b_type_;
    narrow.alpha = static_cast<double>(how_.alpha);
    narrow.y_type = DType::kFloat32;
    ProductShape wide = narrow;
    wide.n = n_, wide.k = k_, wide.b_type = DType::kNone;
    wide.a_transposed = how_.a_transposed, wide.b_transposed = how_.b_transposed;
    wide.a_row = how_.a_transposed ? m_ : 0, wide.y_row = sums_row_;
    for (const int64_t rows : {chunk_, m_ % chunk_}) {
      if (rows == 0) continue;
      narrow.m = wide.m = rows;
      if (multiplies) narrow_.emplace_back(a_type_, node.precision(), narrow);
      wide_.emplace_back(DType::kFloat16, node.precision(), wide);
    }
    const bool row = adds_ && provider::count(node.input(kC)) == n_ && provider::dims(node.input(kC)).back() == n_;
    const bool bias = row && how_.beta == 1 && end_.c_type == y_type_ && y_type_ != DType::kFloat32;
    if (!multiplies || is_float8(y_type_) || sums_row_ != n_ || end_.b_step != 0 || node.has_input(kScaleY) ||
        adds_ != bias || how_.activation == Activation::kGelu)
      return;
    direct_bias_ = bias;
    narrow.m = m_, narrow.y_type = y_type_, narrow.scaled = true;
    narrow.bias = direct_bias_, narrow.relu = how_.activation == Activation::kRelu;
    direct_.emplace(a_type_, node.precision(), narrow);
  }

  ops::attributes::GemmFloat8 how_;
  DType a_type_, b_type_, y_type_;
  int64_t m_ = 0, n_ = 0, k_ = 0, sums_row_ = 0, chunk_ = 1;
  bool in_place_ = false;  // sums are written to the result
  bool adds_ = false, direct_bias_ = false;
  Float8Lines a_lines_, b_lines_;
  Float8End end_;
  std::optional<Product> direct_;       // that gives the result as it is
  std::vector<Product> narrow_, wide_;  // sums of a chunk of rows, and of what is left: of float8, and of float16
  mutable std::atomic<bool> refused_ = false;
  ScratchLayout layout_{Product::kWorkspace};
  size_t a_at_ = 0, b_at_ = 0, sums_at_ = 0;
};

}  // namespace

void kernels_microsoft_gemm_float8(provider::KernelTable& table) {
  add<GemmFloat8>(table, "com.microsoft", "GemmFloat8", "cublaslt");
}

}  // namespace onnxrun::cuda
