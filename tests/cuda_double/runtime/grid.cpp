// Runs the threads of a kernel on the CPU, block by block: as plain calls as long as none waits, and on fibres from where one does. With
// CUDA_DOUBLE_REVERSED in the environment the last thread of a block runs first: what threads race for then ends otherwise.
#include "grid.h"

#include "races.h"

#include <sys/mman.h>
#include <ucontext.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#if defined(ONNXRUN_ADDRESS_SANITIZER)
#include <sanitizer/common_interface_defs.h>
#endif

namespace cuda_double {

Position* cuda_double_position = nullptr;

namespace {

constexpr size_t kStack = size_t{256} << 10;

enum class State { kReady, kAtBlockBarrier, kAtWarpBarrier, kDone };

// One thread of the block: what it waits for and, where it waits, the fibre it is on.
struct Thread {
  State state = State::kReady;
  Position position{};
  size_t fibre = 0;
  uint64_t slot = 0;  // what it hands to its warp
  uint32_t met = 0;   // barriers of its warp that it has passed
};

struct Fibre {
  ucontext_t context{};
  char* stack = nullptr;
  Fibre() {
    void* memory = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    stack = static_cast<char*>(memory);
  }
  ~Fibre() { munmap(stack, kStack); }
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;
};

class Block {
 public:
  void run(const std::function<void()>& thread, size_t count, dim3 grid, dim3 block, uint3 index) {
    thread_ = &thread;
    threads_.assign(count, {});
    for (size_t t = 0; t < count; ++t) {
      const auto n = static_cast<unsigned>(t);
      threads_[t].position = {{n % block.x, n / block.x % block.y, n / block.x / block.y}, index, block, grid};
    }
    next_ = 0;
    races().begin_block();
    size_t fibres = 0;
    // Each fibre takes threads until one of them waits.
    while (next_ < count) {
      if (fibres == fibres_.size()) fibres_.push_back(std::make_unique<Fibre>());
      begin(*fibres_[fibres]);
      fibre_ = fibres++;
      enter(fibre_);
    }
    while (release())
      for (size_t t = 0; t < count; ++t)
        if (threads_[place(t)].state == State::kReady) resume(place(t));
    races().end_block();
  }

  // Whose access it is that the running kernel makes; false for memory of the thread's own.
  bool describe(const void* address, Access& access) const {
    const auto* at = static_cast<const char*>(address);
    const char* stack = fibres_[fibre_]->stack;
    if (at >= stack && at < stack + kStack) return false;
    access.thread = static_cast<uint32_t>(current_);
    access.met = threads_[current_].met;
    return true;
  }

  // Called by the running thread.
  void wait(State at) {
    Thread& self = threads_[current_];
    self.state = at;
    self.fibre = fibre_;
    leave();
  }
  Thread& self() { return threads_[current_]; }
  Thread& lane(int lane) {
    const size_t at = current_ / 32 * 32 + static_cast<size_t>(lane);
    return at < threads_.size() ? threads_[at] : threads_[current_];
  }
  unsigned ballot() {
    unsigned result = 0;
    for (int l = 0; l < 32; ++l) {
      const size_t at = current_ / 32 * 32 + static_cast<size_t>(l);
      if (at < threads_.size() && threads_[at].slot != 0) result |= 1u << l;
    }
    return result;
  }

  void loop() {
#if defined(ONNXRUN_ADDRESS_SANITIZER)
    __sanitizer_finish_switch_fiber(nullptr, &main_bottom_, &main_size_);
#endif
    while (next_ < threads_.size()) {
      current_ = place(next_++);
      cuda_double_position = &threads_[current_].position;
      (*thread_)();
      threads_[current_].state = State::kDone;
    }
    for (;;) leave();
  }

 private:
  // The n-th thread to run: in the other order a missing barrier shows in another way.
  size_t place(size_t n) const { return reversed_ ? threads_.size() - 1 - n : n; }

