// Einsum by contractions of two operands at a time against the plain loop over all of them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/floats.h"
#include "base/shape.h"
#include "cpu/run_kernel.h"

namespace onnxrun::cpu {
namespace {

using base::Dims;
using base::DType;

struct EinsumCase {
  std::string equation;
  std::vector<Dims> shapes;
  Dims result;
};

const std::vector<EinsumCase>& cases() {
  static const std::vector<EinsumCase> kCases = {
      // one operand
      {"ij->ji", {{5, 7}}, {7, 5}},
      {"ijk->", {{3, 4, 5}}, {}},
      {"->", {{}}, {}},
      {"ii->i", {{6, 6}}, {6}},
      {"ii", {{6, 6}}, {}},
      {"iij->ji", {{4, 4, 3}}, {3, 4}},
      {"ijkl->li", {{3, 4, 5, 6}}, {6, 3}},
      {"ij->j", {{300, 70}}, {70}},
      {"ij->i", {{70, 9000}}, {70}},
      {"i...j->j...", {{3, 2, 4, 5}}, {5, 2, 4}},
      {"...->", {{2, 3, 4}}, {}},
      {"ij->ij", {{0, 3}}, {0, 3}},
      {"ij->j", {{0, 3}}, {3}},
      {"ij->i", {{1, 3}}, {1}},
      // matrices
      {"ij,jk->ik", {{33, 40}, {40, 70}}, {33, 70}},
      {"ij,jk->ki", {{33, 40}, {40, 70}}, {70, 33}},
      {"ji,jk->ik", {{40, 33}, {40, 70}}, {33, 70}},
      {"ij,kj->ik", {{33, 40}, {70, 40}}, {33, 70}},
      {"ij,jk->ik", {{2, 40}, {40, 70}}, {2, 70}},
      {"ij,jk->ik", {{40, 40}, {40, 2}}, {40, 2}},
      {"ij,jk->ik", {{20, 0}, {0, 30}}, {20, 30}},
      {"ij,jk->ik", {{20, 1}, {1, 30}}, {20, 30}},
      {"ij,jk->ik", {{20, 1}, {12, 30}}, {20, 30}},
      {"ij,jk->ik", {{20, 12}, {1, 30}}, {20, 30}},
      {"bij,bkj->bik", {{3, 17, 20}, {3, 18, 20}}, {3, 17, 18}},
      {"bij,bkj->ikb", {{3, 17, 20}, {3, 18, 20}}, {17, 18, 3}},
      {"bhqd,bhkd->bhqk", {{2, 3, 20, 16}, {2, 3, 24, 16}}, {2, 3, 20, 24}},
      {"bqhd,bkhd->bhqk", {{2, 20, 3, 16}, {2, 24, 3, 16}}, {2, 3, 20, 24}},
      {"bhqk,bkhd->bqhd", {{2, 3, 20, 24}, {2, 24, 3, 16}}, {2, 20, 3, 16}},
      {"bhqk,bkhd->bqhd", {{2, 3, 1, 24}, {2, 24, 3, 16}}, {2, 1, 3, 16}},
      {"bhqk,bkhd->bqhd", {{1, 3, 20, 24}, {2, 24, 1, 16}}, {2, 20, 3, 16}},
      {"ijkl,lkm->mji", {{5, 6, 7, 8}, {8, 7, 20}}, {20, 6, 5}},
      {"abcd,cdef->abef", {{3, 4, 5, 6}, {5, 6, 7, 8}}, {3, 4, 7, 8}},
      {"bi,ij,bj->b", {{6, 20}, {20, 30}, {6, 30}}, {6}},
      {"...ij,...jk->...ik", {{2, 3, 17, 18}, {3, 18, 19}}, {2, 3, 17, 19}},
      {"...ij,...jk", {{2, 1, 17, 18}, {3, 18, 19}}, {2, 3, 17, 19}},
      {"ii,ij->j", {{20, 20}, {20, 30}}, {30}},
      {"iij,jk->ik", {{20, 20, 9}, {9, 30}}, {20, 30}},
      // vectors, outer and elementwise products, sums on the way
      {"i,i->", {{9000}, {9000}}, {}},
      {"i,j->ij", {{300}, {400}}, {300, 400}},
      {"i,j->ji", {{300}, {400}}, {400, 300}},
      {"ij,j->i", {{30, 500}, {500}}, {30}},
      {"ij,i->j", {{300, 50}, {300}}, {50}},
      {"bij,bij->bij", {{2, 30, 40}, {2, 30, 40}}, {2, 30, 40}},
      {"bhwc,c->bhwc", {{2, 5, 6, 7}, {7}}, {2, 5, 6, 7}},
      {"bhwc,b->bhwc", {{2, 5, 6, 7}, {2}}, {2, 5, 6, 7}},
      {"bij,bij->b", {{2, 30, 40}, {2, 30, 40}}, {2}},
      {"ijx,jky->ik", {{17, 20, 3}, {20, 30, 2}}, {17, 30}},
      {",ij->ji", {{}, {5, 6}}, {6, 5}},
      {",->", {{}, {}}, {}},
      // more operands
      {"ij,jk,kl->il", {{20, 21}, {21, 22}, {22, 23}}, {20, 23}},
      {"ij,jk,kl,lm->mi", {{5, 21}, {21, 22}, {22, 6}, {6, 7}}, {7, 5}},
      {"i,j,k->kji", {{5}, {6}, {7}}, {7, 6, 5}},
      {"i,i,i->i", {{5}, {1}, {5}}, {5}},
      {"abc,ad,bd,cd->d", {{4, 5, 6}, {4, 3}, {5, 3}, {6, 3}}, {3}},
      {"ij,jk,->k", {{20, 21}, {21, 22}, {}}, {22}},
      {"ij,jk,kl->il", {{20, 21}, {21, 0}, {0, 23}}, {20, 23}},
  };
  return kCases;
}

template <class T>
base::Tensor random_tensor(DType type, const Dims& dims, std::mt19937& random) {
  base::Tensor tensor(type, dims);
  T* data = tensor.mutable_data<T>();
  const int64_t count = base::element_count(dims);
  for (int64_t i = 0; i < count; ++i) {
    const double value = std::uniform_real_distribution<double>(-1, 1)(random);
    if constexpr (std::is_integral_v<T>) data[i] = static_cast<T>(static_cast<int>(value * 100));
    else data[i] = static_cast<T>(value);
  }
  return tensor;
}

template <class T>
void compare(DType type, double tolerance) {
  std::mt19937 random(7);
  for (const EinsumCase& test : cases()) {
    KernelCall call{"Einsum", {}, {{type, test.result}}, {{"equation", test.equation}}, "contractions"};
    int64_t largest = 1;
    for (const Dims& shape : test.shapes) {
      call.inputs.push_back(random_tensor<T>(type, shape, random));
      largest = std::max(largest, base::element_count(shape));
    }
    const auto got = run_kernel(call);
    call.kernel = "reference";
    const auto want = run_kernel(call);
    const T* a = got[0].data<T>();
    const T* b = want[0].data<T>();
    for (int64_t i = 0; i < base::element_count(test.result); ++i) {
      if constexpr (std::is_integral_v<T>) {
        ASSERT_EQ(a[i], b[i]) << test.equation << " at " << i;
      } else {
        const double bound =
            tolerance * (std::sqrt(static_cast<double>(largest)) + std::abs(static_cast<double>(b[i])));
        ASSERT_NEAR(static_cast<double>(a[i]), static_cast<double>(b[i]), bound) << test.equation << " at " << i;
      }
    }
  }
}

TEST(Einsum, ContractionsGiveTheSumsOfThePlainLoop) {
  compare<float>(DType::kFloat32, 1e-6);
  compare<double>(DType::kFloat64, 1e-15);
  compare<int32_t>(DType::kInt32, 0);
  compare<uint8_t>(DType::kUint8, 0);
  compare<uint64_t>(DType::kUint64, 0);
}

TEST(Einsum, NarrowFloatsAreSummedWide) {
  std::mt19937 random(3);
  base::Tensor wide = random_tensor<float>(DType::kFloat32, {20, 300}, random);
  base::Tensor narrow(DType::kFloat16, {20, 300});
  for (int64_t i = 0; i < 6000; ++i) narrow.mutable_data<base::Float16>()[i] = base::Float16(wide.data<float>()[i]);
  for (const char* equation : {"ij,kj->ik", "ij,ij->i"}) {
    const Dims result = std::strcmp(equation, "ij,ij->i") == 0 ? Dims{20} : Dims{20, 20};
    KernelCall call{
        "Einsum", {narrow, narrow}, {{DType::kFloat16, result}}, {{"equation", std::string(equation)}}, "contractions"};
    const auto got = run_kernel(call);
    call.kernel = "reference";
    const auto want = run_kernel(call);
    for (int64_t i = 0; i < base::element_count(result); ++i) {
      const float a = got[0].data<base::Float16>()[i], b = want[0].data<base::Float16>()[i];
      EXPECT_NEAR(a, b, 0.002f * std::abs(b) + 0.001f);
    }
  }
}

TEST(Einsum, NotANumberStaysWithTheSumsItIsIn) {
  std::mt19937 random(5);
  base::Tensor a = random_tensor<float>(DType::kFloat32, {20, 30}, random),
               b = random_tensor<float>(DType::kFloat32, {30, 17}, random);
  b.mutable_data<float>()[16] = INFINITY;
  a.mutable_data<float>()[30] = NAN;
  const auto got = run_kernel(
      {"Einsum", {a, b}, {{DType::kFloat32, {20, 17}}}, {{"equation", std::string("ij,jk->ik")}}, "contractions"});
  const float* y = got[0].data<float>();
  for (int64_t i = 0; i < 20; ++i)
    for (int64_t k = 0; k < 17; ++k) EXPECT_EQ(std::isfinite(y[i * 17 + k]), i != 1 && k != 16) << i << ' ' << k;
}

TEST(Einsum, IntermediateProductsAreNotMuchLargerThanTheTensors) {
  std::mt19937 random(5);
  KernelCall call{
      "Einsum", {}, {{DType::kFloat32, {}}}, {{"equation", std::string("iab,jbc,kca,ijk->")}}, "contractions"};
  for (int i = 0; i < 4; ++i) call.inputs.push_back(random_tensor<float>(DType::kFloat32, {40, 40, 40}, random));
  EXPECT_THROW(run_kernel(call), base::Error);
  call.attributes["equation"] = std::string("iab,jbc,kcd,ijk->");  // a and d are summed first
  EXPECT_NO_THROW(run_kernel(call));
}

TEST(Einsum, IsCancelled) {
  std::mt19937 random(5);
  for (const char* equation : {"ij,jk->ik", "ij,ji->i"}) {
    KernelCall call{"Einsum", {}, {{DType::kFloat32, {64}}}, {{"equation", std::string(equation)}}, "contractions"};
    for (int i = 0; i < 2; ++i) call.inputs.push_back(random_tensor<float>(DType::kFloat32, {64, 64}, random));
    if (equation[4] == 'k') call.outputs[0].second = {64, 64};
    call.cancelled = true;
    EXPECT_THROW(run_kernel(call), base::Error);
  }
}

}  // namespace
}  // namespace onnxrun::cpu
