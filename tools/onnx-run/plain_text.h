// Text from files on its way to a terminal: control characters, which could command it, are shown as \xNN.
#pragma once

#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>

namespace cli {

// Line ends and tabs stay.
std::string plain_text(std::string_view text);

// While it lives, what is written to the stream passes through plain_text.
class PlainText : private std::streambuf {
 public:
  explicit PlainText(std::ostream& stream) : stream_(stream), target_(stream.rdbuf(this)) {}
  ~PlainText() override { stream_.rdbuf(target_); }
  PlainText(const PlainText&) = delete;
  PlainText& operator=(const PlainText&) = delete;

 private:
  std::streamsize xsputn(const char* text, std::streamsize length) override;
  int_type overflow(int_type c) override;
  int sync() override { return target_->pubsync(); }

  std::ostream& stream_;
  std::streambuf* target_;
};

}  // namespace cli
