// The format of an encoded image by its signature.
#include <cctype>
#include <cstring>

#include "base/error.h"
#include "cpu/content/image.h"

namespace onnxrun::cpu::images {
namespace {

bool has(Bytes bytes, size_t at, std::string_view signature) {
  return bytes.size() >= at + signature.size() &&
         std::memcmp(bytes.data() + at, signature.data(), signature.size()) == 0;
}

}  // namespace

Decoder find_decoder(Bytes bytes) {
  using namespace std::string_view_literals;
  if (has(bytes, 0, "\xff\xd8\xff"sv)) return decode_jpeg;
  if (has(bytes, 0, "\x89PNG\r\n\x1a\n"sv)) return decode_png;
  if (has(bytes, 0, "RIFF"sv) && has(bytes, 8, "WEBP"sv)) return decode_webp;
  if (has(bytes, 0, "\0\0\0\x0cjP  \r\n\x87\n"sv) || has(bytes, 0, "\xff\x4f\xff\x51"sv)) return decode_jpeg2000;
  for (const std::string_view tiff : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})
    if (has(bytes, 0, tiff)) return decode_tiff;
  if (has(bytes, 0, "BM"sv)) return decode_bmp;
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' && std::isspace(bytes[2]) != 0)
    return decode_pnm;
  return nullptr;
}

void fail_without(std::string_view library, std::string_view format) {
  base::fail(base::Code::kUnsupported, "this build has no {}, which reads {} images", library, format);
}

}  // namespace onnxrun::cpu::images
