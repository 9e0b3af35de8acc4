// Readers by the ending of a file's name.
#include "input_files.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <unordered_map>

#include "csv.h"
#include "files.h"
#include "json_values.h"
#include "npy.h"
#include "npz.h"
#include "outcome.h"
#include "proto_values.h"
#include "wav.h"

namespace cli {
namespace {

using onnxrun::NamedValues;
using onnxrun::Port;
using onnxrun::Shape;
using onnxrun::Tensor;
using onnxrun::Value;

std::string ending_of(const std::string& file) {
  std::string ending = std::filesystem::path(file).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool is_table(const std::string& ending) { return ending == ".csv" || ending == ".tsv"; }

Tensor read_raw(const Port& port, const std::string& bytes, const std::string& file,
                const std::function<Shape()>& shape) {
  if (port.kind != ONNXRUN_KIND_TENSOR || port.dtype == ONNXRUN_DTYPE_STRING || port.dtype == ONNXRUN_DTYPE_NONE)
    throw Failure("input '" + port.name + "' (" + port.type + ") cannot be read from a raw file");
  Tensor tensor(port.dtype, shape());
  const auto room = tensor.mutable_bytes();
  if (room.size() != bytes.size())
    throw Failure("input '" + port.name + "': " + file + " has " + std::to_string(bytes.size()) + " bytes, a " +
                  tensor.describe() + " has " + std::to_string(room.size()) + "; give its shape with --shape");
  if (!bytes.empty()) std::memcpy(room.data(), bytes.data(), bytes.size());
  return tensor;
}

// What is not of NumPy's kinds, whose readers ask for room themselves.
Value read_other(const Port& port, const std::string& file, const std::string& ending, const std::string& what,
                 const PictureFlags& picture, const Shape* shape, const std::function<Shape()>& raw_shape, Room& room) {
  const std::string bytes = read_file(file);
  Taken taken(room, bytes.size(), what);
  if (ending == ".png" || ending == ".jpg" || ending == ".jpeg")
    return picture_tensor(bytes, what, port.dtype, shape ? *shape : port.dims, picture, taken);
  if (ending == ".wav") return wav_tensor(bytes, what, port, taken);
  if (is_table(ending)) {  // any text is data for strings
    const Heading heading = port.dtype == ONNXRUN_DTYPE_STRING ? Heading::kNone : Heading::kGuess;
    return tensor_of_table(read_csv(bytes, what, heading, taken), port, what);
  }
  if (ending == ".json") return value_of_json(parse_json(bytes, what, taken), port.type, what);
  if (ending == ".raw" || ending == ".bin") return read_raw(port, bytes, file, raw_shape);
  if (ending == ".pb") return read_proto(bytes, port.kind, what, room);
  throw Failure(what +
                ": files of this kind cannot be read; use .npy, .npz, .pb, .png, .jpg, .wav, .csv, .json or .raw");
}

// Inputs by name.
class PortIndex {
 public:
  PortIndex(const std::vector<Port>& ports, const std::string& file) : ports_(ports), file_(file) {
    for (const Port& port : ports) index_.emplace(port.name, &port);
  }
  const Port& at(const std::string& name) const {
    if (const auto found = index_.find(name); found != index_.end()) return *found->second;
    throw Failure(file_ + ": the model has no input '" + name + "'; its inputs are " + names_of(ports_));
  }

 private:
  const std::vector<Port>& ports_;
  const std::string& file_;
  std::unordered_map<std::string_view, const Port*> index_;
};

}  // namespace

std::string names_of(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "'" : ", '") + port.name + "'";
  return text.empty() ? "none" : text;
}

Value read_input(const Port& port, const std::string& file, const PictureFlags& picture, const Shape* shape,
                 const std::function<Shape()>& raw_shape, Room& room) {
  const std::string ending = ending_of(file), what = "input '" + port.name + "': " + file;
  if (ending == ".npy") return read_npy(read_file(file), what, room);
  if (ending == ".npz") return read_npz_array(read_file(file), port.name, what, room);
  Value value = read_other(port, file, ending, what, picture, shape, raw_shape, room);
  room.take(bytes_of(value), what);
  return value;
}

bool holds_several(const std::string& file) {
  const std::string ending = ending_of(file);
  return ending == ".npz" || ending == ".json" || is_table(ending);
}

NamedValues read_inputs(const std::string& file, const std::vector<Port>& ports, Room& room) {
  const std::string bytes = read_file(file), ending = ending_of(file);
  const PortIndex index(ports, file);
  NamedValues values;
  if (ending == ".npz") {
    for (auto& [name, array] : read_npz(bytes, file, room)) values.emplace_back(index.at(name).name, std::move(array));
  } else if (ending == ".json") {
    Taken taken(room, bytes.size(), file);
    const auto json = parse_json(bytes, file, taken);
    if (!json.is_object())
      throw Failure(file + ": an object of inputs by name was expected; NAME=" + file + " for one");
    for (const auto& [name, element] : json.items())
      values.emplace_back(name, value_of_json(element, index.at(name).type, file + ", input '" + name + "'"));
  } else {
    Taken taken(room, bytes.size(), file);
    const Table table = read_csv(bytes, file, Heading::kRequired, taken);
    for (size_t i = 0; i < table.names.size(); ++i)
      values.emplace_back(table.names[i], tensor_of_column(table, i, index.at(table.names[i]),
                                                           file + ", column '" + table.names[i] + "'"));
  }
  if (ending != ".npz")
    for (const auto& [name, value] : values) room.take(bytes_of(value), file + ", input '" + name + "'");
  return values;
}

}  // namespace cli
