// External data: tensors stored in files beside the model, which must be plain files inside the model's folder.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.h"
#include "import/map.h"

namespace onnxrun::import {

// Where a tensor's bytes lie, as its external_data entries say.
struct ExternalLocation {
  std::string location;
  int64_t offset = 0;
  int64_t length = -1;  // -1: not given
};

// Reads the entries (key and value). Throws kInvalidModel on unknown or repeated keys and malformed values.
ExternalLocation parse_external(const std::vector<std::pair<std::string_view, std::string_view>>& entries);

// The files external data comes from, each opened once. A location is a relative path inside the folder: absolute paths, "..", symbolic links in any part,
// hard links, devices, pipes and folders are refused (links can be allowed).
class ExternalFiles {
 public:
  // `folder` "": every access is refused (models from memory).
  ExternalFiles(std::string folder, LoadMode mode, bool allow_links, base::BudgetPtr budget)
      : folder_(std::move(folder)), mode_(mode), allow_links_(allow_links), budget_(std::move(budget)) {}

  struct Range {
    Bytes bytes;
    std::shared_ptr<const void> owner;
  };
  // `bytes` bytes at the location. Throws kInvalidModel or kIo naming the path.
  Range range(const ExternalLocation& location, int64_t bytes);
  // Paths of the files opened so far.
  std::vector<std::string> paths() const;

 private:
  const FileContents& contents(const std::string& location);
  File open_inside(const std::string& location) const;

  std::string folder_;
  LoadMode mode_;
  bool allow_links_;
  base::BudgetPtr budget_;
  std::map<std::string, FileContents> files_;
};

}  // namespace onnxrun::import
