// Reading samples.
#include "calibration.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "files.h"
#include "inputs.h"
#include "npz.h"
#include "outcome.h"

namespace cli {
namespace {

namespace fs = std::filesystem;
using onnxrun::NamedValues;
using onnxrun::Port;
using onnxrun::Shape;
using onnxrun::Tensor;

std::string ending_of(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  return ending;
}

bool is_sample_file(const fs::path& path) {
  static const std::set<std::string> kEndings = {".npz", ".npy", ".pb", ".png", ".jpg", ".jpeg"};
  return kEndings.contains(ending_of(path));
}

std::string names_of(const std::vector<Port>& ports) {
  std::string names;
  for (const Port& port : ports) names += (names.empty() ? "'" : ", '") + port.name + "'";
  return names.empty() ? "none" : names;
}

}  // namespace

Calibration::Calibration(const std::string& path, std::vector<Port> ports, const PictureFlags& picture, Room room)
    : ports_(std::move(ports)), picture_(picture), room_(room) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (ending_of(path) != ".npz" || !fs::exists(path, error))
      throw Failure("--calibration: '" + path + "' is neither a folder nor a .npz archive");
    open_archive(path);
    return;
  }
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.is_directory() ? fs::exists(entry.path() / "input_0.pb") || fs::exists(entry.path() / "input_0.npy")
                             : is_sample_file(entry.path()))
      files_.push_back(entry.path());
  std::sort(files_.begin(), files_.end());
  if (files_.empty())
    throw Failure("--calibration: '" + path +
                  "' holds no sample: no .npz, .npy, .pb, .png or .jpg and no folder with input_0.pb");
  const auto needed = std::count_if(ports_.begin(), ports_.end(), [](const Port& port) { return !port.has_default; });
  for (const fs::path& file : files_)
    if (needed > 1 && !fs::is_directory(file) && ending_of(file) != ".npz")
      throw Failure("--calibration: '" + file.string() + "' holds one value and the model has the inputs " +
                    names_of(ports_) + ": give an .npz a sample");
}

void Calibration::open_archive(const std::string& path) {
  arrays_ = read_npz(read_file(path), "--calibration: " + path, room_);
  for (const auto& [name, array] : arrays_) {
    const auto port =
        std::find_if(ports_.begin(), ports_.end(), [&, &wanted = name](const Port& p) { return p.name == wanted; });
    if (port == ports_.end())
      throw Failure("--calibration: " + path + " has an array '" + name + "'; the model's inputs are " +
                    names_of(ports_));
    const Shape shape = array.shape();
    const size_t rank = port->rank_known ? port->dims.size() : shape.size();
    if (shape.empty() || (shape.size() != rank && shape.size() != rank + 1))
      throw Failure("--calibration: array '" + name + "' of " + path + " is " + array.describe() + ", the input is " +
                    port->type + ": an axis before that counts samples may be added");
    stacked_.push_back(shape.size() == rank + 1);
    // A first axis of fixed size is no axis of samples.
    const bool whole = !stacked_.back() && !port->dims.empty() && port->dims[0] > 1;
    const size_t rows = whole ? 1 : static_cast<size_t>(shape[0]);
    if (whole && shape[0] != port->dims[0])
      throw Failure("--calibration: array '" + name + "' of " + path + " is " + array.describe() + ", the input is " +
                    port->type);
    if (rows == 0) throw Failure("--calibration: array '" + name + "' of " + path + " holds no sample");
    if (rows_ != 0 && rows != rows_)
      throw Failure("--calibration: the arrays of " + path + " hold " + std::to_string(rows_) + " and " +
                    std::to_string(rows) + " samples");
    rows_ = rows;
  }
  if (rows_ == 0) throw Failure("--calibration: " + path + " holds no sample");
}

NamedValues Calibration::row(size_t index) const {
  NamedValues inputs;
  for (size_t a = 0; a < arrays_.size(); ++a) {
    const auto& [name, array] = arrays_[a];
    Shape shape = array.shape();
    if (rows_ == 1 && !stacked_[a]) {
      inputs.emplace_back(name, array);
      continue;
    }
    if (stacked_[a]) shape.erase(shape.begin());
    else shape[0] = 1;
    Tensor one(array.dtype(), shape);
    const auto from = array.bytes();
    const size_t bytes = from.size() / rows_;
    if (bytes != 0) std::memcpy(one.mutable_bytes().data(), from.data() + index * bytes, bytes);
    inputs.emplace_back(name, one);
  }
  return inputs;
}

NamedValues Calibration::read(const fs::path& path) const {
  InputFlags flags;
  flags.picture = picture_;
  if (fs::is_directory(path)) {
    size_t place = 0;
    for (const Port& port : ports_) {
      if (port.has_default) continue;
      for (const char* ending : {".pb", ".npy"}) {
        const fs::path file = path / ("input_" + std::to_string(place) + ending);
        if (fs::exists(file)) flags.files.push_back(port.name + "=" + file.string());
      }
      ++place;
    }
  } else if (ending_of(path) == ".npz") {
    NamedValues inputs;
    Room room = room_;
    for (auto& [name, array] : read_npz(read_file(path), path.string(), room)) inputs.emplace_back(name, array);
    return inputs;
  } else {
    for (const Port& port : ports_)
      if (!port.has_default && flags.files.empty()) flags.files.push_back(port.name + "=" + path.string());
  }
  std::vector<Port> given;
  for (const Port& port : ports_)
    for (const std::string& file : flags.files)
      if (file.starts_with(port.name + "=")) given.push_back(port);
  return make_inputs(given, flags, room_);
}

void Calibration::check(const NamedValues& inputs, const std::string& what) const {
  for (const auto& [name, value] : inputs) {
    const auto port =
        std::find_if(ports_.begin(), ports_.end(), [&, &wanted = name](const Port& p) { return p.name == wanted; });
    if (port == ports_.end())
      throw Failure(what + " has a value '" + name + "'; the model's inputs are " + names_of(ports_));
  }
  for (const Port& port : ports_)
    if (!port.has_default &&
        std::none_of(inputs.begin(), inputs.end(), [&](const auto& input) { return input.first == port.name; }))
      throw Failure(what + " has no value for the model's input '" + port.name + "' (" + port.type + ")");
}

NamedValues Calibration::sample(size_t index) const {
  if (index >= size()) return {};
  const std::string what =
      "--calibration: " + (files_.empty() ? "sample " + std::to_string(index) : "'" + files_[index].string() + "'");
  NamedValues inputs = files_.empty() ? row(index) : read(files_[index]);
  check(inputs, what);
  return inputs;
}

}  // namespace cli
