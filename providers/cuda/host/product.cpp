// Matrix products by cuBLASLt.
#include "cuda/host/product.h"

#include <onnxrun/provider.h>

#include <atomic>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <optional>

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

using base::DType;

namespace {

cudaDataType_t data_type(DType type) {
  switch (type) {
    case DType::kFloat64: return CUDA_R_64F;
    case DType::kFloat16: return CUDA_R_16F;
    case DType::kBfloat16: return CUDA_R_16BF;
    case DType::kInt8: return CUDA_R_8I;
    case DType::kInt32: return CUDA_R_32I;
    case DType::kFloat8E4M3FN: return CUDA_R_8F_E4M3;
    case DType::kFloat8E5M2: return CUDA_R_8F_E5M2;
    default: return CUDA_R_32F;
  }
}

// A layout of cuBLASLt, column-major; `distance` from a column to the next, 0 where they follow each other.
class Layout {
 public:
  Layout(cudaDataType_t type, int64_t rows, int64_t columns, int64_t distance, int64_t batch, int64_t step) {
    const CublasLt& lt = cublas_lt();
    check(lt.layout_create(&layout_, type, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns),
                           distance == 0 ? rows : distance),
          "describing a matrix");
    const auto count = static_cast<int32_t>(batch);
    check(lt.layout_set(layout_, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)), "describing a matrix");
    check(lt.layout_set(layout_, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &step, sizeof(step)),
          "describing a matrix");
  }
  ~Layout() {
    if (layout_ != nullptr) cublas_lt().layout_destroy(layout_);
  }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  cublasLtMatrixLayout_t get() const { return layout_; }

 private:
  cublasLtMatrixLayout_t layout_ = nullptr;
};

// What is asked for; the places of the bias and of scales are a part of it.
struct Request {
  cublasLtMatmulDesc_t matmul = nullptr;

  Request(DType type, int precision, const ProductShape& shape, const void* bias, const OperandScales& scales) {
    const CublasLt& lt = cublas_lt();
    cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
    cudaDataType_t scale = CUDA_R_32F;
    if (type == DType::kFloat64) compute = CUBLAS_COMPUTE_64F, scale = CUDA_R_64F;
    if (type == DType::kInt8) compute = CUBLAS_COMPUTE_32I, scale = CUDA_R_32I;
    if (type == DType::kFloat32 && precision == ONNXRUN_PRECISION_MEDIUM) compute = CUBLAS_COMPUTE_32F_FAST_TF32;
    check(lt.matmul_create(&matmul, compute, scale), "describing a product");
    // A row-major product is the column-major one of the transposes, in the other order.
    set(CUBLASLT_MATMUL_DESC_TRANSA, static_cast<int32_t>(shape.b_transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(CUBLASLT_MATMUL_DESC_TRANSB, static_cast<int32_t>(shape.a_transposed ? CUBLAS_OP_T : CUBLAS_OP_N));
    const auto epilogue = shape.bias ? (shape.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS)
                                     : (shape.relu ? CUBLASLT_EPILOGUE_RELU : CUBLASLT_EPILOGUE_DEFAULT);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(epilogue));
    if (shape.bias) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    if (scales.b != nullptr) set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, static_cast<const void*>(scales.b));
    if (scales.a != nullptr) set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, static_cast<const void*>(scales.a));
  }
  ~Request() {
    if (matmul != nullptr) cublas_lt().matmul_destroy(matmul);
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, T value) {
    check(cublas_lt().matmul_set(matmul, attribute, &value, sizeof(value)), "describing a product");
  }
};

constexpr int kAlignments = 7;

// The power of two that all addresses are multiples of, up to the 64 bytes that memory of ours begins at.
int alignment_of(std::initializer_list<const void*> addresses) {
  uintptr_t bits = 1u << (kAlignments - 1);
  for (const void* address : addresses) bits |= reinterpret_cast<uintptr_t>(address);
  return std::countr_zero(bits);
}

}  // namespace

bool is_float8(DType type) { return type == DType::kFloat8E4M3FN || type == DType::kFloat8E5M2; }

struct Product::State {
  DType type;
  int precision;
  ProductShape shape;
  Layout a, b, y;
  std::optional<Request> plain;  // of a product without a bias and scales
  struct Choice {
    std::atomic<bool> made = false;
    std::optional<cublasLtMatmulAlgo_t> algorithm;  // none where cuBLASLt has none
  };
  mutable std::mutex mutex;
  mutable Choice choices[kAlignments];  // by alignment_of the addresses

