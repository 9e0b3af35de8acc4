// Files read and written whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace cli {

// Throws Failure naming the path, also for files longer than `max_bytes`.
std::string read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{1} << 36);

// Writes to a temporary file beside `path`, syncs and renames it: the file appears whole or not at all. Throws Failure (run error).
void write_file(const std::filesystem::path& path, std::string_view bytes);

// `name` with every character outside [A-Za-z0-9._-] as '_'; names that would be hidden or special files get a '_' in front.
std::string file_name_of(std::string_view name);

}  // namespace cli
