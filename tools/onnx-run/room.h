// How many bytes the inputs of a command may take.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace cli {

class Room {
 public:
  explicit Room(uint64_t bytes) : limit_(bytes), left_(bytes) {}
  // The session's limit, which --max-memory sets.
  static Room of(const onnxrun::Session& session);
  // That of sessions with the options.
  static Room of(const onnxrun::Options& options);

  // Throws Failure naming `what` where so many bytes are not left.
  void take(uint64_t bytes, const std::string& what);
  void give_back(uint64_t bytes) { left_ += bytes; }

 private:
  uint64_t limit_, left_;
};

// Bytes taken for as long as something lives; more may be taken as it grows.
class Taken {
 public:
  Taken(Room& room, uint64_t bytes, std::string what) : room_(room), what_(std::move(what)) { add(bytes); }
  ~Taken() { room_.give_back(bytes_); }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  void add(uint64_t bytes) {
    room_.take(bytes, what_);
    bytes_ += bytes;
  }

 private:
  Room& room_;
  std::string what_;
  uint64_t bytes_ = 0;
};

// What so many strings take beside characters that they do not hold themselves.
constexpr uint64_t bytes_of_strings(uint64_t count) { return count * sizeof(std::string); }

// What the elements of a value take.
uint64_t bytes_of(const onnxrun::Value& value);

}  // namespace cli
