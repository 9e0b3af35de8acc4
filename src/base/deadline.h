// Deadline: a moment by which work on a model has to end.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace onnxrun::base {

// What a run says that did not end in time.
inline constexpr std::string_view kPastDeadline =
    "the run did not end before its deadline; give it more time or a smaller input";

class Deadline {
 public:
  Deadline() = default;  // never
  // `seconds` from now; never for 0, less, and what is as good as never.
  static Deadline after(double seconds) {
    constexpr double kForever = 1e9;  // beyond it clocks could overflow
    Deadline result;
    if (seconds > 0 && seconds < kForever)
      result.at_ = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    return result;
  }

  explicit operator bool() const { return at_.has_value(); }
  bool past() const { return at_ && Clock::now() >= *at_; }
  // Seconds until then, below 0 afterwards; 0 for never.
  double left() const { return at_ ? std::chrono::duration<double>(*at_ - Clock::now()).count() : 0; }

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> at_;
};

}  // namespace onnxrun::base