  State(DType t, int p, const ProductShape& s)
      : type(t),
        precision(p),
        shape(s),
        a(data_type(t), s.a_transposed ? s.m : s.k, s.a_transposed ? s.k : s.m, s.a_row, s.batch, s.a_step),
        b(data_type(s.b_type == DType::kNone ? t : s.b_type), s.b_transposed ? s.k : s.n, s.b_transposed ? s.n : s.k,
          s.b_row, s.batch, s.b_step),
        y(data_type(s.y_type == DType::kNone ? t : s.y_type), s.n, s.m, s.y_row, s.batch, s.y_step) {
    if (!shape.bias && !shape.scaled) plain.emplace(type, precision, shape, nullptr, OperandScales{});
  }

  const std::optional<cublasLtMatmulAlgo_t>& choose(Stream& stream, const Request& request, int place) const {
    Choice& choice = choices[place];
    if (choice.made.load(std::memory_order_acquire)) return choice.algorithm;
    const std::lock_guard lock(mutex);
    if (choice.made) return choice.algorithm;
    const uint32_t alignment = 1u << place;
    const CublasLt& lt = cublas_lt();
    cublasLtMatmulPreference_t preference = nullptr;
    check(lt.preference_create(&preference), "choosing a product's algorithm");
    const uint64_t workspace = kWorkspace;
    lt.preference_set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace, sizeof(workspace));
    // Without these it takes addresses for multiples of 256.
    for (const auto which : {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
                             CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
      lt.preference_set(preference, which, &alignment, sizeof(alignment));
    cublasLtMatmulHeuristicResult_t result{};
    int found = 0;
    const cublasStatus_t status = lt.heuristic(stream.device().products(), request.matmul, b.get(), a.get(), y.get(),
                                               y.get(), preference, 1, &result, &found);
    lt.preference_destroy(preference);
    // Of float8, devices and sizes that it is not for are told in more than one way.
    const bool declined = status == CUBLAS_STATUS_INVALID_VALUE || status == CUBLAS_STATUS_ARCH_MISMATCH;
    if (status == CUBLAS_STATUS_NOT_SUPPORTED || (declined && is_float8(type))) found = 0;
    else check(status, "choosing a product's algorithm");
    if (found != 0) choice.algorithm = result.algo;
    choice.made.store(true, std::memory_order_release);
    return choice.algorithm;
  }
};

bool Product::serves(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat64 || type == DType::kFloat16 || type == DType::kBfloat16;
}

Product::Product(DType type, int precision, const ProductShape& shape)
    : state_(std::make_unique<State>(type, precision, shape)) {}
Product::~Product() = default;
Product::Product(Product&&) noexcept = default;

void Product::run(Stream& stream, const void* a, const void* b, const void* bias, void* y, void* workspace) const {
  const ProductShape& shape = state_->shape;
  if (!try_run(stream, a, b, bias, y, workspace))
    base::fail(base::Code::kRunFailed, "cuda: cuBLASLt has no algorithm for a product of {} x {} x {}", shape.m,
               shape.k, shape.n);
}

bool Product::try_run(Stream& stream, const void* a, const void* b, const void* bias, void* y, void* workspace,
                      const OperandScales& scales) const {
  const State& s = *state_;
  std::optional<Request> placed;
  const Request& request = s.plain ? *s.plain : placed.emplace(s.type, s.precision, s.shape, bias, scales);
  const auto& algorithm = s.choose(stream, request, alignment_of({a, b, y, bias}));
  if (!algorithm) return false;
  // Factors in the type that cuBLASLt reads them in.
  const float alpha32 = static_cast<float>(s.shape.alpha), beta32 = static_cast<float>(s.shape.beta);
  const auto alpha_whole = static_cast<int32_t>(s.shape.alpha), beta_whole = static_cast<int32_t>(s.shape.beta);
  const void *alpha = &alpha32, *beta = &beta32;
  if (s.type == DType::kFloat64) alpha = &s.shape.alpha, beta = &s.shape.beta;
  if (s.type == DType::kInt8) alpha = &alpha_whole, beta = &beta_whole;
  check(cublas_lt().matmul(stream.device().products(), request.matmul, alpha, b, s.b.get(), a, s.a.get(), beta, y,
                           s.y.get(), y, s.y.get(), &*algorithm, workspace, kWorkspace, stream.raw()),
        "a matrix product");
  stream.count_work();
  return true;
}

}  // namespace onnxrun::cuda
