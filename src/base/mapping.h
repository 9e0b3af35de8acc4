// Memory straight from the system: files mapped for reading, and blocks that go back to it as soon as they are freed.
#pragma once

#include <cstddef>
#include <memory>

namespace onnxrun::base {

// The first `bytes` bytes of an open file, unmapped when the last owner goes; null, with errno set, where the system refuses.
std::shared_ptr<const void> map_file(int descriptor, size_t bytes);

// A block for a while, aligned to pages; null where the system has none.
std::shared_ptr<void> map_block(size_t bytes);

// Says that bytes which `owner` keeps will not be read soon: where they are of a mapped file their pages leave memory until then.
void forget_pages(const std::shared_ptr<const void>& owner, const void* data, size_t bytes) noexcept;

}  // namespace onnxrun::base
