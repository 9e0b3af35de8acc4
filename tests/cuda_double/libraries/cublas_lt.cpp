// A double of cuBLASLt: checks what a product is asked for and computes it with plain loops.
#include <cublasLt.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "elements.h"

using cuda_double::Element;

struct CublasLtDouble {
  int magic = 0x4c74;
};
struct CublasLtDoubleMatmul {
  cublasComputeType_t compute;
  cudaDataType_t scale;
  int32_t transa = CUBLAS_OP_N, transb = CUBLAS_OP_N;
  uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
  const float *a_scale = nullptr, *b_scale = nullptr;
};
struct CublasLtDoubleLayout {
  cudaDataType_t type;
  int64_t rows, columns, leading;
  int32_t batch = 1;
  int64_t offset = 0;
};
struct CublasLtDoublePreference {
  uint64_t workspace = 0;
  uint32_t alignments[4] = {256, 256, 256, 256};  // of the addresses of a, b, c and d
};

namespace {

constexpr size_t kWorkspace = 1024;  // that the double's algorithm insists on where it gets it
constexpr uint64_t kPlain = 0x706c61696e, kSpacious = 0x7370616365;

Element element_of(cudaDataType_t type) {
  switch (type) {
    case CUDA_R_32F: return Element::kFloat;
    case CUDA_R_64F: return Element::kDouble;
    case CUDA_R_16F: return Element::kHalf;
    case CUDA_R_16BF: return Element::kBfloat16;
    case CUDA_R_8I: return Element::kInt8;
    case CUDA_R_32I: return Element::kInt32;
    case CUDA_R_8F_E4M3: return Element::kE4M3;
    case CUDA_R_8F_E5M2: return Element::kE5M2;
  }
  return Element::kUnknown;
}

bool is_float8(cudaDataType_t type) { return type == CUDA_R_8F_E4M3 || type == CUDA_R_8F_E5M2; }

// The combinations of types that cuBLASLt documents and the provider uses.
bool types_fit(const CublasLtDoubleMatmul& m, cudaDataType_t a, cudaDataType_t b, cudaDataType_t d) {
  if (is_float8(a) && is_float8(b))
    return m.compute == CUBLAS_COMPUTE_32F && m.scale == CUDA_R_32F && (a == CUDA_R_8F_E4M3 || b == CUDA_R_8F_E4M3) &&
           (d == CUDA_R_32F || d == CUDA_R_16F || d == CUDA_R_16BF);
  if (a != b || m.a_scale != nullptr || m.b_scale != nullptr) return false;
  switch (m.compute) {
    case CUBLAS_COMPUTE_64F: return m.scale == CUDA_R_64F && a == CUDA_R_64F && d == a;
    case CUBLAS_COMPUTE_32F_FAST_TF32: return m.scale == CUDA_R_32F && a == CUDA_R_32F && d == a;
    case CUBLAS_COMPUTE_32F:
      return m.scale == CUDA_R_32F && (a == CUDA_R_32F || a == CUDA_R_16F || a == CUDA_R_16BF) &&
             (d == a || d == CUDA_R_32F);
    case CUBLAS_COMPUTE_32I: return m.scale == CUDA_R_32I && a == CUDA_R_8I && d == CUDA_R_32I;
  }
  return false;
}

// What cuBLASLt documents for products of int8 without the orders of their own.
bool bytes_fit(const CublasLtDoubleMatmul& m, const CublasLtDoubleLayout& a, const CublasLtDoubleLayout& b,
               const CublasLtDoubleLayout& d) {
  const auto fours = [](int64_t number) { return number % 4 == 0; };
  return m.transa == CUBLAS_OP_T && m.transb == CUBLAS_OP_N && m.epilogue == CUBLASLT_EPILOGUE_DEFAULT &&
         fours(a.rows) && fours(a.columns) && fours(a.leading) && fours(b.leading) && fours(d.leading) &&
         fours(a.offset) && fours(b.offset) && fours(d.offset);
}

// What it documents for products of float8: the depth along both operands, all lines and addresses of whole 16 bytes, and biases of 16 bits.
bool float8_fit(const CublasLtDoubleMatmul& m, const CublasLtDoubleLayout& a, const CublasLtDoubleLayout& b,
                const CublasLtDoubleLayout& d) {
  const auto bytes = static_cast<int64_t>(cuda_double::bytes_of(element_of(d.type)));
  const bool biased = (m.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0;
  const auto whole = [](int64_t size) { return size % 16 == 0; };
  return m.transa == CUBLAS_OP_T && m.transb == CUBLAS_OP_N && whole(a.rows) && whole(b.rows) && whole(a.leading) &&
         whole(b.leading) && whole(d.rows * bytes) && whole(d.leading * bytes) && whole(a.offset) && whole(b.offset) &&
         whole(d.offset * bytes) && !(biased && d.type == CUDA_R_32F);
}

// Whether the double plays a library, or a device, without an algorithm for what `machine` names.
bool plays(std::string_view machine) {
  const char* played = std::getenv("CUDA_DOUBLE");
  return played != nullptr && played == machine;
}

struct Shape {
  int64_t m, n, k;
  bool fits = false;
};

Shape shape_of(const CublasLtDoubleMatmul& matmul, const CublasLtDoubleLayout& a, const CublasLtDoubleLayout& b,
               const CublasLtDoubleLayout& c, const CublasLtDoubleLayout& d) {
  Shape shape{};
  const bool ta = matmul.transa != CUBLAS_OP_N, tb = matmul.transb != CUBLAS_OP_N;
  shape.m = ta ? a.columns : a.rows;
  shape.k = ta ? a.rows : a.columns;
  shape.n = tb ? b.rows : b.columns;
  shape.fits = (tb ? b.columns : b.rows) == shape.k && d.rows == shape.m && d.columns == shape.n && c.rows == d.rows &&
               c.columns == d.columns && c.type == d.type && a.batch == b.batch && a.batch == d.batch &&
               c.batch == d.batch && types_fit(matmul, a.type, b.type, d.type);
  if (matmul.compute == CUBLAS_COMPUTE_32I && !bytes_fit(matmul, a, b, d)) shape.fits = false;
  if (is_float8(a.type) && !float8_fit(matmul, a, b, d)) shape.fits = false;
  // Matrices of the result must not overlap: each behind the one before, or all of them side by side.
  const bool behind = d.offset >= d.leading * (d.columns - 1) + d.rows;
  const bool beside = d.offset >= d.rows && d.leading >= d.offset * (d.batch - 1) + d.rows;
  if (d.batch > 1 && !behind && !beside) shape.fits = false;
  return shape;
}

double epilogue_of(uint32_t epilogue, double value) {
  return (epilogue & CUBLASLT_EPILOGUE_RELU) != 0 && value < 0 ? 0 : value;
}

// `lines` lines of `length` elements, each line contiguous.
std::vector<double> lines_of(const CublasLtDoubleLayout& layout, const void* data, int32_t batch, bool along_columns,
                             int64_t lines, int64_t length) {
  const Element element = element_of(layout.type);
  const int64_t line_step = along_columns ? layout.leading : 1, step = along_columns ? 1 : layout.leading;
  std::vector<double> result(static_cast<size_t>(lines * length));
  for (int64_t l = 0; l < lines; ++l)
    for (int64_t k = 0; k < length; ++k)
      result[static_cast<size_t>(l * length + k)] =
          cuda_double::load(element, data, batch * layout.offset + l * line_step + k * step);
  return result;
}

void multiply(const CublasLtDoubleMatmul& m, const Shape& s, double alpha, const void* a,
              const CublasLtDoubleLayout& la, const void* b, const CublasLtDoubleLayout& lb, double beta, const void* c,
              const CublasLtDoubleLayout& lc, void* d, const CublasLtDoubleLayout& ld) {
  const Element element = element_of(ld.type);
  if (m.a_scale != nullptr) alpha *= static_cast<double>(*m.a_scale);
  if (m.b_scale != nullptr) alpha *= static_cast<double>(*m.b_scale);
  for (int32_t batch = 0; batch < ld.batch; ++batch) {
    const std::vector<double> rows = lines_of(la, a, batch, m.transa != CUBLAS_OP_N, s.m, s.k);
    const std::vector<double> columns = lines_of(lb, b, batch, m.transb == CUBLAS_OP_N, s.n, s.k);
    for (int64_t j = 0; j < s.n; ++j)
      for (int64_t i = 0; i < s.m; ++i) {
        const double *x = rows.data() + i * s.k, *y = columns.data() + j * s.k;
        double sum = 0;
        for (int64_t k = 0; k < s.k; ++k) sum += x[k] * y[k];
        double value = alpha * sum;
        if (beta != 0) value += beta * cuda_double::load(element, c, batch * lc.offset + j * lc.leading + i);
        if ((m.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0) value += cuda_double::load(element, m.bias, i);
        cuda_double::store(element, d, batch * ld.offset + j * ld.leading + i, epilogue_of(m.epilogue, value));
      }
  }
}

// Elements from the first to the last that a layout covers.
int64_t extent(const CublasLtDoubleLayout& layout) {
  if (layout.rows == 0 || layout.columns == 0) return 0;
  return (layout.batch - 1) * layout.offset + (layout.columns - 1) * layout.leading + layout.rows;
}
bool on_device(const void* data, const CublasLtDoubleLayout& layout) {
  return cuda_double::cuda_double_is_device(
      data, static_cast<size_t>(extent(layout)) * cuda_double::bytes_of(element_of(layout.type)));
}

std::atomic<int64_t> float8_products = 0;

}  // namespace

// How many products of float8 were asked for.
CUDA_DOUBLE_API int64_t cuda_double_float8_products() { return float8_products; }

cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) {
  *handle = new CublasLtDouble;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) {
  delete handle;
  return CUBLAS_STATUS_SUCCESS;
}
const char* cublasLtGetStatusString(cublasStatus_t status) {
  switch (status) {
    case CUBLAS_STATUS_SUCCESS: return "success";
    case CUBLAS_STATUS_NOT_INITIALIZED: return "the library was not initialized";
    case CUBLAS_STATUS_INVALID_VALUE: return "an unsupported value or parameter was passed to the function";
    case CUBLAS_STATUS_ARCH_MISMATCH: return "the device lacks a feature that the function needs";
    case CUBLAS_STATUS_NOT_SUPPORTED: return "the functionality requested is not supported";
  }
  return "unknown";
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* matmul, cublasComputeType_t compute,
                                        cudaDataType_t scale) {
  *matmul = new CublasLtDoubleMatmul{compute, scale};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmul) {
  delete matmul;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t matmul, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  void* to = nullptr;
  size_t size = 4;
  switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA: to = &matmul->transa; break;
    case CUBLASLT_MATMUL_DESC_TRANSB: to = &matmul->transb; break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE: to = &matmul->epilogue; break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
      to = &matmul->bias;
      size = sizeof(void*);
      break;
    case CUBLASLT_MATMUL_DESC_A_SCALE_POINTER:
      to = &matmul->a_scale;
      size = sizeof(void*);
      break;
    case CUBLASLT_MATMUL_DESC_B_SCALE_POINTER:
      to = &matmul->b_scale;
      size = sizeof(void*);
      break;
  }
  if (to == nullptr || bytes != size) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(to, value, bytes);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout, cudaDataType type, uint64_t rows,
                                          uint64_t columns, int64_t leading) {
  if (element_of(type) == Element::kUnknown || rows == 0 || columns == 0 || leading < static_cast<int64_t>(rows))
    return CUBLAS_STATUS_INVALID_VALUE;
  *layout = new CublasLtDoubleLayout{type, static_cast<int64_t>(rows), static_cast<int64_t>(columns), leading};
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
  delete layout;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                cublasLtMatrixLayoutAttribute_t attribute, const void* value,
                                                size_t bytes) {
  if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && bytes == 4) std::memcpy(&layout->batch, value, 4);
  else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET && bytes == 8)
    std::memcpy(&layout->offset, value, 8);
  else return CUBLAS_STATUS_INVALID_VALUE;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
  *preference = new CublasLtDoublePreference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
  delete preference;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t preference,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  const int place = attribute - CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES;
  if (place >= 0 && place < 4 && bytes == 4) {
    std::memcpy(&preference->alignments[place], value, 4);
    return CUBLAS_STATUS_SUCCESS;
  }
  if (attribute != CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES || bytes != 8) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&preference->workspace, value, 8);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t matmul, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t preference,
                                              int wanted, cublasLtMatmulHeuristicResult_t results[], int* found) {
  *found = 0;
  if (wanted < 1) return CUBLAS_STATUS_INVALID_VALUE;
  if (!shape_of(*matmul, *a, *b, *c, *d).fits) return CUBLAS_STATUS_NOT_SUPPORTED;
  if (matmul->compute == CUBLAS_COMPUTE_32I &&
      (plays("no-int8") || std::any_of(preference->alignments, preference->alignments + 4,
                                       [](uint32_t multiple) { return multiple % 4 != 0; })))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  if (is_float8(a->type) && (plays("no-float8") || std::any_of(preference->alignments, preference->alignments + 4,
                                                               [](uint32_t multiple) { return multiple % 16 != 0; })))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool spacious = preference->workspace >= kWorkspace;
  results[0] = {};
  results[0].algo.data[0] = spacious ? kSpacious : kPlain;
  std::copy(preference->alignments, preference->alignments + 4, results[0].algo.data + 1);
  results[0].workspaceSize = spacious ? kWorkspace : 0;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *found = 1;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t matmul, const void* alpha, const void* a,
                              cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
                              const void* beta, const void* c, cublasLtMatrixLayout_t c_layout, void* d,
                              cublasLtMatrixLayout_t d_layout, const cublasLtMatmulAlgo_t* algo, void* workspace,
                              size_t workspace_bytes, cudaStream_t stream) {
  if (handle == nullptr || handle->magic != 0x4c74) return CUBLAS_STATUS_NOT_INITIALIZED;
  const CublasLtDoubleMatmul m = *matmul;
  const CublasLtDoubleLayout la = *a_layout, lb = *b_layout, lc = *c_layout, ld = *d_layout;
  const Shape shape = shape_of(m, la, lb, lc, ld);
  if (!shape.fits || algo == nullptr || (algo->data[0] != kPlain && algo->data[0] != kSpacious))
    return CUBLAS_STATUS_INVALID_VALUE;
  if (algo->data[0] == kSpacious &&
      (workspace_bytes < kWorkspace || reinterpret_cast<uintptr_t>(workspace) % 256 != 0 ||
       !cuda_double::cuda_double_is_device(workspace, kWorkspace)))
    return CUBLAS_STATUS_INVALID_VALUE;
  const void* addresses[] = {a, b, c, d};
  for (int i = 0; i < 4; ++i)
    if (reinterpret_cast<uintptr_t>(addresses[i]) % algo->data[i + 1] != 0) return CUBLAS_STATUS_NOT_SUPPORTED;
  const bool has_bias = (m.epilogue & CUBLASLT_EPILOGUE_BIAS) != 0;
  if (!on_device(a, la) || !on_device(b, lb) || !on_device(c, lc) || !on_device(d, ld) ||
      (has_bias && !cuda_double::cuda_double_is_device(
                       m.bias, static_cast<size_t>(shape.m) * cuda_double::bytes_of(element_of(ld.type)))))
    return CUBLAS_STATUS_INVALID_VALUE;
  for (const float* factor : {m.a_scale, m.b_scale})
    if (factor != nullptr && !cuda_double::cuda_double_is_device(factor, sizeof(float)))
      return CUBLAS_STATUS_INVALID_VALUE;
  if (is_float8(la.type)) ++float8_products;
  const auto scalar = [&](const void* p) { return cuda_double::load(element_of(m.scale), p, 0); };
  const double by = scalar(alpha), add = scalar(beta);
  const bool spacious = algo->data[0] == kSpacious;
  const auto error = cuda_double::cuda_double_enqueue(
      [=] {
        if (spacious) std::memset(workspace, 0x5A, kWorkspace);
        multiply(m, shape, by, a, la, b, lb, add, c, lc, d, ld);
      },
      stream);
  return error == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}
