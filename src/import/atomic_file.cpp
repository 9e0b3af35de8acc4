// Writes, syncs and renames a file.
#include "import/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace onnxrun::import {

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".XXXXXX") {
  if (path_.find('\0') != std::string::npos) base::fail(Code::kInvalidArgument, "a file path holds a NUL byte");
  file_ = File(mkostemp(temporary_.data(), O_CLOEXEC));
  if (!file_) {
    temporary_.clear();
    fail("create a file beside");
  }
  // The mode that a plainly created file would have, or that of the file replaced.
  struct stat old {};
  mode_t mode = 0;
  if (stat(path_.c_str(), &old) == 0) {
    mode = old.st_mode & 0777;
  } else {
    // The mask can be read only by setting it.
    const mode_t mask = umask(0);
    umask(mask);
    mode = 0666 & ~mask;
  }
  fchmod(file_.get(), mode);
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) {
  const auto* from = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t done = ::write(file_.get(), from, std::min<size_t>(bytes, size_t{1} << 30));
    if (done < 0 && errno == EINTR) continue;
    if (done == 0) errno = ENOSPC;
    if (done <= 0) fail("write");
    from += done;
    bytes -= static_cast<size_t>(done);
    size_ += done;
  }
}

void AtomicFile::sync() {
  while (fsync(file_.get()) != 0)
    if (errno != EINTR) fail("sync");
}

void AtomicFile::commit() {
  sync();
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail("rename a temporary file to");
  temporary_.clear();
  const std::string parent = std::filesystem::path(path_).parent_path().string();
  const File folder(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) fsync(folder.get());
}

void AtomicFile::fail(const char* what) const {
  base::fail(Code::kIo, "cannot {} '{}': {}", what, path_, std::strerror(errno));
}

}  // namespace onnxrun::import
