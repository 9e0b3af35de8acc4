// A stream of a device.
#include "cuda/host/stream.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "cuda/host/check.h"
#include "cuda/host/libraries.h"

namespace onnxrun::cuda {

namespace {

constexpr size_t kPinnedBlock = size_t{4} << 20;
constexpr size_t kKeptPinned = size_t{64} << 20;  // pinned memory that a stream keeps though it does not use it
constexpr int kIdleWaits = 256;                   // after so many waits without use, what is more goes
constexpr size_t kLargeLanding = size_t{1} << 20;
constexpr size_t kLargePiece = size_t{64} << 10;
constexpr size_t kPiece = size_t{1} << 30;  // of one copy

std::string message_of(int code, const std::vector<std::string>& messages, const std::vector<Graph*>& launched) {
  if (static_cast<size_t>(code) <= messages.size()) return messages[static_cast<size_t>(code) - 1];
  for (Graph* graph : launched)
    if (const auto found = graph->messages().find(code); found != graph->messages().end()) return found->second;
  return "cuda: a kernel reports bad data";
}

// Whether the device reaches the memory by itself. Asked of large pieces only, which a detour through memory of ours costs more.
bool is_pinned(const void* memory, size_t bytes) {
  if (bytes < kLargePiece) return false;
  for (const void* at : {memory, static_cast<const void*>(static_cast<const char*>(memory) + bytes - 1)}) {
    cudaPointerAttributes attributes{};
    if (cudaPointerGetAttributes(&attributes, at) != cudaSuccess) {
      cudaGetLastError();
      return false;
    }
    if (attributes.type != cudaMemoryTypeHost) return false;
  }
  return true;
}

}  // namespace

Stream::Stream(Device& device) : device_(device) {
  device_.use();
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}

Stream::~Stream() {
  device_.use();
  cudaStreamSynchronize(stream_);
  if (convolutions_ != nullptr) cudnn().destroy(convolutions_);
  if (default_ != nullptr) cudaEventDestroy(default_);
  for (cudaEvent_t event : arrivals_) cudaEventDestroy(event);
  for (const PinnedBlock& block : pinned_) cudaFreeHost(block.data);
  if (report_ != nullptr) device_.deallocate(report_);
  cudaStreamDestroy(stream_);
}

cudnnHandle_t Stream::convolutions() {
  if (convolutions_ == nullptr) {
    check(cudnn().create(&convolutions_), "creating a handle");
    check(cudnn().set_stream(convolutions_, stream_), "setting a handle's stream");
  }
  return convolutions_;
}

// Pinned memory that nothing uses before the next synchronisation.
char* Stream::stage(size_t bytes) {
  if (recording_) return recording_->stage(bytes);
  bytes = (bytes + 63) / 64 * 64;
  while (block_ < pinned_.size() && block_used_ + bytes > pinned_[block_].bytes) {
    ++block_;
    block_used_ = 0;
  }
  if (block_ == pinned_.size()) {
    void* memory = nullptr;
    const size_t size = std::max(bytes, kPinnedBlock);
    check(cudaHostAlloc(&memory, size, cudaHostAllocDefault), "allocating pinned memory");
    pinned_.push_back({static_cast<char*>(memory), size});
    block_used_ = 0;
  }
  char* result = pinned_[block_].data + block_used_;
  block_used_ += bytes;
  return result;
}

void Stream::upload(const void* from, void* to, size_t bytes) {
  device_.use();
  for (size_t done = 0; done < bytes; done += kPiece)
    send(static_cast<const char*>(from) + done, static_cast<char*>(to) + done, std::min(kPiece, bytes - done));
}

void Stream::send(const void* from, void* to, size_t bytes) {
  if (bytes == 0) return;
  // What is recorded is done again, when the caller's memory may be gone.
  if (!recording_ && is_pinned(from, bytes)) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying to the device");
    return;
  }
  char* pinned = stage(bytes);
  std::memcpy(pinned, from, bytes);
  check(cudaMemcpyAsync(to, pinned, bytes, cudaMemcpyHostToDevice, stream_), "copying to the device");
}

void Stream::download(const void* from, void* to, size_t bytes) {
  if (bytes == 0) return;
  if (recording_) base::fail(base::Code::kUnsupported, "cuda: a copy to the host cannot be recorded");
  device_.use();
  if (is_pinned(to, bytes)) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the device");
    return;
  }
  char* pinned = stage(bytes);
  check(cudaMemcpyAsync(pinned, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the device");
  landings_.push_back({pinned, to, bytes, arrival(bytes)});
}

void Stream::move(const void* from, void* to, size_t bytes) {
  if (bytes == 0) return;
  device_.use();
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "copying on the device");
  count_work();
}

void Stream::await_default() {
  device_.use();
  if (default_ == nullptr) check(cudaEventCreateWithFlags(&default_, cudaEventDisableTiming), "creating an event");
  check(cudaEventRecord(default_, cudaStreamLegacy), "waiting for the default stream");
  check(cudaStreamWaitEvent(stream_, default_, 0), "waiting for the default stream");
}

