// Shape rules shared by operators, on constant and symbolic shapes; windows against counting them one by one.
#include "ops/shape_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ir/attribute.h"
#include "ops/window_shape.h"

namespace onnxrun::ops {
namespace {

using ir::Dim;
using ir::Shape;
using ::testing::AllOf;
using ::testing::HasSubstr;

const Dim n = Dim::symbol("n"), m = Dim::symbol("m");

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Broadcast, JoinsConstantsAndSymbols) {
  EXPECT_EQ(to_string(broadcast_shapes({n, Dim(1), Dim(3)}, {Dim(4), Dim(1)})), "[n,4,3]");
  EXPECT_EQ(to_string(broadcast_shapes({n, m, Dim(), Dim()}, {n, n, Dim(1), Dim(5)})), "[n,?,?,5]");
  EXPECT_EQ(to_string(broadcast_shapes({n}, {Dim(7)})), "[7]");
  EXPECT_EQ(to_string(broadcast_shapes({Dim(0)}, {Dim(1)})), "[0]");
  EXPECT_EQ(to_string(broadcast_shapes({}, {n})), "[n]");
  EXPECT_THAT(message_of([] {
                broadcast_shapes({Dim(2), Dim(3)}, {Dim(4)});
              }),
              AllOf(HasSubstr("[2,3]"), HasSubstr("[4]")));
}

TEST(Reduce, KeepsOrRemovesAxes) {
  const Shape shape{n, Dim(3), m};
  EXPECT_EQ(to_string(reduce_shape(shape, std::vector<int64_t>{-1, 1}, true)), "[n,1,1]");
  EXPECT_EQ(to_string(reduce_shape(shape, std::vector<int64_t>{-1, 1}, false)), "[n]");
  EXPECT_EQ(to_string(reduce_shape(shape, std::vector<int64_t>{}, false)), "[n,3,m]");
  EXPECT_THROW(reduce_shape(shape, std::vector<int64_t>{3}, true), base::Error);
  EXPECT_THROW(reduce_shape(shape, std::vector<int64_t>{1, -2}, true), base::Error);
}

TEST(MatMul, FollowsNumpy) {
  EXPECT_EQ(to_string(matmul_shape({n, Dim(2), Dim(3)}, {Dim(3), Dim(4)})), "[n,2,4]");
  EXPECT_EQ(to_string(matmul_shape({Dim(3)}, {n, Dim(3), Dim(4)})), "[n,4]");
  EXPECT_EQ(to_string(matmul_shape({n, Dim(2), Dim(3)}, {Dim(3)})), "[n,2]");
  EXPECT_EQ(to_string(matmul_shape({Dim(3)}, {Dim(3)})), "[]");
  EXPECT_EQ(to_string(matmul_shape({Dim(5), Dim(1), Dim(2), m}, {Dim(6), Dim(3), Dim(4)})), "[5,6,2,4]");
  EXPECT_THAT(message_of([] {
                matmul_shape({Dim(2), Dim(3)}, {Dim(4), Dim(5)});
              }),
              HasSubstr("the inner sizes are 3 and 4"));
  EXPECT_THROW(matmul_shape({}, {Dim(1)}), base::Error);
  EXPECT_THROW(matmul_shape({Dim(2), Dim(1), Dim(1)}, {Dim(3), Dim(1), Dim(1)}), base::Error);
}

Window window(int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end, bool ceil_mode,
              std::string auto_pad = "NOTSET") {
  ir::Attributes attributes{{"strides", std::vector<int64_t>{stride}},
                            {"dilations", std::vector<int64_t>{dilation}},
                            {"pads", std::vector<int64_t>{begin, end}},
                            {"ceil_mode", int64_t{ceil_mode}},
                            {"auto_pad", auto_pad}};
  return read_window(attributes, {kernel});
}

// Windows start every `stride` from -begin. Without ceil_mode they end within the padded input; with it one more may hang over the end,
// if it starts within the input or the padding before it.
int64_t count_windows(int64_t input, int64_t kernel, int64_t stride, int64_t dilation, int64_t begin, int64_t end,
                      bool ceil_mode) {
  const int64_t extent = (kernel - 1) * dilation + 1;
  int64_t count = 0, at = -begin;
  for (; at + extent <= input + end; at += stride) ++count;
  const bool gap = at - stride + extent < input + end;
  return count + (ceil_mode && gap && at < input ? 1 : 0);
}

TEST(Windows, CountedOneByOne) {
  for (int64_t input = 1; input <= 9; ++input)
    for (int64_t kernel = 1; kernel <= 3; ++kernel)
      for (int64_t stride = 1; stride <= 4; ++stride)
        for (int64_t dilation = 1; dilation <= 2; ++dilation)
          for (int64_t begin = 0; begin < kernel; ++begin)
            for (int64_t end = 0; end < kernel; ++end)
              for (bool ceil_mode : {false, true}) {
                if (input + begin + end < (kernel - 1) * dilation + 1) continue;
                EXPECT_EQ(window_output(window(kernel, stride, dilation, begin, end, ceil_mode), 0, Dim(input)),
                          Dim(count_windows(input, kernel, stride, dilation, begin, end, ceil_mode)))
                    << input << " " << kernel << " " << stride << " " << dilation << " " << begin << " " << end << " "
                    << ceil_mode;
              }
}

TEST(Windows, SamePaddingCoversTheInput) {
  const Window upper = window(4, 3, 1, 0, 0, false, "SAME_UPPER"), lower = window(4, 3, 1, 0, 0, true, "SAME_LOWER");
  EXPECT_EQ(window_output(upper, 0, Dim(8)), Dim(3));
  EXPECT_EQ(upper.padding(0, 8), std::pair(int64_t{1}, int64_t{1}));
  EXPECT_EQ(upper.padding(0, 9), std::pair(int64_t{0}, int64_t{1}));
  EXPECT_EQ(lower.padding(0, 9), std::pair(int64_t{1}, int64_t{0}));
  EXPECT_EQ(upper.padding(0, 0), std::pair(int64_t{0}, int64_t{0}));
  const Window valid = window(2, 2, 1, 5, 5, true, "VALID");
  EXPECT_EQ(window_output(valid, 0, Dim(5)), Dim(2));
  EXPECT_EQ(valid.padding(0, 5), std::pair(int64_t{0}, int64_t{0}));
}

TEST(Windows, StaySymbolic) {
  EXPECT_EQ(to_string(window_shape(window(3, 1, 1, 1, 1, false), {n, Dim(8), m})), "[n,8,m]");
  const Dim half = window_output(window(2, 2, 1, 0, 0, false), 0, m);
  EXPECT_EQ(half.substitute([](std::string_view) { return Dim(7); }), Dim(3));
  const Dim ceiled = window_output(window(2, 2, 1, 0, 0, true), 0, m);
  EXPECT_EQ(ceiled.substitute([](std::string_view) { return Dim(7); }), Dim(4));
  EXPECT_TRUE(window_output(window(2, 2, 1, 0, 0, true), 0, Dim()).is_unknown());
}

TEST(Windows, TransposedUndoesTheCount) {
  const Window w = window(3, 2, 1, 1, 1, false);
  EXPECT_EQ(transposed_window_output(w, 0, Dim(4), 1), Dim(8));
  EXPECT_EQ(transposed_window_output(w, 0, m, 1), m * Dim(2));
  EXPECT_EQ(transposed_window_output(window(3, 2, 1, 0, 0, false, "SAME_UPPER"), 0, m, 0), m * Dim(2));
  EXPECT_THROW(transposed_window_output(window(1, 1, 1, 4, 4, false), 0, Dim(4), 0), base::Error);
}

TEST(Windows, NameWhatDoesNotFit) {
  EXPECT_THAT(message_of([] { window(3, 0, 1, 0, 0, false); }),
              HasSubstr("attribute 'strides' must be from 1 to 2147483647"));
  EXPECT_THAT(message_of([] { window(3, 1, 1, -1, 0, false); }),
              HasSubstr("attribute 'pads' must be from 0 to 2147483647"));
  EXPECT_THAT(message_of([] { window(3, 1, 1, 0, 0, false, "SAME"); }), HasSubstr("'SAME'"));
  EXPECT_THAT(message_of([] {
                read_window(ir::Attributes{{"pads", std::vector<int64_t>{1}}}, {3});
              }),
              HasSubstr("attribute 'pads' must have 2 values"));
  EXPECT_THAT(message_of([] { window_output(window(5, 1, 1, 0, 0, false), 0, Dim(3)); }),
              HasSubstr("a window of 5 elements"));
  EXPECT_THROW(window_shape(window(3, 1, 1, 0, 0, false), {n, Dim(8)}), base::Error);
  EXPECT_THROW(window(INT64_MAX, 1, INT64_MAX, 0, 0, false).extent(0), base::Error);
}

}  // namespace
}  // namespace onnxrun::ops
