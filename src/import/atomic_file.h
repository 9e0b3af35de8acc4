// A file that appears whole under its name or not at all.
#pragma once

#include <cstdint>
#include <string>

#include "import/map.h"

namespace onnxrun::import {

// Written under a temporary name in the same folder; `commit` syncs and renames it. Without a commit it is removed. Throws kIo.
class AtomicFile {
 public:
  explicit AtomicFile(std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  int64_t size() const { return size_; }
  void sync();
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_, temporary_;
  File file_;
  int64_t size_ = 0;
};

}  // namespace onnxrun::import
