// Runs a fuzzed function on the files of folders, whole and (where bytes are what is fuzzed) cut short, and on as many changed ones as asked for, where no
// fuzzer drives it.
//
//   <name>_fuzz [--changed N] [--random N] [--first SEED] [--keep FILE] FOLDER...
//
// Changes are those of the program's custom mutator where it has one, otherwise of bytes; `--random` tries bytes that come from no file. The last input
// tried is in FILE when it crashes.
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <string>
#include <vector>

extern "C" {
int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
__attribute__((weak)) size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t room, unsigned seed);
__attribute__((weak)) size_t LLVMFuzzerCustomCrossOver(const uint8_t* first, size_t first_size, const uint8_t* second,
                                                       size_t second_size, uint8_t* out, size_t room, unsigned seed);
}

namespace {

constexpr size_t kCuts = 500, kRoom = 1 << 16, kMostRandom = 600;
constexpr unsigned kSeconds = 60;  // that an input may take
std::string keep;
volatile unsigned long tried = 0;  // inputs before this one, or its seed

// Says which input it was; the signal then does what it always does.
void tell(int signal) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "signal %d at input %lu\n", signal, tried);
  static_cast<void>(!write(STDERR_FILENO, text, static_cast<size_t>(length)));
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

const uint8_t* bytes_of(const std::string& text) { return reinterpret_cast<const uint8_t*>(text.data()); }

void replay(const std::string& bytes) {
  if (!keep.empty()) std::ofstream(keep, std::ios::binary) << bytes;
  alarm(kSeconds);
  LLVMFuzzerTestOneInput(bytes_of(bytes), bytes.size());
  tried = tried + 1;
}

std::string changed_bytes(std::string bytes, std::mt19937& random) {
  for (size_t i = 0, changes = 1 + random() % 4; i < changes; ++i) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 4) {
      case 0: bytes.insert(at, 1 + random() % 16, static_cast<char>(random())); break;
      case 1: bytes.erase(at, 1 + random() % 8); break;
      default:
        if (!bytes.empty()) bytes[at] = static_cast<char>(random());
    }
  }
  return bytes;
}

std::string changed(const std::vector<std::string>& files, std::mt19937& random) {
  std::string bytes = files[random() % files.size()];
  if (LLVMFuzzerCustomMutator == nullptr) return changed_bytes(bytes, random);
  for (size_t i = 0, times = 1 + random() % 3; i < times; ++i) {
    std::string room(kRoom, '\0');
    auto* to = reinterpret_cast<uint8_t*>(room.data());
    size_t size = 0;
    if (LLVMFuzzerCustomCrossOver != nullptr && random() % 4 == 0) {
      const std::string& other = files[random() % files.size()];
      size =
          LLVMFuzzerCustomCrossOver(bytes_of(bytes), bytes.size(), bytes_of(other), other.size(), to, kRoom, random());
    } else if (bytes.size() <= kRoom) {
      std::memcpy(to, bytes.data(), bytes.size());
      size = LLVMFuzzerCustomMutator(to, bytes.size(), kRoom, random());
    }
    if (size != 0) bytes = room.substr(0, size);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0, made = 0;
  unsigned first = 0;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.starts_with("--")) {
      if (++i == argc) return 2;
      if (argument == "--changed") count = std::strtoul(argv[i], nullptr, 10);
      else if (argument == "--random") made = std::strtoul(argv[i], nullptr, 10);
      else if (argument == "--first") first = static_cast<unsigned>(std::strtoul(argv[i], nullptr, 10));
      else if (argument == "--keep") keep = argv[i];
      else return 2;
      continue;
    }
    std::set<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argument))
      if (entry.is_regular_file()) paths.insert(entry.path());
    for (const auto& path : paths) {
      std::ifstream file(path, std::ios::binary);
      files.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
  }
  for (const int signal : {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) std::signal(signal, tell);
  for (const std::string& bytes : files) {
    replay(bytes);
    if (LLVMFuzzerCustomMutator != nullptr) continue;
    for (size_t size = 0; size < bytes.size(); size += bytes.size() / kCuts + 1) replay(bytes.substr(0, size));
  }
  for (size_t i = 0; i < count && !files.empty(); ++i) {
    std::mt19937 random(first + static_cast<unsigned>(i));
    tried = first + i;
    replay(changed(files, random));
  }
  for (size_t i = 0; i < made; ++i) {
    std::mt19937 random(first + static_cast<unsigned>(i));
    tried = first + i;
    std::string bytes(random() % kMostRandom, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    replay(bytes);
  }
  std::printf("%zu files, %zu changed, %zu at random\n", files.size(), count, made);
  return files.empty();
}
