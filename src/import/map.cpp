// Maps and reads regular files.
#include "import/map.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/mapping.h"

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

}  // namespace

File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

File::~File() {
  if (descriptor_ >= 0) close(descriptor_);
}

File open_file(const std::string& path) {
  if (path.find('\0') != std::string::npos) fail(Code::kInvalidArgument, "a file path holds a NUL byte");
  File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) fail(Code::kIo, "cannot open '{}': {}", path, std::strerror(errno));
  return file;
}

FileContents load_contents(const File& file, const std::string& name, LoadMode mode, int64_t max_bytes,
                           const base::BudgetPtr& budget) {
  struct stat before {};
  if (fstat(file.get(), &before) != 0) fail(Code::kIo, "cannot examine '{}': {}", name, std::strerror(errno));
  if (S_ISDIR(before.st_mode)) fail(Code::kIo, "'{}' is a folder; give the model file in it", name);
  if (!S_ISREG(before.st_mode))
    fail(Code::kIo, "'{}' is no regular file (a device, pipe or socket); only regular files are read", name);
  const int64_t size = before.st_size;
  if (size > max_bytes) base::exceed(fmt::format("'{}' has {} bytes", name, size), max_bytes, "max_file");
  if (size == 0) return {};
  const auto bytes = static_cast<size_t>(size);
  if (mode == LoadMode::kMap) {
    std::shared_ptr<const void> owner = base::map_file(file.get(), bytes);
    if (!owner) fail(Code::kIo, "cannot map '{}': {}", name, std::strerror(errno));
    return {Bytes(static_cast<const char*>(owner.get()), bytes), owner};
  }
  base::BufferPtr buffer = base::Buffer::allocate(bytes, budget);
  auto* to = static_cast<char*>(buffer->data());
  size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        pread(file.get(), to + done, std::min<size_t>(bytes - done, size_t{1} << 30), static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(Code::kIo, "cannot read '{}': {}", name, std::strerror(errno));
    if (got == 0) fail(Code::kIo, "'{}' became shorter while it was read", name);
    done += static_cast<size_t>(got);
  }
  struct stat after {};
  if (fstat(file.get(), &after) != 0 || !same_state(before, after))
    fail(Code::kIo, "'{}' changed while it was read", name);
  return {Bytes(to, bytes), buffer};
}

}  // namespace onnxrun::import
