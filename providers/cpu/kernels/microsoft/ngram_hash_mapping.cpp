// com.microsoft.NGramHashMapping and VarlenNGramHashMapping.
#include <algorithm>
#include <vector>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

using base::Code;
using base::fail;

class NGramHashMapping {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit NGramHashMapping(const Node& node)
      : packed_(node.op() == "VarlenNGramHashMapping"),
        past_(packed_ ? 4 : 3),
        carried_(node.get_int("max_ngram_size", 2) - 1),
        each_(node.get_int("n_head_per_ngram", 1)),
        pad_(node.get_int("pad_id", 0)),
        capacity_(node.get_int("state_update_capacity", 0)),
        resets_(node.get_int("reset_on_eos", 0) != 0) {
    const auto ids = provider::dims(node.input(0));
    tokens_ = provider::count(node.input(0));
    batch_ = packed_ ? provider::dims(node.input(3))[0] - 1 : ids[0];
    length_ = packed_ ? 0 : ids[1];
  }

  void run(RunContext& context) const {
    dispatch(Types<int32_t, int64_t>(), dtype(context.input(0)),
             [&]<class T>(std::type_identity<T>) { map<T>(context); });
  }

 private:
  template <class T>
  using Wrapping = std::make_unsigned_t<T>;

  // One sequence with what precedes it: ids and segments, `carried_` of them first.
  template <class T>
  struct Sequence {
    std::vector<T> ids;
    std::vector<int32_t> segments;
    int64_t first;  // its first token among all
    int64_t known;  // the first place with a segment of its own
  };

  std::pair<int64_t, int64_t> range(const RunContext& context, int64_t b) const {
    if (!packed_) return {b * length_, (b + 1) * length_};
    const int32_t* starts = context.in<int32_t>(3);
    if (starts[b] < 0 || starts[b + 1] < starts[b] || starts[b + 1] > tokens_)
      fail(Code::kRunFailed, "VarlenNGramHashMapping: sequence {} reaches from token {} to {} of {}", b, starts[b],
           starts[b + 1], tokens_);
    return {starts[b], starts[b + 1]};
  }

  template <class T>
  T missing(const RunContext& context) const {
    return context.has_input(past_ + 2) ? context.in<T>(past_ + 2)[0] : static_cast<T>(pad_);
  }

  template <class T>
  Sequence<T> read(const RunContext& context, int64_t b) const {
    const auto [begin, end] = range(context, b);
    Sequence<T> s{std::vector<T>(static_cast<size_t>(carried_), missing<T>(context)), {}, begin, carried_};
    if (context.has_input(past_)) std::copy_n(context.in<T>(past_) + b * carried_, carried_, s.ids.begin());
    s.ids.insert(s.ids.end(), context.in<T>(0) + begin, context.in<T>(0) + end);
    const size_t segments = past_ + 3;
    if (!context.has_input(segments)) return s;
    const int32_t* own = context.in<int32_t>(segments);
    s.segments.assign(static_cast<size_t>(carried_), end > begin ? own[begin] : 0);
    if (packed_ && context.has_input(8)) {
      std::copy_n(context.in<int32_t>(8) + b * carried_, carried_, s.segments.begin());
      s.known = 0;
    }
    s.segments.insert(s.segments.end(), own + begin, own + end);
    return s;
  }

  // The first place whose token still counts for the one at `at`: behind the last end of a text and of a segment.
  template <class T>
  int64_t boundary(const RunContext& context, const Sequence<T>& s, int64_t at) const {
    int64_t first = at - carried_;
    if (resets_ && context.has_input(past_ + 2)) {
      const T eos = context.in<T>(past_ + 2)[0];
      for (int64_t p = at - 1; p >= at - carried_; --p)
        if (s.ids[static_cast<size_t>(p)] == eos) {
          first = std::max(first, p + 1);
          break;
        }
    }
    if (!s.segments.empty())
      for (int64_t p = at; p > std::max(at - carried_, s.known); --p)
        if (s.segments[static_cast<size_t>(p)] != s.segments[static_cast<size_t>(p) - 1]) {
          first = std::max(first, p);
          break;
        }
    return first;
  }

