// Calls that hand their error back as a value instead of throwing it.
#pragma once

#include <onnxrun/error.hpp>

#include <type_traits>
#include <utility>
#include <variant>

namespace onnxrun {

// A value or the Error that stood in its way; as C++23's std::expected<T, Error>.
template <class T>
class [[nodiscard]] Expected {
 public:
  using value_type = T;
  using error_type = Error;

  Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // The value; throws the error where there is none.
  T& value() & { return need(), std::get<0>(state_); }
  const T& value() const& { return need(), std::get<0>(state_); }
  T&& value() && { return need(), std::get<0>(std::move(state_)); }
  // The same without a check: only where has_value().
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  const T* operator->() const noexcept { return std::get_if<0>(&state_); }
  // Only where not has_value().
  const Error& error() const noexcept { return *std::get_if<1>(&state_); }

  template <class U>
  T value_or(U&& other) const& {
    return has_value() ? **this : static_cast<T>(std::forward<U>(other));
  }

 private:
  void need() const {
    if (!has_value()) throw error();
  }
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  using value_type = void;
  using error_type = Error;

  Expected() = default;
  Expected(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (!has_value()) throw error();
  }
  const Error& error() const noexcept { return *std::get_if<1>(&state_); }

 private:
  std::variant<std::monostate, Error> state_;
};

// What `call` returns, or the Error that it throws: `auto session = attempt([&] { return Session(path); });`. Other exceptions pass.
template <class F>
auto attempt(F&& call) -> Expected<std::decay_t<std::invoke_result_t<F>>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(call)();
      return {};
    } else {
      return std::forward<F>(call)();
    }
  } catch (const Error& error) {
    return error;
  }
}

}  // namespace onnxrun
