// Reading zip archives of .npy files.
#include "npz.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <map>

#include "npy.h"
#include "outcome.h"

namespace cli {
namespace {

constexpr uint64_t kMaxMember = uint64_t{1} << 36;
constexpr uint64_t kMaxRatio = 1100;  // deflate cannot do better than 1032 to 1

class Reader {
 public:
  Reader(std::string_view bytes, const std::string& what) : bytes_(bytes), what_(what) {}

  uint64_t number(uint64_t at, int width) const {
    const std::string_view field = range(at, static_cast<uint64_t>(width));
    uint64_t value = 0;
    std::memcpy(&value, field.data(), field.size());
    return value;
  }
  std::string_view range(uint64_t at, uint64_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) throw Failure(what_ + " is cut off or no .npz archive");
    return bytes_.substr(at, size);
  }
  uint64_t size() const { return bytes_.size(); }
  const std::string& what() const { return what_; }

 private:
  std::string_view bytes_;
  const std::string& what_;
};

std::string inflate_member(std::string_view packed, uint64_t size, const Reader& reader) {
  if (size > kMaxMember || size / kMaxRatio > packed.size())
    throw Failure(reader.what() + ": a member promises more than it can hold");
  std::string out(size, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Failure(reader.what() + ": no memory to decompress", kRun);
  int state = Z_OK;
  size_t in = 0, made = 0;
  constexpr size_t kStep = size_t{1} << 30;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data() + in));
    stream.avail_in = static_cast<uInt>(std::min(kStep, packed.size() - in));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + made);
    stream.avail_out = static_cast<uInt>(std::min(kStep, out.size() - made));
    const uInt had_in = stream.avail_in, had_out = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    in += had_in - stream.avail_in;
    made += had_out - stream.avail_out;
    if (state == Z_BUF_ERROR || (had_in == stream.avail_in && had_out == stream.avail_out)) break;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || made != size) throw Failure(reader.what() + ": a member is corrupt");
  return out;
}

void put(std::string& out, uint64_t value, size_t width) {
  for (size_t i = 0; i < width; ++i) out += i < 8 ? static_cast<char>(value >> (8 * i)) : '\0';
}

// Where the central directory begins and how many entries it has, zip64 included.
std::pair<uint64_t, uint64_t> find_directory(const Reader& reader) {
  constexpr uint64_t kEndSize = 22, kLocatorSize = 20;
  const uint64_t last = reader.size() < kEndSize ? 0 : reader.size() - kEndSize;
  for (uint64_t at = last + 1; at-- > 0 && last - at <= 65535;) {
    if (reader.number(at, 4) != 0x06054b50) continue;
    uint64_t count = reader.number(at + 10, 2), begin = reader.number(at + 16, 4);
    if ((count == 0xffff || begin == 0xffffffff) && at >= kLocatorSize &&
        reader.number(at - kLocatorSize, 4) == 0x07064b50) {
      const uint64_t wide = reader.number(at - kLocatorSize + 8, 8);
      count = reader.number(wide + 32, 8);
      begin = reader.number(wide + 48, 8);
    }
    return {begin, count};
  }
  throw Failure(reader.what() + " is no .npz archive");
}

struct Member {
  std::string name;
  uint64_t method = 0, size = 0;
  std::string_view stored;
};

