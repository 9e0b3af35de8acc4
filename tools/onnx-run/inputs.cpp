// Gathering inputs.
#include "inputs.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>

#include "adapt.h"
#include "generate.h"
#include "input_files.h"
#include "outcome.h"

namespace cli {
namespace {

using onnxrun::NamedValues;
using onnxrun::Port;
using onnxrun::Shape;
using onnxrun::Tensor;
using onnxrun::Value;

// The port that `text` begins with, and what follows '='. Names may hold '=' themselves.
std::pair<const Port*, std::string> split_port(const std::vector<Port>& ports, const std::string& text,
                                               const std::string& flag) {
  const Port* found = nullptr;
  for (const Port& port : ports)
    if (text.size() > port.name.size() + 1 && text.starts_with(port.name) && text[port.name.size()] == '=' &&
        (!found || found->name.size() < port.name.size()))
      found = &port;
  if (found) return {found, text.substr(found->name.size() + 1)};
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size())
    throw Failure(flag + ": '" + text + "' is not of the form NAME=VALUE");
  throw Failure(flag + ": the model has no input '" + text.substr(0, equals) + "'; its inputs are " + names_of(ports));
}

Shape parse_shape(const std::string& text, const std::string& flag) {
  Shape shape;
  if (text == "scalar") return shape;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    int64_t dim = 0;
    const auto [next, error] = std::from_chars(at, end, dim);
    if (error != std::errc() || dim < 0 || (next != end && *next != 'x'))
      throw Failure(flag + ": '" + text + "' is no shape like 1x3x224x224, or 'scalar'");
    shape.push_back(dim);
    if (next == end) return shape;
    at = next + 1;
  }
}

using Symbols = std::map<std::string, int64_t>;

void bind_symbols(const Port& port, const Shape& shape, Symbols& symbols) {
  if (!port.rank_known || port.dims.size() != shape.size()) return;
  for (size_t i = 0; i < shape.size(); ++i)
    if (port.dims[i] < 0 && port.symbols[i] != "?") symbols.emplace(port.symbols[i], shape[i]);
}

// The port's dims with symbols replaced.
Shape shape_of(const Port& port, const Symbols& symbols, int64_t batch) {
  if (!port.rank_known)
    throw Failure("input '" + port.name + "' (" + port.type + ") has no known rank; give --shape " + port.name +
                  "=... or --input");
  Shape shape = port.dims;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] >= 0) continue;
    const auto found = symbols.find(port.symbols[i]);
    shape[i] = found != symbols.end() ? found->second : i == 0 ? batch : 1;
  }
  return shape;
}

// Inputs so far, and where each is.
struct Given {
  NamedValues values;
  std::unordered_map<std::string, size_t> places;

  void add(const std::string& name, Value value) {
    if (!places.emplace(name, values.size()).second) throw Failure("input '" + name + "' is given twice");
    values.emplace_back(name, std::move(value));
  }
};

}  // namespace

NamedValues make_inputs(const std::vector<Port>& ports, const InputFlags& flags, Room room) {
  std::map<std::string, Shape> shapes;
  Symbols symbols;
  for (const std::string& text : flags.shapes) {
    const auto [port, rest] = split_port(ports, text, "--shape");
    shapes[port->name] = parse_shape(rest, "--shape " + port->name);
    bind_symbols(*port, shapes[port->name], symbols);
  }
  Given inputs;
  for (const std::string& text : flags.files) {
    if (text.find('=') == std::string::npos && holds_several(text)) {
      for (auto& [name, value] : read_inputs(text, ports, room)) inputs.add(name, std::move(value));
      continue;
    }
    const auto [port, file] = split_port(ports, text, "--input");
    const auto shape = shapes.find(port->name);
    const bool given = shape != shapes.end();
    const auto raw_shape = [&, &asked = *port] {
      return given ? shape->second : shape_of(asked, symbols, flags.batch.value_or(1));
    };
    inputs.add(port->name, read_input(*port, file, flags.picture, given ? &shape->second : nullptr, raw_shape, room));
  }
  for (const Port& port : ports)
    if (const auto place = inputs.places.find(port.name); place != inputs.places.end()) {
      Value& value = inputs.values[place->second].second;
      if (!value.is_tensor()) continue;
      if (flags.repeat_rows && flags.batch && port.rank_known && !port.dims.empty() && port.dims[0] < 0)
        value = with_rows(Tensor(value), *flags.batch);
      bind_symbols(port, Tensor(value).shape(), symbols);
    }
  if (flags.batch)
    for (const Port& port : ports)
      if (port.rank_known && !port.dims.empty() && port.dims[0] < 0 && port.symbols[0] != "?")
        symbols.emplace(port.symbols[0], *flags.batch);
  for (const Port& port : ports) {
    if (inputs.places.contains(port.name) || port.has_default || port.kind == ONNXRUN_KIND_OPTIONAL) continue;
    if (port.kind != ONNXRUN_KIND_TENSOR || port.dtype == ONNXRUN_DTYPE_NONE)
      throw Failure("input '" + port.name + "' (" + port.type + ") cannot be made up; give it with --input " +
                    port.name + "=FILE.pb");
    const auto shape = shapes.find(port.name);
    inputs.values.emplace_back(
        port.name,
        generate(port.dtype, shape != shapes.end() ? shape->second : shape_of(port, symbols, flags.batch.value_or(1)),
                 flags.seed, port.name, room));
  }
  return std::move(inputs.values);
}

std::string hint_on_made_up(const onnxrun::NamedValues& inputs, const InputFlags& flags) {
  std::string names;
  for (const auto& [name, value] : inputs) {
    const auto names_it = [&, &wanted = name](const std::string& file) {
      return file.starts_with(wanted + "=") || file.find('=') == std::string::npos;
    };
    if (std::none_of(flags.files.begin(), flags.files.end(), names_it))
      names += (names.empty() ? "'" : ", '") + name + "'";
  }
  if (names.empty()) return {};
  return "\nMade up: " + names +
         ", with free dimensions of 1; --shape, --dim and --input give the model what it expects.";
}

}  // namespace cli
