// By protobuf's own readers and writers, over the description in proto/onnx.proto.
#include "proto_forms.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "outcome.h"

#if defined(ONNXRUN_PROTOBUF)

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>
#include <google/protobuf/util/json_util.h>

#include "onnx.pb.h"

#endif

namespace cli {

std::optional<ProtoForm> proto_form_of(std::string_view path) {
  const auto ends = [&](std::string_view end) { return path.ends_with(end); };
  if (std::ranges::any_of(std::array{".textproto", ".prototxt", ".pbtxt"}, ends)) return ProtoForm::kText;
  if (std::ranges::any_of(std::array{".json", ".onnxjson"}, ends)) return ProtoForm::kJson;
  return std::nullopt;
}

#if defined(ONNXRUN_PROTOBUF)

namespace {

namespace pb = google::protobuf;
using Model = onnxrun::proto::ModelProto;

constexpr int kMaxDepth = 200;

// The first error of a text, with its place.
class FirstError : public pb::io::ErrorCollector {
 public:
  void AddError(int line, pb::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty())
      text_ = "line " + std::to_string(line + 1) + ", column " + std::to_string(column + 1) + ": " + message;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Model parse(const std::string& bytes, const std::string& path) {
  Model model;
  pb::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
  pb::io::CodedInputStream stream(&array);
  stream.SetRecursionLimit(kMaxDepth);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    throw Failure("'" + path + "' is no ONNX model: its bytes are no ModelProto", kModel);
  return model;
}

void check_size(size_t bytes, const std::string& path) {
  if (bytes > static_cast<size_t>(std::numeric_limits<int32_t>::max()))
    throw Failure(
        "'" + path + "' is larger than the 2 GiB that protobuf's forms hold; move its weights out with --external-data",
        kModel);
}

// Whether the message or one in it is a tensor in another file.
bool lies_elsewhere(const pb::Message& message) {
  if (const auto* tensor = dynamic_cast<const onnxrun::proto::TensorProto*>(&message))
    return tensor->data_location() == onnxrun::proto::TensorProto::EXTERNAL;
  const pb::Reflection& reflection = *message.GetReflection();
  std::vector<const pb::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const pb::FieldDescriptor* field : fields) {
    if (field->cpp_type() != pb::FieldDescriptor::CPPTYPE_MESSAGE) continue;
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i)
      if (lies_elsewhere(field->is_repeated() ? reflection.GetRepeatedMessage(message, field, i)
                                              : reflection.GetMessage(message, field)))
        return true;
  }
  return false;
}

}  // namespace

bool names_other_files(const std::string& bytes, const std::string& path) {
  check_size(bytes.size(), path);
  return lies_elsewhere(parse(bytes, path));
}

std::string proto_to_form(const std::string& bytes, ProtoForm form, const std::string& path) {
  check_size(bytes.size(), path);
  const Model model = parse(bytes, path);
  std::string text;
  if (form == ProtoForm::kText) {
    pb::TextFormat::Printer printer;
    if (!printer.PrintToString(model, &text)) throw Failure("'" + path + "' cannot be printed", kRun);
    return text;
  }
  pb::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  const auto status = pb::util::MessageToJsonString(model, &text, options);
  if (!status.ok()) throw Failure("'" + path + "' cannot be written as JSON: " + status.ToString(), kModel);
  return text;
}

std::string proto_from_form(const std::string& text, ProtoForm form, const std::string& path) {
  check_size(text.size(), path);
  Model model;
  if (form == ProtoForm::kText) {
    FirstError error;
    pb::TextFormat::Parser parser;
    parser.RecordErrorsTo(&error);
    parser.SetRecursionLimit(kMaxDepth);
    if (!parser.ParseFromString(text, &model))
      throw Failure("'" + path + "' is no text form of a model: " + error.text(), kModel);
  } else {
    const auto status = pb::util::JsonStringToMessage(text, &model);
    if (!status.ok()) throw Failure("'" + path + "' is no JSON form of a model: " + status.ToString(), kModel);
  }
  check_size(model.ByteSizeLong(), path);
  return model.SerializeAsString();
}

#else

std::string proto_to_form(const std::string&, ProtoForm, const std::string& path) {
  throw Failure("'" + path + "': this onnx-run was built without protobuf's text and JSON forms");
}
bool names_other_files(const std::string&, const std::string& path) {
  proto_to_form({}, ProtoForm::kText, path);
  return false;
}
std::string proto_from_form(const std::string&, ProtoForm form, const std::string& path) {
  return proto_to_form({}, form, path);
}

#endif

}  // namespace cli