void Stream::make_report() {
  if (report_ != nullptr) return;
  report_ = static_cast<int*>(device_.allocate(sizeof(int)));
  check(cudaMemsetAsync(report_, 0, sizeof(int), stream_), "clearing the report");
}

Report Stream::expect(std::string message) {
  if (recording_) {
    recording_->messages()[next_recorded_] = std::move(message);
    return {report_, next_recorded_++};
  }
  make_report();
  messages_.push_back(std::move(message));
  return {report_, static_cast<int>(messages_.size())};
}

void Stream::begin_capture() {
  device_.use();
  make_report();
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeRelaxed), "recording");
  recording_ = std::make_unique<Graph>(*this);
}

void Stream::end_capture(Graph*& graph) {
  device_.use();
  const std::unique_ptr<Graph> recording = std::move(recording_);
  cudaGraph_t recorded = nullptr;
  check(cudaStreamEndCapture(stream_, &recorded), "recording");
  const std::shared_ptr<std::remove_pointer_t<cudaGraph_t>> owner(recorded, [](cudaGraph_t g) { cudaGraphDestroy(g); });
  if (graph != nullptr) {
    graph->take(recorded);
    graph->adopt(*recording);
    return;
  }
  auto made = std::make_unique<Graph>(*this);
  made->take(recorded);
  made->adopt(*recording);
  graph = made.release();
}

void Stream::launch(Graph& graph) {
  device_.use();
  graph.launch(stream_);
  if (!graph.messages().empty()) launched_.push_back(&graph);
  count_work();
}

// A place behind a large copy to the host, so that it may be taken over while later ones are under way.
cudaEvent_t Stream::arrival(size_t bytes) {
  if (bytes < kLargeLanding) return nullptr;
  if (arrivals_used_ == arrivals_.size()) {
    cudaEvent_t made = nullptr;
    check(cudaEventCreateWithFlags(&made, cudaEventDisableTiming), "creating an event");
    arrivals_.push_back(made);
  }
  const cudaEvent_t result = arrivals_[arrivals_used_++];
  check(cudaEventRecord(result, stream_), "placing an event");
  return result;
}

// Waits for all work; what was copied to the host goes to its places as it arrives.
cudaError_t Stream::land() {
  const std::vector<Landing> landings = std::move(landings_);
  landings_.clear();
  arrivals_used_ = 0;
  cudaError_t error = cudaSuccess;
  for (const Landing& landing : landings) {
    if (landing.arrived == nullptr) continue;
    if (error = cudaEventSynchronize(landing.arrived); error != cudaSuccess) break;
    std::memcpy(landing.to, landing.pinned, landing.bytes);
  }
  if (const cudaError_t all = cudaStreamSynchronize(stream_); error == cudaSuccess) error = all;
  if (error == cudaSuccess)
    for (const Landing& landing : landings)
      if (landing.arrived == nullptr) std::memcpy(landing.to, landing.pinned, landing.bytes);
  return error;
}

void Stream::synchronize() {
  device_.use();
  int code = 0;
  if (recording_) base::fail(base::Code::kUnsupported, "cuda: waiting for the device cannot be recorded");
  const bool reported = !messages_.empty() || !launched_.empty();
  if (reported) download(report_, &code, sizeof(code));
  const cudaError_t error = land();
  const std::vector<std::string> messages = std::move(messages_);
  messages_.clear();
  const std::vector<Graph*> launched = std::move(launched_);
  launched_.clear();
  const size_t used = block_used_ == 0 ? block_ : block_ + 1;  // blocks of the work that ends here
  block_ = block_used_ = 0;
  check(error, "waiting for the device");
  drop_idle_blocks(used);
  if (!reported || code == 0) return;
  check(cudaMemsetAsync(report_, 0, sizeof(int), stream_), "clearing the report");
  throw base::Error(base::Code::kRunFailed, message_of(code, messages, launched));
}

// A run may wait several times, so that only what many waits did not need is idle.
void Stream::drop_idle_blocks(size_t used) {
  size_t bytes = 0;
  for (const PinnedBlock& block : pinned_) bytes += block.bytes;
  if (bytes <= kKeptPinned || used == pinned_.size()) {
    idle_waits_ = 0;
    return;
  }
  if (++idle_waits_ < kIdleWaits) return;
  idle_waits_ = 0;
  for (; bytes > kKeptPinned && !pinned_.empty(); pinned_.pop_back()) {
    bytes -= pinned_.back().bytes;
    cudaFreeHost(pinned_.back().data);
  }
}

void Stream::trim() noexcept {
  device_.use();
  for (const PinnedBlock& block : pinned_) cudaFreeHost(block.data);
  pinned_.clear();
  block_ = block_used_ = 0;
}

}  // namespace onnxrun::cuda
