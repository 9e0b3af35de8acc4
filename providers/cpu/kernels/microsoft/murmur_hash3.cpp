// com.microsoft.MurmurHash3: Austin Appleby's MurmurHash3_x86_32 over the bytes of each element.
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "cpu/cpu.h"
#include "cpu/loops/polled.h"

namespace onnxrun::cpu {
namespace {

uint32_t scramble(uint32_t word) { return std::rotl(word * 0xcc9e2d51u, 15) * 0x1b873593u; }

uint32_t hash(std::string_view bytes, uint32_t seed) {
  uint32_t state = seed;
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) {
    uint32_t word = 0;
    std::memcpy(&word, bytes.data() + at, 4);
    state = std::rotl(state ^ scramble(word), 13) * 5 + 0xe6546b64u;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i-- > at;) tail = tail << 8 | static_cast<uint8_t>(bytes[i]);
  if (at < bytes.size()) state ^= scramble(tail);
  state ^= static_cast<uint32_t>(bytes.size());
  state = (state ^ state >> 16) * 0x85ebca6bu;
  state = (state ^ state >> 13) * 0xc2b2ae35u;
  return state ^ state >> 16;
}

class MurmurHash3 {
 public:
  static Acceptance accepts(const Node&) { return {}; }

  explicit MurmurHash3(const Node& node)
      : seed_(static_cast<uint32_t>(node.get_int("seed", 0))), count_(provider::count(node.input(0))) {}

  void run(RunContext& context) const {
    const DType type = dtype(context.input(0));
    uint32_t* out = static_cast<uint32_t*>(context.output(0).data);
    const size_t bytes = static_cast<size_t>(base::dtype_bits(type) / 8);
    parallel_polled(context, count_, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i)
        out[i] = type == DType::kString
                     ? hash(context.in<std::string>(0)[i], seed_)
                     : hash({static_cast<const char*>(context.input(0).data) + static_cast<size_t>(i) * bytes, bytes},
                            seed_);
    });
  }

 private:
  uint32_t seed_;
  int64_t count_;
};

}  // namespace

void kernels_microsoft_murmur_hash3(provider::KernelTable& table) {
  table.add<MurmurHash3>("com.microsoft", "MurmurHash3", "bytes");
}

}  // namespace onnxrun::cpu