std::vector<Member> members_of(const Reader& reader) {
  const std::string& what = reader.what();
  if (reader.size() < 22) throw Failure(what + " is no .npz archive");
  auto [at, count] = find_directory(reader);
  std::vector<Member> members;
  std::map<uint64_t, uint64_t> taken;  // where members begin and end
  for (uint64_t i = 0; i < count; ++i) {
    if (reader.number(at, 4) != 0x02014b50) throw Failure(what + ": broken directory");
    const uint64_t method = reader.number(at + 10, 2);
    uint64_t packed = reader.number(at + 20, 4), size = reader.number(at + 24, 4);
    const uint64_t name_size = reader.number(at + 28, 2), extra_size = reader.number(at + 30, 2),
                   comment_size = reader.number(at + 32, 2);
    uint64_t local = reader.number(at + 42, 4);
    std::string name(reader.range(at + 46, name_size));
    for (uint64_t e = at + 46 + name_size, end = e + extra_size;
         e + 4 <= end;) {  // zip64: only the fields that did not fit, in this order
      const uint64_t tag = reader.number(e, 2), length = reader.number(e + 2, 2);
      uint64_t field = e + 4;
      if (tag == 1)
        for (uint64_t* value : {&size, &packed, &local})
          if (*value == 0xffffffff && field + 8 <= e + 4 + length) {
            *value = reader.number(field, 8);
            field += 8;
          }
      e += 4 + length;
    }
    at += 46 + name_size + extra_size + comment_size;
    if (!name.ends_with(".npy")) continue;
    name.resize(name.size() - 4);
    const std::string where = what + ": " + name;
    const uint64_t data = local + 30 + reader.number(local + 26, 2) + reader.number(local + 28, 2);
    const std::string_view stored = reader.range(data, packed);
    // Members that share bytes would make any amount of a small file.
    const auto behind = taken.upper_bound(data);
    const bool shared = (behind != taken.end() && behind->first < data + packed) ||
                        (behind != taken.begin() && std::prev(behind)->second > data);
    if (shared) throw Failure(where + ": overlaps another member");
    if (packed != 0) taken.emplace(data, data + packed);
    if (method != 0 && method != 8) throw Failure(where + ": compressed in a way that numpy does not use");
    members.push_back({std::move(name), method, size, stored});
  }
  return members;
}

onnxrun::Tensor array_of(const Member& member, const Reader& reader, Room& room) {
  const std::string where = reader.what() + ": " + member.name;
  if (member.method == 0) return read_npy(member.stored, where, room);
  const Taken inflated(room, member.size, where);
  return read_npy(inflate_member(member.stored, member.size, reader), where, room);
}

}  // namespace

std::vector<std::pair<std::string, onnxrun::Tensor>> read_npz(std::string_view bytes, const std::string& what,
                                                              Room& room) {
  const Reader reader(bytes, what);
  std::vector<std::pair<std::string, onnxrun::Tensor>> arrays;
  for (const Member& member : members_of(reader)) arrays.emplace_back(member.name, array_of(member, reader, room));
  return arrays;
}

onnxrun::Tensor read_npz_array(std::string_view bytes, const std::string& name, const std::string& what, Room& room) {
  const Reader reader(bytes, what);
  const std::vector<Member> members = members_of(reader);
  for (const Member& member : members)
    if (member.name == name) return array_of(member, reader, room);
  if (members.size() == 1) return array_of(members[0], reader, room);
  throw Failure(what + " holds no array of that name");
}

std::string write_npz(const std::vector<std::pair<std::string, onnxrun::Tensor>>& tensors) {
  std::string out, directory;
  for (const auto& [name, tensor] : tensors) {
    const std::string file = name + ".npy", bytes = write_npy(tensor);
    const size_t begin = out.size();
    if (file.size() > 0xffff || bytes.size() >= 0xffffffff || begin + bytes.size() >= 0xffffffff)
      throw Failure("the outputs do not fit into one .npz of less than 4 GiB; use --output-dir", kRun);
    const auto sum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
    std::string entry;          // what the local header and the directory have in common
    put(entry, 20, 2);          // version 2.0
    put(entry, 0x800, 2);       // names are UTF-8
    put(entry, 0, 2);           // stored
    put(entry, 0x21 << 16, 4);  // 1 January 1980, so that equal outputs make equal files
    put(entry, sum, 4);
    put(entry, bytes.size(), 4);
    put(entry, bytes.size(), 4);
    put(entry, file.size(), 2);
    put(entry, 0, 2);  // no extra field
    put(out, 0x04034b50, 4);
    out += entry + file + bytes;
    put(directory, 0x02014b50, 4);
    put(directory, 20, 2);
    directory += entry;
    put(directory, 0, 2 + 2 + 2 + 4);  // no comment, first disk, no attributes
    put(directory, begin, 4);
    directory += file;
  }
  const size_t begin = out.size();
  if (tensors.size() > 0xffff || begin + directory.size() >= 0xffffffff)
    throw Failure("the outputs do not fit into one .npz of less than 4 GiB; use --output-dir", kRun);
  out += directory;
  put(out, 0x06054b50, 4);
  put(out, 0, 2 + 2);
  put(out, tensors.size(), 2);
  put(out, tensors.size(), 2);
  put(out, directory.size(), 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace cli
