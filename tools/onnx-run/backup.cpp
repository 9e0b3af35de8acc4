// Backups by hard link where the file system has them, else by copy: the file stays under its name until the new one takes it.
#include "backup.h"

#include "outcome.h"

namespace cli {

namespace fs = std::filesystem;

Backup::~Backup() {
  std::error_code ignored;
  for (const fs::path& path : made_) fs::remove(path, ignored);
}

void Backup::protect(const std::string& input, const std::string& output) {
  std::error_code error;
  if (!fs::equivalent(input, output, error) || error) return;
  if (!allowed_)
    throw Failure("'" + output + "' is the input itself: write to another file, or allow it with --backup");
  const fs::path kept = output + ".bak";
  if (fs::exists(fs::symlink_status(kept)))
    throw Failure("'" + kept.string() + "' exists already: move it away to make a new backup");
  fs::create_hard_link(output, kept, error);
  if (error) fs::copy_file(output, kept, error);
  if (error) throw Failure("cannot make the backup '" + kept.string() + "': " + error.message(), kModel);
  made_.push_back(kept);
}

}  // namespace cli