  void begin(Fibre& fibre);
  void enter(size_t fibre) {
#if defined(ONNXRUN_ADDRESS_SANITIZER)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, fibres_[fibre]->stack, kStack);
    swapcontext(&main_, &fibres_[fibre]->context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    swapcontext(&main_, &fibres_[fibre]->context);
#endif
  }
  void leave() {
#if defined(ONNXRUN_ADDRESS_SANITIZER)
    void* fake = nullptr;
    __sanitizer_start_switch_fiber(&fake, main_bottom_, main_size_);
    swapcontext(&fibres_[fibre_]->context, &main_);
    __sanitizer_finish_switch_fiber(fake, &main_bottom_, &main_size_);
#else
    swapcontext(&fibres_[fibre_]->context, &main_);
#endif
  }
  void resume(size_t t) {
    current_ = t;
    fibre_ = threads_[t].fibre;
    cuda_double_position = &threads_[t].position;
    enter(fibre_);
  }

  // Lets threads go on whose warp or block is complete; false when all are done.
  bool release() {
    bool any_alive = false, released = false;
    for (size_t warp = 0; warp < threads_.size(); warp += 32) {
      const size_t end = warp + 32 < threads_.size() ? warp + 32 : threads_.size();
      bool complete = true, alive = false;
      for (size_t t = warp; t < end; ++t) {
        alive |= threads_[t].state != State::kDone;
        complete &= threads_[t].state == State::kAtWarpBarrier || threads_[t].state == State::kDone;
      }
      any_alive |= alive;
      if (!alive || !complete) continue;
      released = true;
      for (size_t t = warp; t < end; ++t)
        if (threads_[t].state == State::kAtWarpBarrier) {
          threads_[t].state = State::kReady;
          ++threads_[t].met;
        }
    }
    if (!any_alive) return false;
    if (released) return true;
    for (const Thread& thread : threads_)
      if (thread.state == State::kAtWarpBarrier) throw std::string("threads of one warp wait at different barriers");
    races().meet_block();
    for (Thread& thread : threads_)
      if (thread.state == State::kAtBlockBarrier) thread.state = State::kReady;
    return true;
  }

  const std::function<void()>* thread_ = nullptr;
  std::vector<Thread> threads_;
  std::vector<std::unique_ptr<Fibre>> fibres_;
  ucontext_t main_{};
  size_t next_ = 0, current_ = 0, fibre_ = 0;
  const bool reversed_ = std::getenv("CUDA_DOUBLE_REVERSED") != nullptr;
  const void* main_bottom_ = nullptr;
  size_t main_size_ = 0;
};

Block& block_of_process() {
  static Block block;
  return block;
}

void fibre_main() { block_of_process().loop(); }

void Block::begin(Fibre& fibre) {
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.stack;
  fibre.context.uc_stack.ss_size = kStack;
  fibre.context.uc_link = nullptr;
  makecontext(&fibre.context, fibre_main, 0);
}

}  // namespace

bool describe_access(const void* address, Access& access) { return block_of_process().describe(address, access); }

void run_grid(const std::function<void()>& thread, dim3 grid, dim3 block) {
  const size_t count = size_t{block.x} * block.y * block.z;
  Block& runner = block_of_process();
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) runner.run(thread, count, grid, block, {x, y, z});
  cuda_double_position = nullptr;
}

CUDA_DOUBLE_API void cuda_double_block_barrier() { block_of_process().wait(State::kAtBlockBarrier); }

CUDA_DOUBLE_API void cuda_double_warp_barrier() { block_of_process().wait(State::kAtWarpBarrier); }

CUDA_DOUBLE_API void cuda_double_exchange(const void* in, void* out, size_t bytes, int from) {
  Block& block = block_of_process();
  std::memcpy(&block.self().slot, in, bytes);
  block.wait(State::kAtWarpBarrier);
  std::memcpy(out, &block.lane(from).slot, bytes);
  block.wait(State::kAtWarpBarrier);
}

CUDA_DOUBLE_API unsigned cuda_double_ballot(int predicate) {
  Block& block = block_of_process();
  block.self().slot = predicate != 0;
  block.wait(State::kAtWarpBarrier);
  const unsigned result = block.ballot();
  block.wait(State::kAtWarpBarrier);
  return result;
}

}  // namespace cuda_double
