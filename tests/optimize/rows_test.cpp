// The passes that recognise normalizations, as they are spelt out and with the sums before them.
#include "optimize/pass_test.h"

namespace onnxrun::optimize {
namespace {

using ir::Dim;
using ir::ValueId;

const Dim kBatch = Dim::symbol("batch");

class Normalization : public PassTest {
 protected:
  ValueId mean(ValueId x, std::vector<int64_t> axes) { return op("ReduceMean", {x, ints(std::move(axes))}); }
  // The square root of the variance of centred values and of epsilon.
  ValueId deviation(ValueId centred, const std::vector<int64_t>& axes) {
    return op("Sqrt", {op("Add", {mean(op("Mul", {centred, centred}), axes), number(1e-3f)})});
  }
  ValueId normalised(ValueId x, const std::vector<int64_t>& axes) {
    const auto centred = op("Sub", {x, mean(x, axes)});
    return op("Div", {centred, deviation(centred, axes)});
  }
};

TEST_F(Normalization, OfChannels) {
  const auto x = input("x", {kBatch, 3, 4, 5});
  output(op("Add", {op("Mul", {normalised(x, {2, 3}), weights({3, 1, 1})}), weights({1, 3, 1, 1})}));
  output(normalised(x, {-1, -2}));
  rewrites("fuse-instance-normalization", "InstanceNormalization InstanceNormalization", 1e-4);
}

TEST_F(Normalization, OfOtherAxesStays) {
  const auto x = input("x", {kBatch, 3, 4, 5});
  output(normalised(x, {1, 2, 3}));
  output(normalised(x, {3}));
  output(op("Div", {x, deviation(x, {2, 3})}));  // of no centred values
  leaves("fuse-instance-normalization");
}

class Shifted : public Normalization {
 protected:
  ValueId x_ = input("x", {kBatch, 4, 8}), mean_ = mean(x_, {2});
  ValueId factor() { return op("Mul", {op("Reciprocal", {deviation(op("Sub", {x_, mean_}), {-1})}), weights({8})}); }
};

TEST_F(Shifted, ByTensorFlow) {
  const auto r = factor();
  output(op("Add", {op("Mul", {x_, r}), op("Sub", {weights({8}), op("Mul", {mean_, r})})}));
  rewrites("fuse-shifted-normalization", "LayerNormalization", 1e-4);
}

TEST_F(Shifted, ByKeras) {
  const auto r = factor();
  output(op("Add", {op("Mul", {r, x_}), op("Add", {op("Mul", {op("Neg", {mean_}), r}), weights({8})})}));
  rewrites("fuse-shifted-normalization", "LayerNormalization", 1e-4);
}

TEST_F(Shifted, ByAnotherMeanStays) {
  const auto r = factor();
  output(op("Add", {op("Mul", {x_, r}), op("Sub", {weights({8}), op("Mul", {mean(x_, {1}), r})})}));
  leaves("fuse-shifted-normalization");
}

class LastAxisGroups : public Normalization {
 protected:
  // Groups of the last of four axes, whose statistics are of the axes given.
  void add(std::vector<int64_t> axes) {
    const auto groups = op("Reshape", {input("x", {kBatch, 3, 4, 6}), ints({-1, 3, 4, 2, 3})});
    const auto centre = mean(groups, axes);
    const auto r =
        op("Mul", {op("Reciprocal", {deviation(op("Sub", {groups, centre}), axes)}), weights({1, 1, 1, 2, 3})});
    const auto shift = op("Add", {op("Mul", {op("Neg", {centre}), r}), weights({1, 1, 1, 2, 3})});
    output(op("Reshape", {op("Add", {op("Mul", {groups, r}), shift}), ints({-1, 3, 4, 6})}));
  }
};

TEST_F(LastAxisGroups, ByKeras) {
  add({1, 2, 4});
  rewrites("fuse-group-normalization", "Transpose GroupNormalization Transpose", 1e-4);
}

TEST_F(LastAxisGroups, OfOtherAxesStay) {
  add({1, 4});
  leaves("fuse-group-normalization");
}

class Skip : public PassTest {
 protected:
  ValueId a_ = input("a", {kBatch, 4, 8}), b_ = input("b", {kBatch, 4, 8});
};

TEST_F(Skip, ASumAndItsNormalization) {
  output(op("LayerNormalization", {op("Add", {a_, b_}), weights({8}), weights({8})}));
  rewrites("fuse-skip-normalization", "SkipLayerNormalization", 0);
}

TEST_F(Skip, ASumThatOthersRead) {
  const auto sum = op("Add", {a_, b_});
  output(op("RMSNormalization", {sum, weights({8})}));
  output(op("Neg", {sum}));
  rewrites("fuse-skip-normalization", "SkipSimplifiedLayerNormalization Neg", 0);
}

TEST_F(Skip, ABiasAsWell) {
  output(op("LayerNormalization", {op("Add", {a_, op("Add", {b_, weights({8})})}), weights({8})}));
  rewrites("fuse-skip-normalization", "SkipLayerNormalization");
}

TEST_F(Skip, SumsThatBroadcastAndOtherAxesStay) {
  output(op("LayerNormalization", {op("Add", {a_, input("row", {1, 4, 8})}), weights({8})}));
  output(op("LayerNormalization", {op("Add", {a_, b_}), weights({4, 8})}, {{"axis", int64_t{1}}}));
  leaves("fuse-skip-normalization");
}

class Embedded : public PassTest {
 protected:
  // Whole numbers below 4 that are drawn.
  ValueId ids(const std::string& name) {
    return op("Cast", {op("Abs", {op("Clip", {input(name, {kBatch, 5}), number(-3), number(3)})})},
              {{"to", int64_t{7}}});
  }
  ValueId rows(ValueId table, ValueId ids) { return op("Gather", {table, ids}); }
  ValueId normalised(ValueId x) { return op("LayerNormalization", {x, weights({8}), weights({8})}); }
};

TEST_F(Embedded, WordsPositionsAndSegments) {
  const auto words = rows(weights({9, 8}), ids("words")), segments = rows(weights({4, 8}), ids("segments"));
  output(normalised(op("Add", {op("Add", {words, segments}), weights({1, 5, 8})})));
  output(op("Neg", {op("Add", {words, words})}));
  leaves("fuse-embeddings");  // the words are read elsewhere
}

TEST_F(Embedded, WordsPositionsAndSegmentsOfTables) {
  const auto words = rows(weights({9, 8}), ids("words")), segments = rows(weights({4, 8}), ids("segments"));
  const auto sum = op("Add", {op("Add", {words, segments}), weights({1, 5, 8})});
  output(normalised(sum));
  output(op("Neg", {sum}));
  const auto counted = op("Slice", {ints({0, 1, 2, 3, 4, 5, 6}), ints({0}), ints({5}), ints({0})});
  output(normalised(op("Add", {rows(weights({9, 8}), ids("more")), rows(weights({7, 8}), counted)})));
  output(normalised(op("Add", {rows(weights({9, 8}), ids("a")), rows(weights({5, 8}), ids("positions"))})));
  rewrites("fuse-embeddings",
           "Clip Abs Cast Clip Abs Cast Clip Abs Cast Clip Abs Cast Clip Abs Cast EmbedLayerNormalization Neg "
           "EmbedLayerNormalization EmbedLayerNormalization");
}

TEST_F(Embedded, OtherSumsStay) {
  const auto words = [&](const std::string& name) { return rows(weights({9, 8}), ids(name)); };
  output(normalised(op("Add", {words("a"), input("x", {kBatch, 5, 8})})));
  output(normalised(op("Add", {words("b"), rows(weights({7, 8}), ints({0, 1, 2, 4, 3}))})));
  output(normalised(op("Add", {weights({1, 5, 8}), weights({5, 8})})));
  leaves("fuse-embeddings");
}

}  // namespace
}  // namespace onnxrun::optimize
