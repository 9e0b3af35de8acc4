// com.microsoft.NGramRepeatBlock.
#include <algorithm>
#include <cstring>
#include <limits>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/scalar.h"

namespace onnxrun::cpu {
namespace {

class NGramRepeatBlock {
 public:
  static Acceptance accepts(const Node&) { return Acceptance().alias(1, 0); }

  explicit NGramRepeatBlock(const Node& node)
      : size_(node.get_int("ngram_size", 1)),
        batch_(provider::dims(node.input(1))[0]),
        length_(provider::dims(node.input(0))[1]),
        vocabulary_(provider::dims(node.input(1))[1]),
        save_(scalar_save(dtype(node.input(1)))) {}

  void run(RunContext& context) const {
    if (batch_ == 0 || (vocabulary_ == 0 && length_ == 0)) return;
    const int64_t bytes = vocabulary_ * base::dtype_bits(dtype(context.input(1))) / 8;
    parallel_polled(context, batch_, bytes + Cost(length_) * std::min(size_, length_), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        const char* from = static_cast<const char*>(context.input(1).data) + b * bytes;
        char* to = static_cast<char*>(context.output(0).data) + b * bytes;
        if (from != to) std::memcpy(to, from, static_cast<size_t>(bytes));
        const int64_t* ids = context.in<int64_t>(0) + b * length_;
        const int64_t* last =
            ids + std::max<int64_t>(0, length_ - size_ + 1);  // what a repeated n-gram would begin with
        Pacer pacer(context);
        for (int64_t i = 0; i <= length_ - size_; ++i) {
          const int64_t* const same = std::mismatch(ids + i, ids + i + size_ - 1, last).first;
          pacer.did(same - (ids + i) + 1);
          if (same != ids + i + size_ - 1) continue;
          const int64_t token = ids[i + size_ - 1];
          if (token < 0 || token >= vocabulary_)
            base::fail(base::Code::kRunFailed,
                       "NGramRepeatBlock: input_ids[{},{}] is {}, but there are scores of {} tokens", b, i + size_ - 1,
                       token, vocabulary_);
          save_(to, token, -std::numeric_limits<double>::infinity());
        }
      }
    });
  }

 private:
  int64_t size_, batch_, length_, vocabulary_;
  Save save_;
};

}  // namespace

void kernels_microsoft_ngram_repeat_block(provider::KernelTable& table) {
  table.add<NGramRepeatBlock>("com.microsoft", "NGramRepeatBlock", "direct");
}

}  // namespace onnxrun::cpu