  // Every token belongs to one sequence.
  void check_starts(const RunContext& context) const {
    const int32_t* starts = context.in<int32_t>(3);
    if (batch_ < 0 || starts[0] != 0 || starts[batch_] != tokens_)
      fail(Code::kRunFailed, "VarlenNGramHashMapping: the sequences must reach from token 0 to {}", tokens_);
  }

  template <class T>
  void map(RunContext& context) const {
    if (packed_) check_starts(context);
    const int64_t heads = carried_ * each_;
    const T *multipliers = context.in<T>(1), *sizes = context.in<T>(2);
    const T* offsets = context.has_input(past_ + 1) ? context.in<T>(past_ + 1) : nullptr;
    for (int64_t h = 0; h < heads; ++h)
      if (sizes[h] <= 0)
        fail(Code::kRunFailed, "{}: vocab_sizes[{}] is {}, it must be positive",
             packed_ ? "VarlenNGramHashMapping" : "NGramHashMapping", h, sizes[h]);
    const T fill = missing<T>(context);
    parallel_polled(
        context, batch_, Cost(tokens_ / std::max<int64_t>(1, batch_)) * heads * 8 + Cost(carried_) * 8 + 64,
        [&](int64_t begin, int64_t end) {
          for (int64_t b = begin; b < end; ++b) {
            const Sequence<T> s = read<T>(context, b);
            for (int64_t at = carried_; at < static_cast<int64_t>(s.ids.size()) && !context.cancelled(); ++at) {
              const int64_t first = boundary(context, s, at);
              T* out = context.out<T>(0) + (s.first + at - carried_) * heads;
              Wrapping<T> mix = 0;
              for (int64_t k = 0; k <= carried_; ++k) {
                const T id = at - k >= first ? s.ids[static_cast<size_t>(at - k)] : fill;
                mix ^= static_cast<Wrapping<T>>(id) * static_cast<Wrapping<T>>(multipliers[k]);
                for (int64_t h = 0; k > 0 && h < each_; ++h) {
                  const int64_t head = (k - 1) * each_ + h;
                  const T rest = static_cast<T>(static_cast<T>(mix) % sizes[head]),
                          hash = rest < 0 ? static_cast<T>(rest + sizes[head]) : rest;
                  out[head] =
                      offsets == nullptr
                          ? hash
                          : static_cast<T>(static_cast<Wrapping<T>>(hash) + static_cast<Wrapping<T>>(offsets[head]));
                }
              }
            }
            carry(context, s, b);
          }
        });
    context.check_cancelled();
  }

  template <class T>
  void carry(const RunContext& context, const Sequence<T>& s, int64_t b) const {
    if (context.has_output(1)) std::copy(s.ids.end() - carried_, s.ids.end(), context.out<T>(1) + b * carried_);
    if (!packed_) return;
    if (context.has_output(2)) {
      int32_t* to = context.out<int32_t>(2) + b * carried_;
      if (s.segments.empty()) std::fill_n(to, carried_, 0);
      else std::copy(s.segments.end() - carried_, s.segments.end(), to);
    }
    if (!context.has_output(3)) return;
    T* states = context.out<T>(3) + b * capacity_ * carried_;
    std::fill_n(states, capacity_ * carried_, static_cast<T>(pad_));
    const int64_t tokens = static_cast<int64_t>(s.ids.size()) - carried_,
                  wanted = context.has_input(9) ? context.in<int32_t>(9)[b] : 0;
    for (int64_t i = 0; i < std::min({wanted, capacity_, tokens}); ++i)
      std::copy_n(s.ids.begin() + i + 1, carried_, states + i * carried_);
  }

  bool packed_;
  size_t past_;
  int64_t carried_, each_, pad_, capacity_;
  bool resets_;
  int64_t tokens_ = 0, batch_ = 0, length_ = 0;
};

}  // namespace

void kernels_microsoft_ngram_hash_mapping(provider::KernelTable& table) {
  table.add<NGramHashMapping>("com.microsoft", "NGramHashMapping", "direct");
  table.add<NGramHashMapping>("com.microsoft", "VarlenNGramHashMapping", "direct");
}

}  // namespace onnxrun::cpu
