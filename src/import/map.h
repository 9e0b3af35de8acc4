// File contents in memory: mapped or read, regular files only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/buffer.h"
#include "import/import.h"
#include "import/wire.h"

namespace onnxrun::import {

// An open file descriptor.
class File {
 public:
  explicit File(int descriptor = -1) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  File& operator=(File&& other) noexcept;
  ~File();

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

struct FileContents {
  Bytes bytes;
  std::shared_ptr<const void> owner;
};

// Opens a file for reading without waiting for it (a FIFO). Throws kIo.
File open_file(const std::string& path);

// Contents of an open regular file by `mode`. Throws kIo when it is no regular file or changes while being read, kLimitExceeded when longer than
// `max_bytes`. Read contents are charged to `budget`. `name` is for messages.
FileContents load_contents(const File& file, const std::string& name, LoadMode mode, int64_t max_bytes,
                           const base::BudgetPtr& budget);

}  // namespace onnxrun::import
