// Counting bytes.
#include "room.h"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "outcome.h"

namespace cli {
namespace {

uint64_t machine() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

Room::Room() : Room(machine() / 5 * 4) {}

Room Room::of(const onnxrun::Session& session) {
  return Room(nlohmann::json::parse(session.memory())["limit"].get<uint64_t>());
}

void Room::take(uint64_t bytes, const std::string& what) {
  if (bytes > left_)
    throw Failure(what + " takes " + std::to_string(bytes) + " bytes, more than is left of the limit of " +
                      std::to_string(limit_) + " for inputs (--max-memory)",
                  kRun);
  left_ -= bytes;
}

}  // namespace cli
