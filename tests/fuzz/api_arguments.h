// Arguments for any function of the C interface, by their types: handles that are there, nulls, numbers, texts, arrays; and what comes out.
#pragma once

#include <array>
#include <deque>
#include <tuple>
#include <type_traits>

#include "fuzz/library.h"
#include "fuzz/random.h"

namespace onnxrun::fuzz {

// What has been made and not freed, and memory that arguments point to.
class World {
 public:
  static constexpr size_t kMost = 8;     // handles of a kind; the oldest goes first
  static constexpr size_t kLength = 64;  // of every array that is handed over: no count goes beyond it

  explicit World(Random& random) : random(random) {
    for (size_t i = 0; i < kLength; ++i) {
      dims[i] = random.chance(90) ? random.between(0, 3) : random.integer();
      numbers[i] = random.number();
      texts[i] = text(false);
      lengths[i] = random.below(2);
      bytes[i] = static_cast<char>(random.below(256));
    }
  }

  const char* text(bool null = true) {
    static constexpr std::array<const char*, 30> kTexts = {"x",
                                                           "y",
                                                           "z",
                                                           "t",
                                                           "w",
                                                           "n",
                                                           "",
                                                           "first",
                                                           "Add",
                                                           "nowhere",
                                                           "0",
                                                           "1",
                                                           "3",
                                                           "all",
                                                           "late",
                                                           "cpu",
                                                           "\xff\xfe",
                                                           "key",
                                                           "a.b",
                                                           "r = Relu(t)",
                                                           "z = Mul(x, y)",
                                                           "q: float32[2] = {1, 2}",
                                                           "mode=dynamic",
                                                           "mode=float",
                                                           "type=bf16",
                                                           "block=16",
                                                           "*",
                                                           "?",
                                                           "16M",
                                                           "q = Add(x"};
    return null && random.chance(5) ? nullptr : random.pick(kTexts);
  }

  template <class T>
  std::deque<Handle<T>>& pool() {
    return std::get<std::deque<Handle<T>>>(pools_);
  }
  template <class T>
  T* some() {
    auto& all = pool<T>();
    return all.empty() || random.chance(5) ? nullptr : all[random.below(all.size())].get();
  }
  template <class T>
  void adopt(T* handle) {
    if (handle == nullptr) return;
    pool<T>().emplace_back(handle);
    if (pool<T>().size() > kMost) pool<T>().pop_front();
  }
  template <class T>
  void free_one() {
    auto& all = pool<T>();
    if (!all.empty()) all.erase(all.begin() + static_cast<std::ptrdiff_t>(random.below(all.size())));
  }

  Random& random;
  std::array<int64_t, kLength> dims{};
  std::array<double, kLength> numbers{};
  std::array<const char*, kLength> texts{};
  std::array<size_t, kLength> lengths{};
  std::array<char, kLength> bytes{};

 private:
  // Runs before sessions before models, though any order must do: `free_one` frees in any.
  std::tuple<std::deque<Handle<onnxrun_options>>, std::deque<Handle<onnxrun_model>>,
             std::deque<Handle<onnxrun_session>>, std::deque<Handle<onnxrun_run>>, std::deque<Handle<onnxrun_value>>,
             std::deque<Handle<onnxrun_blob>>, std::deque<Handle<onnxrun_editor>>>
      pools_;
};

template <class T>
inline constexpr bool is_handle =
    std::is_same_v<T, onnxrun_options> || std::is_same_v<T, onnxrun_model> || std::is_same_v<T, onnxrun_session> ||
    std::is_same_v<T, onnxrun_run> || std::is_same_v<T, onnxrun_value> || std::is_same_v<T, onnxrun_blob> ||
    std::is_same_v<T, onnxrun_editor>;

// A number, or memory for one result.
template <class T>
struct Argument {
  explicit Argument(World& world) : world(world) {}
  T get() {
    Random& random = world.random;
    if constexpr (std::is_same_v<T, double>) {
      return random.number();
    } else if constexpr (std::is_same_v<T, size_t>) {
      return random.chance(90) ? random.below(4) : random.below(World::kLength);
    } else if constexpr (std::is_same_v<T, int32_t> || std::is_same_v<T, uint32_t>) {
      return static_cast<T>(random.chance(90) ? random.between(0, 30) : random.integer());
    } else if constexpr (std::is_same_v<T, int64_t>) {
      return random.integer();
    } else if constexpr (std::is_same_v<T, const char*>) {
      return world.text();
    } else if constexpr (std::is_same_v<T, const char* const*>) {
      return random.chance(5) ? nullptr : world.texts.data();
    } else {
      static_assert(std::is_pointer_v<T>);
      using Pointee = std::remove_pointer_t<T>;
      using Plain = std::remove_const_t<Pointee>;
      if constexpr (is_handle<Plain>) {
        return world.some<Plain>();
      } else if constexpr (std::is_same_v<T, const int64_t*>) {
        return random.chance(5) ? nullptr : world.dims.data();
      } else if constexpr (std::is_same_v<T, const size_t*>) {
        return random.chance(50) ? nullptr : world.lengths.data();
      } else if constexpr (std::is_same_v<T, const double*>) {
        return random.chance(5) ? nullptr : world.numbers.data();
      } else if constexpr (std::is_same_v<T, const void*>) {
        return random.chance(5) ? nullptr : world.bytes.data();
      } else if constexpr (std::is_pointer_v<Plain> && is_handle<std::remove_const_t<std::remove_pointer_t<Plain>>> &&
                           std::is_const_v<Pointee>) {  // elements of a sequence
        for (auto& element : elements) element = world.some<std::remove_const_t<std::remove_pointer_t<Plain>>>();
        return static_cast<T>(static_cast<void*>(elements.data()));
      } else {  // results go here, arrays too
        static_assert(sizeof(Pointee) <= sizeof(void*));
        return random.chance(5) ? nullptr : static_cast<T>(static_cast<void*>(room.data()));
      }
    }
  }
  ~Argument() {
    if constexpr (std::is_pointer_v<T> && std::is_pointer_v<std::remove_pointer_t<T>>) {
      using Made = std::remove_pointer_t<std::remove_pointer_t<T>>;
      if constexpr (is_handle<Made>) world.adopt(static_cast<Made*>(room[0]));
    }
  }

  World& world;
  std::array<void*, World::kLength> room{};
  std::array<const void*, World::kLength> elements{};
};

template <class... A>
void call(World& world, onnxrun_status* (*function)(A...)) {
  std::tuple<Argument<A>...> arguments{Argument<A>(world)...};
  std::apply([&](auto&... argument) { settle(function(argument.get()...)); }, arguments);
}

}  // namespace onnxrun::fuzz
