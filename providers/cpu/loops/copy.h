// Strided N-dimensional copies: the loops under Transpose, Slice, Expand, Concat, Pad and all else that only moves elements.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <onnxrun/provider.hpp>

#include "base/dtype.h"
#include "base/error.h"
#include "base/shape.h"
#include "base/text_memory.h"

namespace onnxrun::cpu {

// How elements of a type are moved: their size in bytes, and whether they are std::string. Sub-byte types have no unit: their
// kernels are wrapped in Unpacked (unpacked.h).
struct Unit {
  int64_t bytes = 0;
  bool string = false;
};

struct Bytes16 {
  uint64_t low = 0, high = 0;
  friend bool operator==(const Bytes16&, const Bytes16&) = default;
};

// Throws kInternal for sub-byte types.
Unit unit_of(int32_t dtype);

// Whether the type is stored packed, several elements a byte.
bool is_packed(int32_t dtype);

// Calls f(T()) with a type that stores the unit: uint8_t, uint16_t, uint32_t, uint64_t, Bytes16 or base::Text.
template <class F>
void with_storage(Unit unit, F&& f) {
  if (unit.string) return f(base::Text());
  switch (unit.bytes) {
    case 1: return f(uint8_t{});
    case 2: return f(uint16_t{});
    case 4: return f(uint32_t{});
    case 8: return f(uint64_t{});
    case 16: return f(Bytes16{});
    default: base::fail(base::Code::kInternal, "no storage type of {} bytes", unit.bytes);
  }
}

// The address of element `index`.
inline const char* at(const void* data, Unit unit, int64_t index) {
  return static_cast<const char*>(data) + index * unit.bytes;
}
inline char* at(void* data, Unit unit, int64_t index) { return static_cast<char*>(data) + index * unit.bytes; }

// Copies `count` adjacent elements. The ranges do not overlap.
inline void copy_run(Unit unit, const void* from, void* to, int64_t count) {
  if (count <= 0) return;
  if (unit.string) {
    std::copy_n(static_cast<const base::Text*>(from), count, static_cast<base::Text*>(to));
  } else {
    std::memcpy(to, from, static_cast<size_t>(count * unit.bytes));
  }
}

// Sets `count` adjacent elements to `*value`.
void fill_run(Unit unit, const void* value, void* to, int64_t count);

// The same with the work split over the threads of the run; cancellable.
void copy_all(provider::RunContext& context, Unit unit, const void* from, void* to, int64_t count);

// A copy of dims[0] × dims[1] × ... elements from one strided array to another, prepared once and run many times. Strides are in
// elements; those of the source may be 0 (repeat) or negative. Elements written are distinct.
class StridedCopy {
 public:
  StridedCopy() = default;  // copies nothing
  StridedCopy(Unit unit, base::DimsView dims, base::DimsView from_strides, base::DimsView to_strides,
              int64_t from_offset = 0, int64_t to_offset = 0);

  bool empty() const { return kind_ == Kind::kNothing; }

  // In parallel over the threads of the run; throws kCancelled when the run is.
  void run(provider::RunContext& context, const void* from, void* to) const;
  // On the calling thread.
  void run(const void* from, void* to) const;

 private:
  enum class Kind : uint8_t { kNothing, kRows, kShortRows, kElements, kTiles };
  struct Axis {
    int64_t size = 1, from = 0, to = 0;  // strides in bytes
  };

  void collapse();
  void choose();
  void take_inner(size_t axis);
  void follow_source();
  void split();
  void work(const char* from, char* to, int64_t begin, int64_t end) const;
  void block(const char* from, char* to, int64_t part) const;

  Kind kind_ = Kind::kNothing;
  Unit unit_;
  int64_t from_offset_ = 0, to_offset_ = 0;  // bytes
  std::vector<Axis> outer_;
  Axis inner_;                      // kRows, kShortRows: adjacent on both sides; kTiles: adjacent in the source
  Axis cross_;                      // kTiles: adjacent in the destination; kShortRows: the rows
  int64_t block_ = 1, blocks_ = 1;  // the inner axis in work items of `block_` elements
  int64_t cross_block_ = 1, cross_blocks_ = 1;  // kTiles, kShortRows: and the cross axis
  int64_t items_ = 0, item_bytes_ = 1;
};

}  // namespace onnxrun::cpu
