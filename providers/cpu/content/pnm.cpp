// Portable anymaps: PBM, PGM, PPM as text or bytes (P1 to P6) and PAM (P7).
#include <cctype>
#include <string>

#include "cpu/content/image.h"

namespace onnxrun::cpu::images {
namespace {

class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  size_t left() const { return bytes_.size() - at_; }
  int next() { return at_ < bytes_.size() ? bytes_[at_++] : -1; }
  void back() { --at_; }

  // A decimal number behind white space and comments; -1 when there is none, or too large a one.
  int64_t number() {
    skip_space();
    int64_t value = -1;
    for (int c = next(); c >= 0; c = next()) {
      if (std::isdigit(c) == 0) {
        back();
        break;
      }
      value = (value < 0 ? 0 : value) * 10 + (c - '0');
      if (value > INT32_MAX) return -1;
    }
    return value;
  }

  // A word behind white space and comments, up to the next white space.
  std::string word() {
    skip_space();
    std::string result;
    for (int c = next(); c >= 0; c = next()) {
      if (std::isspace(c) != 0) {
        back();
        break;
      }
      result += static_cast<char>(c);
      if (result.size() > 32) return {};
    }
    return result;
  }

 private:
  void skip_space() {
    for (int c = next(); c >= 0; c = next()) {
      if (c == '#') {
        while (c >= 0 && c != '\n' && c != '\r') c = next();
      } else if (std::isspace(c) == 0) {
        back();
        return;
      }
    }
  }

  Bytes bytes_;
  size_t at_ = 0;
};

struct Header {
  int64_t width = -1, height = -1, most = 1, depth = 1;
  bool text = false, bits = false;
};

bool read_pam(Reader& reader, Header& header) {
  header.depth = -1;
  for (;;) {
    const std::string key = reader.word();
    if (key.empty()) return false;
    if (key == "ENDHDR") break;
    if (key == "TUPLTYPE") {
      reader.word();
      continue;
    }
    const int64_t value = reader.number();
    if (key == "WIDTH") header.width = value;
    else if (key == "HEIGHT") header.height = value;
    else if (key == "MAXVAL") header.most = value;
    else if (key == "DEPTH") header.depth = value;
    else return false;
  }
  return header.depth >= 1 && header.depth <= 4;
}

bool read_header(Reader& reader, Header& header) {
  reader.next();
  const int kind = reader.next() - '0';
  if (kind == 7) {
    if (!read_pam(reader, header)) return false;
  } else {
    header.text = kind <= 3;
    header.bits = kind == 1 || kind == 4;
    header.depth = kind == 3 || kind == 6 ? 3 : 1;
    header.width = reader.number();
    header.height = reader.number();
    if (!header.bits) header.most = reader.number();
  }
  if (!header.text) reader.next();  // one white space separates the header from the bytes
  return header.width > 0 && header.height > 0 && header.most >= 1 && header.most <= 65535;
}

// Text of bits may come without white space between them.
int64_t read_text(Reader& reader, bool bits) {
  if (!bits) return reader.number();
  for (;;) {
    const int c = reader.next();
    if (c == '0' || c == '1') return c - '0';
    if (c < 0 || std::isspace(c) == 0) return -1;
  }
}

}  // namespace

bool decode_pnm(Bytes bytes, Canvas& canvas) {
  Reader reader(bytes);
  Header header;
  if (!read_header(reader, header)) return false;
  const bool packed = header.bits && !header.text;
  const int64_t samples = header.width * header.depth, wide = header.most > 255 ? 2 : 1;
  const int64_t row_bytes = header.text ? header.width : packed ? (header.width + 7) / 8 : samples * wide;
  if (static_cast<int64_t>(reader.left()) / row_bytes < header.height) return false;
  uint8_t* rgb = canvas.open(header.width, header.height);
  for (int64_t y = 0; y < header.height; ++y) {
    if (canvas.cancelled()) return false;
    int byte = 0;
    for (int64_t x = 0; x < header.width; ++x) {
      uint8_t levels[4] = {};
      for (int64_t c = 0; c < header.depth; ++c) {
        int64_t level = 0;
        if (header.text) {
          level = read_text(reader, header.bits);
        } else if (packed) {
          if (x % 8 == 0) byte = reader.next();
          level = (byte >> (7 - x % 8)) & 1;
        } else {
          level = reader.next();
          if (wide == 2) level = level << 8 | reader.next();
        }
        if (level < 0 || level > header.most) return false;
        if (header.bits) level = 1 - level;  // a set bit is black
        levels[c] = static_cast<uint8_t>((level * 255 + header.most / 2) / header.most);
      }
      for (int c = 0; c < 3; ++c) *rgb++ = levels[header.depth >= 3 ? c : 0];
    }
  }
  return true;
}

}  // namespace onnxrun::cpu::images
