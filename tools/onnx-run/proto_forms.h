// Model files in the text and JSON forms of protobuf, in the names that other tools give them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cli {

enum class ProtoForm { kText, kJson };

// By the file's name: .textproto, .prototxt and .pbtxt, or .json and .onnxjson; else none.
std::optional<ProtoForm> proto_form_of(std::string_view path);

// A model's bytes in another form and back, field by field: nothing is checked but that they are a ModelProto. Throw Failure (invalid model) naming `path`
// and, of a form that people write, line and column.
std::string proto_to_form(const std::string& bytes, ProtoForm form, const std::string& path);
std::string proto_from_form(const std::string& text, ProtoForm form, const std::string& path);

// Whether a tensor of the model lies in another file.
bool names_other_files(const std::string& bytes, const std::string& path);

}  // namespace cli
