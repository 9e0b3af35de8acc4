// Strided N-dimensional copies: choice of the loop (rows, elements or tiles), and its split into work items.
#include "cpu/loops/copy.h"

#include <algorithm>

#include "base/dtype.h"
#include "cpu/loops/polled.h"
#include "cpu/loops/transpose_tile.h"

namespace onnxrun::cpu {
namespace {

constexpr int64_t kBlockBytes = int64_t{16} << 10;  // of one work item
constexpr int64_t kTileRows = 128;                  // of a work item that transposes
constexpr int64_t kTileBytes = int64_t{64} << 10;   // and about how much it moves

template <class T>
void move_one(const char* from, char* to) {
  if constexpr (std::is_same_v<T, base::Text>) {
    *reinterpret_cast<T*>(to) = *reinterpret_cast<const T*>(from);
  } else {
    std::memcpy(to, from, sizeof(T));
  }
}

template <class T>
void copy_elements(const char* from, int64_t from_step, char* to, int64_t to_step, int64_t count) {
  if (to_step == sizeof(T)) {
    for (int64_t i = 0; i < count; ++i) move_one<T>(from + i * from_step, to + i * static_cast<int64_t>(sizeof(T)));
  } else {
    for (int64_t i = 0; i < count; ++i) move_one<T>(from + i * from_step, to + i * to_step);
  }
}

// Rows of `bytes`, from kHalf to twice that, each by two moves that may overlap.
template <int64_t kHalf>
void copy_halves(const char* from, int64_t from_step, char* to, int64_t to_step, int64_t bytes, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i, from += from_step, to += to_step) {
    std::memcpy(to, from, kHalf);
    std::memcpy(to + bytes - kHalf, from + bytes - kHalf, kHalf);
  }
}

constexpr int64_t kShortestRow = 4, kLongestShortRow = 64;  // bytes

void copy_short_rows(const char* from, int64_t from_step, char* to, int64_t to_step, int64_t bytes, int64_t rows) {
  if (bytes < 8) copy_halves<4>(from, from_step, to, to_step, bytes, rows);
  else if (bytes < 16) copy_halves<8>(from, from_step, to, to_step, bytes, rows);
  else if (bytes < 32) copy_halves<16>(from, from_step, to, to_step, bytes, rows);
  else copy_halves<32>(from, from_step, to, to_step, bytes, rows);
}

}  // namespace

bool is_packed(int32_t dtype) { return base::is_sub_byte(static_cast<base::DType>(dtype)); }

Unit unit_of(int32_t dtype) {
  const auto type = static_cast<base::DType>(dtype);
  if (base::is_sub_byte(type) || type == base::DType::kNone)
    base::fail(base::Code::kInternal, "elements of type {} have no address", base::dtype_name(type));
  return {base::dtype_bits(type) / 8, type == base::DType::kString};
}

void fill_run(Unit unit, const void* value, void* to, int64_t count) {
  with_storage(unit, [&]<class T>(T) {
    if constexpr (std::is_same_v<T, base::Text>) {
      std::fill_n(static_cast<T*>(to), count, *static_cast<const T*>(value));
    } else {
      T item;
      std::memcpy(&item, value, sizeof(T));
      char* out = static_cast<char*>(to);
      for (int64_t i = 0; i < count; ++i) std::memcpy(out + i * static_cast<int64_t>(sizeof(T)), &item, sizeof(T));
    }
  });
}

void copy_all(provider::RunContext& context, Unit unit, const void* from, void* to, int64_t count) {
  const int64_t one[] = {1};
  const int64_t dims[] = {count};
  StridedCopy(unit, dims, one, one).run(context, from, to);
}

StridedCopy::StridedCopy(Unit unit, base::DimsView dims, base::DimsView from_strides, base::DimsView to_strides,
                         int64_t from_offset, int64_t to_offset)
    : unit_(unit), from_offset_(from_offset * unit.bytes), to_offset_(to_offset * unit.bytes) {
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0) return;
    if (dims[i] != 1) outer_.push_back({dims[i], from_strides[i] * unit.bytes, to_strides[i] * unit.bytes});
  }
  collapse();
  choose();
  split();
}

// Joins neighbouring axes that are one run on both sides.
void StridedCopy::collapse() {
  std::vector<Axis> joined;
  for (const Axis& axis : outer_) {
    if (!joined.empty()) {
      Axis& last = joined.back();
      if (last.from == axis.from * axis.size && last.to == axis.to * axis.size) {
        last = {last.size * axis.size, axis.from, axis.to};
        continue;
      }
    }
    joined.push_back(axis);
  }
  outer_ = std::move(joined);
}

void StridedCopy::take_inner(size_t axis) {
  inner_ = outer_[axis];
  outer_.erase(outer_.begin() + static_cast<std::ptrdiff_t>(axis));
}

// Rows are taken as they lie in the source where the destination's order would step through it by pages.
void StridedCopy::follow_source() {
  constexpr int64_t kPage = 4096, kLarge = int64_t{1} << 20, kMostStreams = 32;
  if (outer_.size() < 2) return;
  Axis &last = outer_[outer_.size() - 1], &before = outer_[outer_.size() - 2];
  const bool by_pages = last.from >= kPage && before.from > 0 && before.from < last.from;
  if (by_pages && before.size <= kMostStreams && last.from * last.size >= kLarge) std::swap(last, before);
}

