// Strided copies against an element-by-element walk.
#include "cpu/loops/copy.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>
#include <random>

namespace onnxrun::cpu {
namespace {

using base::Dims;

struct Case {
  Dims dims, from, to;
  int64_t from_offset = 0;
};

// Bytes that a walk over all indices writes.
std::vector<uint8_t> walk(int64_t bytes, const Case& c, const std::vector<uint8_t>& source, size_t size) {
  std::vector<uint8_t> result(size, 0xee);
  const int64_t count = std::accumulate(c.dims.begin(), c.dims.end(), int64_t{1}, std::multiplies<>());
  for (int64_t i = 0; i < count; ++i) {
    int64_t rest = i, from = c.from_offset, to = 0;
    for (size_t axis = c.dims.size(); axis-- > 0;) {
      from += rest % c.dims[axis] * c.from[axis];
      to += rest % c.dims[axis] * c.to[axis];
      rest /= c.dims[axis];
    }
    std::memcpy(&result[to * bytes], &source[from * bytes], bytes);
  }
  return result;
}

Case transposed(const Dims& from, const std::vector<size_t>& perm) {
  Case c;
  std::vector<int64_t> strides(from.size(), 1);
  for (size_t i = from.size(); i-- > 1;) strides[i - 1] = strides[i] * from[i];
  for (size_t p : perm) {
    c.dims.push_back(from[p]);
    c.from.push_back(strides[p]);
  }
  c.to = base::contiguous_strides(c.dims);
  return c;
}

void check(const Case& c, size_t from_elements, size_t to_elements) {
  for (int64_t bytes : {1, 2, 4, 8, 16}) {
    std::vector<uint8_t> source(from_elements * bytes);
    std::mt19937 random(7);
    for (uint8_t& byte : source) byte = static_cast<uint8_t>(random());
    // Elements are aligned, and vectors of them are not.
    std::vector<uint8_t> result((to_elements + 1) * bytes, 0xee), moved(bytes);
    moved.insert(moved.end(), source.begin(), source.end());
    StridedCopy(Unit{bytes}, c.dims, c.from, c.to, c.from_offset).run(moved.data() + bytes, result.data() + bytes);
    result.erase(result.begin(), result.begin() + bytes);
    EXPECT_EQ(result, walk(bytes, c, source, to_elements * bytes))
        << bytes << " bytes, dims " << base::to_string(c.dims);
  }
}

TEST(StridedCopy, TransposesOfEveryKind) {
  for (const Dims& dims : {Dims{3, 5}, Dims{16, 16}, Dims{67, 130}, Dims{1, 9}, Dims{300, 3}, Dims{3, 303},
                           Dims{303, 3}, Dims{64, 128}, Dims{65, 193}})
    check(transposed(dims, {1, 0}), dims[0] * dims[1], dims[0] * dims[1]);
  for (const std::vector<size_t>& perm :
       {std::vector<size_t>{0, 2, 3, 1}, {0, 3, 1, 2}, {3, 2, 1, 0}, {1, 0, 2, 3}, {0, 2, 1, 3}, {2, 3, 0, 1}})
    for (const Dims& dims : {Dims{2, 3, 4, 5}, Dims{2, 17, 9, 20}, Dims{1, 3, 40, 40}, Dims{4, 1, 2, 2}}) {
      const size_t count = dims[0] * dims[1] * dims[2] * dims[3];
      check(transposed(dims, perm), count, count);
    }
}

TEST(StridedCopy, RepeatsReversesAndSteps) {
  check({{4, 6}, {0, 1}, {6, 1}}, 6, 24);
  check({{4, 6}, {1, 0}, {6, 1}}, 4, 24);
  check({{4, 6}, {-6, -1}, {6, 1}, 23}, 24, 24);
  check({{3, 2}, {12, 3}, {2, 1}, 1}, 40, 6);
  check({{5}, {1}, {2}}, 5, 10);
  check({{2, 70000}, {70000, 1}, {80000, 1}}, 140000, 160000);
}

// Every length that short rows are moved in, more of them than one work item takes, with room between them.
TEST(StridedCopy, ShortRows) {
  for (int64_t length = 1; length <= 70; ++length)
    check({{3, 400, length}, {400 * (length + 2), length + 2, 1}, {400 * (length + 3), length + 3, 1}, 1},
          static_cast<size_t>(1200 * (length + 2) + 1), static_cast<size_t>(1200 * (length + 3)));
}

// Large enough to be taken in the order of the source.
TEST(StridedCopy, RowsThatLiePagesApart) {
  for (const Dims& dims : {Dims{3, 70, 16, 100}, Dims{2, 130, 31, 40}, Dims{2, 150, 33, 40}}) {
    const auto count = static_cast<size_t>(base::element_count(dims));
    check(transposed(dims, {0, 2, 1, 3}), count, count);
  }
}

TEST(StridedCopy, ScalarsAndNothing) {
  check({{}, {}, {}}, 1, 1);
  check({{3, 0, 2}, {0, 2, 1}, {0, 2, 1}}, 4, 4);
}

TEST(StridedCopy, Strings) {
  const std::vector<std::string> source = {"a", "a long string that owns memory", "", "d", "e", "f"};
  std::vector<std::string> result(6);
  const int64_t dims[] = {3, 2}, from[] = {1, 3}, to[] = {2, 1};
  StridedCopy(Unit{sizeof(std::string), true}, dims, from, to).run(source.data(), result.data());
  EXPECT_EQ(result, (std::vector<std::string>{source[0], source[3], source[1], source[4], source[2], source[5]}));
}

}  // namespace
}  // namespace onnxrun::cpu
