// Reading and atomic writing of files.
#include "files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "outcome.h"

namespace cli {

std::string read_file(const std::filesystem::path& path, uint64_t max_bytes) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) throw Failure("'" + path.string() + "' does not exist");
  if (!std::filesystem::is_regular_file(path, error)) throw Failure("'" + path.string() + "' is no regular file");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Failure("'" + path.string() + "' cannot be read: " + std::strerror(errno));
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) throw Failure("'" + path.string() + "' cannot be read: " + error.message());
  if (size > max_bytes) throw Failure("'" + path.string() + "' is longer than " + std::to_string(max_bytes) + " bytes");
  std::string bytes(size, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<uint64_t>(stream.gcount()) != size)
    throw Failure("'" + path.string() + "' changed while it was read");
  return bytes;
}

namespace {

[[noreturn]] void fail_write(const std::filesystem::path& path, int error) {
  throw Failure("'" + path.string() + "' cannot be written: " + std::strerror(error), kRun);
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view bytes) {
  std::string temporary = path.string() + ".XXXXXX";
  const int file = mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) fail_write(path, errno);
  int error = 0;
  while (!bytes.empty() && error == 0) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
    else if (written == 0) error = ENOSPC;
    else if (errno != EINTR) error = errno;
  }
  if (error == 0 && fchmod(file, 0644) != 0) error = errno;
  while (error == 0 && fsync(file) != 0)
    if (errno != EINTR) error = errno;
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    unlink(temporary.c_str());
    fail_write(path, error);
  }
}

std::string file_name_of(std::string_view name) {
  std::string result;
  for (const char c : name) {
    const bool plain =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    result += plain ? c : '_';
  }
  if (result.empty() || result[0] == '.') result.insert(result.begin(), '_');
  return result;
}

}  // namespace cli