void StridedCopy::choose() {
  if (!outer_.empty() && outer_.back().from == unit_.bytes && outer_.back().to == unit_.bytes) {
    const int64_t bytes = outer_.back().size * unit_.bytes;
    if (unit_.string || bytes > 16 || (bytes & (bytes - 1)) != 0 || outer_.size() == 1) {
      kind_ = Kind::kRows;
      take_inner(outer_.size() - 1);
      follow_source();
      if (unit_.string || outer_.empty() || bytes < kShortestRow || bytes > kLongestShortRow) return;
      kind_ = Kind::kShortRows;
      cross_ = outer_.back();
      outer_.pop_back();
      return;
    }
    unit_.bytes = bytes;  // a short row moves as one wide element
    outer_.pop_back();
  }
  kind_ = Kind::kElements;
  if (outer_.empty()) {
    inner_ = {1, unit_.bytes, unit_.bytes};
    return;
  }
  const size_t last = outer_.size() - 1;
  if (!unit_.string && outer_[last].to == unit_.bytes) {
    for (size_t i = 0; i < last; ++i) {
      const bool side_by_side = outer_[last].from == outer_[i].size * unit_.bytes;
      if (outer_[i].from != unit_.bytes || (outer_[i].size < 4 && outer_[last].size >= 4 && !side_by_side)) continue;
      kind_ = Kind::kTiles;
      cross_ = outer_[last];
      outer_.pop_back();
      take_inner(i);
      return;
    }
  }
  size_t longest = last;
  if (outer_[last].size < 8) {
    for (size_t i = last; i-- > 0;)
      if (outer_[i].size > outer_[longest].size) longest = i;
  }
  take_inner(longest);
}

void StridedCopy::split() {
  if (kind_ == Kind::kTiles) {  // whole cache lines of the source
    const int64_t line = std::max<int64_t>(8, 64 / unit_.bytes);
    block_ = std::min(std::max(line, kTileRows), inner_.size);
    cross_block_ = std::min(std::max(line, kTileBytes / (block_ * unit_.bytes) / line * line), cross_.size);
    cross_blocks_ = (cross_.size + cross_block_ - 1) / cross_block_;
  } else if (kind_ == Kind::kShortRows) {
    block_ = inner_.size;
    cross_block_ = std::min(kBlockBytes / (block_ * unit_.bytes), cross_.size);
    cross_blocks_ = (cross_.size + cross_block_ - 1) / cross_block_;
  } else {
    block_ = std::min(std::max<int64_t>(1, kBlockBytes / unit_.bytes), inner_.size);
  }
  blocks_ = (inner_.size + block_ - 1) / block_;
  item_bytes_ = block_ * cross_block_ * unit_.bytes;
  items_ = blocks_ * cross_blocks_;
  for (const Axis& axis : outer_) items_ *= axis.size;
}

// Copies work item `part` of the inner (and cross) axis.
void StridedCopy::block(const char* from, char* to, int64_t part) const {
  const int64_t first = part / cross_blocks_ * block_;
  const int64_t size = std::min(block_, inner_.size - first);
  from += first * inner_.from;
  to += first * inner_.to;
  if (kind_ == Kind::kRows) {
    copy_run(unit_, from, to, size);
  } else if (kind_ == Kind::kShortRows) {
    const int64_t row = part % cross_blocks_ * cross_block_;
    copy_short_rows(from + row * cross_.from, cross_.from, to + row * cross_.to, cross_.to, size * unit_.bytes,
                    std::min(cross_block_, cross_.size - row));
  } else if (kind_ == Kind::kTiles) {
    const int64_t column = part % cross_blocks_ * cross_block_;
    transpose_tiles(unit_.bytes, from + column * cross_.from, cross_.from, to + column * cross_.to, inner_.to, size,
                    std::min(cross_block_, cross_.size - column));
  } else if (inner_.from == 0 && inner_.to == unit_.bytes) {
    fill_run(unit_, from, to, size);
  } else {
    with_storage(unit_, [&]<class T>(T) { copy_elements<T>(from, inner_.from, to, inner_.to, size); });
  }
}

void StridedCopy::work(const char* from, char* to, int64_t begin, int64_t end) const {
  constexpr size_t kInline = 16;
  int64_t few[kInline];
  std::vector<int64_t> many;
  int64_t* index = few;
  if (outer_.size() > kInline) {
    many.resize(outer_.size());
    index = many.data();
  }
  from += from_offset_;
  to += to_offset_;
  const int64_t parts = blocks_ * cross_blocks_;
  int64_t item = begin / parts;
  int64_t part = begin % parts;
  for (size_t i = outer_.size(); i-- > 0;) {
    index[i] = item % outer_[i].size;
    item /= outer_[i].size;
    from += index[i] * outer_[i].from;
    to += index[i] * outer_[i].to;
  }
  for (int64_t i = begin; i < end; ++i) {
    block(from, to, part);
    if (++part < parts) continue;
    part = 0;
    for (size_t axis = outer_.size(); axis-- > 0;) {
      from += outer_[axis].from;
      to += outer_[axis].to;
      if (++index[axis] < outer_[axis].size) break;
      from -= outer_[axis].from * outer_[axis].size;
      to -= outer_[axis].to * outer_[axis].size;
      index[axis] = 0;
    }
  }
}

void StridedCopy::run(const void* from, void* to) const {
  if (kind_ != Kind::kNothing) work(static_cast<const char*>(from), static_cast<char*>(to), 0, items_);
}

void StridedCopy::run(provider::RunContext& context, const void* from, void* to) const {
  if (kind_ == Kind::kNothing) return;
  parallel_polled(context, items_, item_bytes_, [&](int64_t begin, int64_t end) {
    work(static_cast<const char*>(from), static_cast<char*>(to), begin, end);
  });
}

}  // namespace onnxrun::cpu
