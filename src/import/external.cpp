// Opens external data files component by component, so that nothing outside the model's folder is ever reached.
#include "import/external.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace onnxrun::import {
namespace {

using base::Code;
using base::fail;

int64_t parse_number(std::string_view key, std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0) {
    fail(Code::kInvalidModel, "external data: {} '{}' is no number of bytes (0 to 2^63-1)", key, text);
  }
  return value;
}

// Parts of a relative path without "." parts; throws where the path may leave its folder.
std::vector<std::string> parts_of(const std::string& location) {
  if (location.empty()) fail(Code::kInvalidModel, "external data: the location is empty");
  if (location.find('\0') != std::string::npos)
    fail(Code::kInvalidModel, "external data: the location holds a NUL byte");
  if (location.front() == '/') {
    fail(Code::kInvalidModel, "external data: location '{}' is absolute; it must be relative to the model's folder",
         location);
  }
  if (location.find("_ORT_MEM_ADDR_") != std::string::npos) {
    fail(Code::kInvalidModel,
         "external data: location '{}' is an address in another process's memory; save the model again with its data "
         "in a file",
         location);
  }
  std::vector<std::string> parts;
  size_t start = 0;
  while (start <= location.size()) {
    const size_t end = std::min(location.find('/', start), location.size());
    std::string part = location.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..")
      fail(Code::kInvalidModel, "external data: location '{}' has '..' and may leave the model's folder", location);
    parts.push_back(std::move(part));
  }
  if (parts.empty()) fail(Code::kInvalidModel, "external data: location '{}' names no file", location);
  return parts;
}

constexpr std::string_view kAllow = "; copy the file there, or allow links if the folder is trusted";

}  // namespace

ExternalLocation parse_external(const std::vector<std::pair<std::string_view, std::string_view>>& entries) {
  ExternalLocation result;
  bool location = false, offset = false, length = false, checksum = false;
  for (const auto& [key, value] : entries) {
    bool* seen = key == "location"   ? &location
                 : key == "offset"   ? &offset
                 : key == "length"   ? &length
                 : key == "checksum" ? &checksum
                                     : nullptr;
    if (!seen)
      fail(Code::kInvalidModel, "external data: unknown key '{}' (location, offset, length and checksum are known)",
           key);
    if (*seen) fail(Code::kInvalidModel, "external data: key '{}' is present twice", key);
    *seen = true;
    if (key == "location") result.location = value;
    if (key == "offset") result.offset = parse_number(key, value);
    if (key == "length") result.length = parse_number(key, value);
  }
  if (!location) fail(Code::kInvalidModel, "external data: no location is given");
  return result;
}

File ExternalFiles::open_inside(const std::string& location) const {
  const std::vector<std::string> parts = parts_of(location);
  const int follow = allow_links_ ? 0 : O_NOFOLLOW;
  File folder(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) fail(Code::kIo, "external data: cannot open folder '{}': {}", folder_, std::strerror(errno));
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    const int flags = O_RDONLY | O_CLOEXEC | follow | (last ? O_NONBLOCK : O_DIRECTORY);
    File next(openat(folder.get(), parts[i].c_str(), flags));
    if (!next) {
      const int error = errno;
      struct stat state {};
      const bool link =
          fstatat(folder.get(), parts[i].c_str(), &state, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(state.st_mode);
      if (link && !allow_links_) {
        fail(Code::kInvalidModel,
             "external data: '{}' in location '{}' is a symbolic link, which may lead out of the model's folder{}",
             parts[i], location, kAllow);
      }
      if (error == ENOENT)
        fail(Code::kIo, "external data: file '{}' is missing from folder '{}'; put it beside the model", location,
             folder_);
      fail(Code::kIo, "external data: cannot open '{}' in folder '{}': {}", location, folder_, std::strerror(error));
    }
    folder = std::move(next);
  }
  struct stat state {};
  if (fstat(folder.get(), &state) != 0)
    fail(Code::kIo, "external data: cannot examine '{}': {}", location, std::strerror(errno));
  if (!S_ISREG(state.st_mode))
    fail(Code::kInvalidModel, "external data: '{}' is no regular file but a folder, device or pipe", location);
  if (state.st_nlink > 1 && !allow_links_) {
    fail(Code::kInvalidModel,
         "external data: '{}' is a hard link: the same file has another name, perhaps outside the model's folder{}",
         location, kAllow);
  }
  return folder;
}

const FileContents& ExternalFiles::contents(const std::string& location) {
  const auto found = files_.find(location);
  if (found != files_.end()) return found->second;
  if (folder_.empty()) {
    fail(Code::kInvalidModel,
         "external data '{}' in a model that comes from memory: load the model from its file, or name the folder of "
         "its data",
         location);
  }
  const File file = open_inside(location);
  return files_.emplace(location, load_contents(file, location, mode_, INT64_MAX, budget_)).first->second;
}

std::vector<std::string> ExternalFiles::paths() const {
  std::vector<std::string> result;
  for (const auto& [location, contents] : files_) result.push_back(folder_ + "/" + location);
  return result;
}

ExternalFiles::Range ExternalFiles::range(const ExternalLocation& location, int64_t bytes) {
  const FileContents& file = contents(location.location);
  const auto size = static_cast<int64_t>(file.bytes.size());
  if (location.length >= 0 && location.length != bytes) {
    fail(Code::kInvalidModel, "external data: length {} in '{}' where the tensor's type and shape need {} bytes",
         location.length, location.location, bytes);
  }
  if (location.offset > size || bytes > size - location.offset) {
    fail(Code::kInvalidModel,
         "external data: {} bytes at offset {} lie beyond the end of '{}', which has {} bytes: the file is truncated "
         "or not this model's",
         bytes, location.offset, location.location, size);
  }
  return {file.bytes.substr(static_cast<size_t>(location.offset), static_cast<size_t>(bytes)), file.owner};
}

}  // namespace onnxrun::import
