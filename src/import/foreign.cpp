// Signatures of other model formats, and of files that are no models at all.
#include "import/foreign.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>

namespace onnxrun::import {
namespace {

constexpr const char* kTorch = "load it in PyTorch and export it with torch.onnx.export(model, args, 'model.onnx')";
constexpr const char* kTensorflow = "convert it with python -m tf2onnx.convert";

bool exists(const std::string& path) {
  struct stat state {};
  return stat(path.c_str(), &state) == 0;
}

bool starts(Bytes bytes, std::string_view signature, size_t at = 0) {
  return bytes.size() >= at + signature.size() && bytes.substr(at, signature.size()) == signature;
}

// A ZIP archive is known by the names of its entries.
std::string zip_kind(Bytes bytes) {
  const Bytes head = bytes.substr(0, 4096);
  const auto has = [&](std::string_view name) { return head.find(name) != Bytes::npos; };
  if (has("data.pkl") || has("/version") || has("constants.pkl"))
    return fmt::format("a PyTorch file (.pt, .pth, .pt2); {}", kTorch);
  if (has("config.json") && has("metadata.json")) return fmt::format("a Keras file (.keras); {}", kTensorflow);
  if (has(".npy")) return "a NumPy archive (.npz), which holds arrays and no model; give it as an input";
  return "a ZIP archive; unpack it and give the .onnx file inside, or export the model to ONNX from where it was made";
}

// Other protobuf messages, by their top-level fields: ONNX's ModelProto has numbers up to 25, and a graph in 7.
std::optional<std::string> message_kind(Bytes bytes) {
  // GraphDef: nodes in 1, where a ModelProto has an integer.
  if (starts(bytes, "\x0a") && bytes.size() > 2 && bytes[2] == '\x0a')
    return fmt::format("a TensorFlow graph (.pb), or a tensor; {} --graphdef model.pb --output model.onnx",
                       kTensorflow);
  bool has_graph = false, has_metagraphs = false;
  uint32_t largest = 0;
  try {
    protozero::pbf_reader reader(bytes.data(), bytes.size());
    for (int fields = 0; fields < 64 && reader.next(); ++fields) {
      const bool message = reader.wire_type() == protozero::pbf_wire_type::length_delimited;
      if (message) largest = std::max(largest, reader.tag());
      has_graph |= reader.tag() == 7 && message;
      // A MetaGraphDef begins with its MetaInfoDef; in ONNX the field is a name.
      if (reader.tag() == 2 && message) {
        const protozero::data_view view = reader.get_view();
        has_metagraphs |= view.size() > 2 && view.data()[0] == '\x0a' && !is_utf8({view.data(), view.size()});
        continue;
      }
      reader.skip();
    }
  } catch (const protozero::exception&) {
    // Cut short or no message at all; what was seen may tell.
  }
  if (has_graph) return std::nullopt;
  if (largest >= 200 && largest < 4000 && starts(bytes, "\x08"))
    return "a Core ML model (.mlmodel); export the original model to ONNX instead";
  if (has_metagraphs && starts(bytes, "\x08\x01"))
    return fmt::format(
        "a TensorFlow saved_model.pb; {} --saved-model FOLDER --output model.onnx with the folder it lies in",
        kTensorflow);
  return std::nullopt;
}

bool is_text(Bytes bytes) {
  for (const char c : bytes.substr(0, 512)) {
    const auto u = static_cast<unsigned char>(c);
    if (u < 0x20 && u != '\n' && u != '\r' && u != '\t') return false;
  }
  return is_utf8(bytes.substr(0, std::min<size_t>(bytes.size(), 512))) || bytes.size() > 512;
}

}  // namespace

std::optional<std::string> recognise(Bytes bytes) {
  using namespace std::string_view_literals;
  if (starts(bytes, "PK\3\4"sv)) return zip_kind(bytes);
  if (starts(bytes, "GGUF"sv))
    return "a GGUF file of llama.cpp; export the original model to ONNX instead (optimum-cli export onnx --model NAME "
           "folder)";
  if (starts(bytes, "\x89HDF\r\n\x1a\n"sv))
    return fmt::format("an HDF5 file, most likely a Keras model (.h5); {}", kTensorflow);
  if (starts(bytes, "\x1f\x8b"sv)) return "compressed with gzip; decompress it first (gunzip)";
  if (starts(bytes, "BZh"sv) ||
      starts(bytes,
             "\xfd"
             "7zXZ"sv) ||
      starts(bytes, "\x28\xb5\x2f\xfd"sv))
    return "a compressed file; decompress it first";
  if (starts(bytes, "TFL3"sv, 4))
    return "a TensorFlow Lite file; convert it with python -m tf2onnx.convert --tflite model.tflite --output "
           "model.onnx";
  if (starts(bytes, "ORTM"sv, 4)) return "ONNX Runtime's own format (.ort); use the .onnx file it was made from";
  if (starts(bytes, "version https://git-lfs"sv))
    return "a Git LFS pointer: the file itself was not downloaded; run git lfs pull";
  if (starts(bytes, "ftrt"sv) || starts(bytes, "ptrt"sv))
    return "a TensorRT engine, which is built for one GPU; use the .onnx file it was made from";
  if (starts(bytes, "\x89PNG"sv) || starts(bytes, "\xff\xd8\xff"sv))
    return "a picture, which holds no model; give it as an input";
  if (starts(bytes, "\x93NUMPY"sv)) return "a NumPy array (.npy), which holds no model; give it as an input";
  if (bytes.size() > 2 && bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5) {
    return fmt::format(
        "a Python pickle, perhaps an old PyTorch checkpoint or a scikit-learn model; {}, or convert it with skl2onnx",
        kTorch);
  }
  if (bytes.size() > 9 && bytes[8] == '{') {
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    if (header <= bytes.size() && header >= 2) {
      return "a safetensors file, which holds weights without a graph; export the model they belong to (optimum-cli "
             "export onnx --model NAME folder)";
    }
  }
  if (is_text(bytes)) {
    const size_t first = bytes.find_first_not_of(" \t\r\n");
    const char c = first == Bytes::npos ? ' ' : bytes[first];
    if (c == '<' && bytes.substr(first, 64).find("ir_version") == Bytes::npos)
      return "XML or HTML text, perhaps a web page saved instead of the file, or an OpenVINO model (.xml); use the "
             ".onnx file";
    if (c == '{' || c == '[') return "JSON text; a model saved as JSON must be converted to the binary form first";
    if (c == '<' || starts(bytes, "ir_version"sv))
      return "an ONNX model in text form; convert it to the binary form first (onnx.parser, or protobuf's text_format)";
    if (starts(bytes, "graph "sv))
      return "a graph as text without its model, perhaps from onnx-run inspect --text; with --whole it prints what can "
             "be read "
             "back";
    // A single field of text-like bytes can be a message, so only longer text is taken for text.
    if (bytes.size() >= 16) return "plain text";
  }
  return message_kind(bytes);
}

std::optional<std::string> recognise_path(const std::string& path) {
  struct stat state {};
  if (stat(path.c_str(), &state) != 0 || !S_ISDIR(state.st_mode)) return std::nullopt;
  if (exists(path + "/saved_model.pb") || exists(path + "/saved_model.pbtxt")) {
    return "a TensorFlow SavedModel folder; convert it with python -m tf2onnx.convert --saved-model FOLDER --output "
           "model.onnx";
  }
  if (exists(path + "/Manifest.json")) return "a Core ML package; export the original model to ONNX instead";
  if (exists(path + "/model.onnx")) return "a folder; give the file model.onnx in it";
  if (exists(path + "/config.json"))
    return "a folder of a Hugging Face model; export it with optimum-cli export onnx --model FOLDER OUTPUT";
  return "a folder; give the model file in it";
}

}  // namespace onnxrun::import
