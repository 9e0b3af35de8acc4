// onnx-run edit: a model changed step by step and written anew.
#include <nlohmann/json.hpp>
#include <onnxrun/onnxrun.hpp>

#include <charconv>
#include <iostream>
#include <map>
#include <optional>

#include "commands.h"
#include "dtype_names.h"
#include "files.h"
#include "npy.h"
#include "outcome.h"
#include "proto_values.h"
#include "room.h"
#include "safetensors.h"
#include "session_flags.h"
#include "written.h"

namespace cli {
namespace {

using onnxrun::Editor;

// Both sides of the sign; `flag` is for messages.
std::pair<std::string, std::string> split_at(const std::string& text, size_t sign, const std::string& flag,
                                             const char* form) {
  if (sign == std::string::npos || sign == 0) throw Failure(flag + ": '" + text + "' is not of the form " + form);
  return {text.substr(0, sign), text.substr(sign + 1)};
}

std::vector<Editor::Node> select(Editor& editor, const std::string& op, const std::string& name, const char* flag) {
  std::vector<Editor::Node> nodes = editor.select(op, name);
  if (nodes.empty())
    throw Failure(std::string(flag) + ": no node has the " + (op == "*" ? "name '" + name : "operator '" + op) +
                  "'; 'onnx-run inspect MODEL --text' shows all");
  return nodes;
}

void rename(Editor& editor, const std::string& text, Room&) {
  const auto [from, to] = split_assignment(text, "--rename");
  editor.rename_value(from, to);
}

void rename_node(Editor& editor, const std::string& text, Room&) {
  const auto [from, to] = split_assignment(text, "--rename-node");
  for (const Editor::Node node : select(editor, "*", from, "--rename-node")) editor.rename_node(node, to);
}

void bypass(Editor& editor, const std::string& name, Room&) {
  for (const Editor::Node node : select(editor, "*", name, "--bypass")) editor.bypass(node);
}

void bypass_op(Editor& editor, const std::string& op, Room&) {
  for (const Editor::Node node : select(editor, op, "*", "--bypass-op")) editor.bypass(node);
}

void remove(Editor& editor, const std::string& name, Room&) {
  for (const Editor::Node node : select(editor, "*", name, "--remove")) editor.remove(node);
}

void insert(Editor& editor, const std::string& text, Room&) {
  const std::string statements = text.starts_with('@') ? read_file(text.substr(1)) : text;
  try {
    editor.insert(statements);
  } catch (const onnxrun::Error& error) {
    throw Failure("--insert: " + std::string(error.what()));
  }
}

void replace_uses(Editor& editor, const std::string& text, Room&) {
  const auto [from, to] = split_assignment(text, "--replace-uses");
  editor.replace_uses(from, to);
}

void node_input(Editor& editor, const std::string& text, Room&) {
  constexpr const char* kForm = "NODE:INDEX=VALUE";
  const auto [place, value] = split_at(text, text.rfind('='), "--node-input", kForm);
  const auto [name, number] = split_at(place, place.rfind(':'), "--node-input", kForm);
  size_t index = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (error != std::errc() || end != number.data() + number.size())
    throw Failure("--node-input: '" + number + "' is no number of an input");
  for (const Editor::Node node : select(editor, "*", name, "--node-input")) editor.set_node_input(node, index, value);
}

void input_shape(Editor& editor, const std::string& text, Room&) {
  auto [name, rest] = split_assignment(text, "--input-shape");
  std::vector<std::string> dims;
  if (rest != "scalar") {
    for (size_t begin = 0; begin <= rest.size();) {
      const size_t comma = std::min(rest.find(',', begin), rest.size());
      dims.push_back(rest.substr(begin, comma - begin));
      begin = comma + 1;
    }
  }
  editor.set_input_shape(name, dims);
}

void input_type(Editor& editor, const std::string& text, Room&) {
  const auto [name, type] = split_assignment(text, "--input-type");
  for (int dtype = 1; dtype < 64; ++dtype)
    if (dtype_name(dtype) == type) {
      editor.set_input_type(name, static_cast<onnxrun_dtype>(dtype));
      return;
    }
  throw Failure("--input-type: '" + type + "' is no element type; float32, int64, ... are");
}

void constant(Editor& editor, const std::string& text, Room& room) {
  const auto [name, file] = split_assignment(text, "--constant");
  const std::string bytes = read_file(file), what = "--constant " + name + ": " + file;
  if (file.ends_with(".npy")) {
    editor.set_constant(name, read_npy(bytes, what, room));
    return;
  }
  if (!file.ends_with(".pb")) throw Failure("--constant: '" + file + "' ends neither in .npy nor in .pb");
  const onnxrun::Tensor tensor(read_proto(bytes, ONNXRUN_KIND_TENSOR, what, room));
  room.take(bytes_of(tensor), what);
  editor.set_constant(name, tensor);
}

void set_metadata(Editor& editor, const std::string& text, Room&) {
  const auto [key, value] = split_at(text, text.find('='), "--set-metadata", "KEY=VALUE");
  editor.set_metadata(key, value);
}

// Every constant of the main graph, as it is now.
void save_weights(Editor& editor, const std::string& file, Room&) {
  const auto report = nlohmann::json::parse(editor.finish().inspect(ONNXRUN_INSPECT_WEIGHTS));
  NamedTensors tensors;
  std::string left_out;
  for (const auto& weight : report["weights"]) {
    if (weight.contains("graph")) continue;
    const auto& name = weight["name"].get_ref<const std::string&>();
    onnxrun::Tensor tensor = editor.constant(name);
    if (has_safetensors_type(tensor.dtype())) tensors.emplace_back(name, std::move(tensor));
    else left_out += (left_out.empty() ? "" : ", ") + name + " (" + std::string(dtype_name(tensor.dtype())) + ")";
  }
  write_file(file, write_safetensors(tensors));
  std::cout << file << ": " << tensors.size() << " tensors\n";
  if (!left_out.empty()) std::cout << "left out, as the format lacks their type: " << left_out << '\n';
}

std::string type_of(const onnxrun::Tensor& tensor) {
  std::string dims;
  for (const int64_t dim : tensor.shape()) dims += (dims.empty() ? "" : ",") + std::to_string(dim);
  return std::string(dtype_name(tensor.dtype())) + "[" + dims + "]";
}

// Values of constants that the model has, or had before --strip-weights, of the types and shapes that they have.
void load_weights(Editor& editor, const std::string& file, Room& room) {
  const std::string bytes = read_file(file), what = "--load-weights: '" + file + "'";
  const Taken taken(room, bytes.size(), what);
  room.take(bytes.size(), what);  // the tensors are as much
  const NamedTensors tensors = read_safetensors(bytes, what);
  std::map<std::string, std::pair<Editor::Node, std::string>> stripped;
  for (const Editor::Node node : editor.select("ConstantOfShape", "*")) {
    const auto output = nlohmann::json::parse(editor.node(node))["outputs"][0];
    stripped[output["name"]] = {node, output["type"]};
  }
  for (const auto& [name, tensor] : tensors) {
    const auto node = stripped.find(name);
    const std::string have = node == stripped.end() ? type_of(editor.constant(name)) : node->second.second;
    if (have != type_of(tensor))
      throw Failure("--load-weights: '" + name + "' is " + have + " in the model and " + type_of(tensor) + " in '" +
                    file + "'");
    if (node != stripped.end()) editor.remove(node->second.first);
    editor.set_constant(name, tensor);
  }
}

struct Edit {
  const char* flag;
  const char* value;                                  // what it takes; null: nothing
  void (*apply)(Editor&, const std::string&, Room&);  // there is so much room for values that it reads
  const char* help;
};

constexpr Edit kEdits[] = {
    {"--rename", "OLD=NEW", rename, "Another name for an input, output or other value"},
    {"--rename-node", "NODE=NEW", rename_node, "Another name for a node"},
    {"--bypass", "NODE", bypass, "Let readers of a node's output read its input of the same type and shape"},
    {"--bypass-op", "OPERATOR", bypass_op, "The same for all nodes of an operator, as Dropout"},
    {"--remove", "NODE", remove, "Take a node out, whose outputs an inserted one will make"},
    {"--insert", "TEXT", insert, "Add nodes and constants in the text form; @FILE: those of a file"},
    {"--node-input", "NODE:I=VALUE", node_input, "Another value for input I of a node; nothing after =: none"},
    {"--replace-uses", "OLD=NEW", replace_uses, "Let all readers of a value, and the outputs, take another"},
    {"--add-output", "VALUE", [](Editor& editor, const std::string& value, Room&) { editor.add_output(value); },
     "Make a value an output"},
    {"--remove-output", "VALUE", [](Editor& editor, const std::string& value, Room&) { editor.remove_output(value); },
     "Drop an output, with the nodes that only it needs"},
    {"--input-shape", "INPUT=DIMS", input_shape, "As image=batch,3,224,?, or scalar"},
    {"--input-type", "INPUT=TYPE", input_type, "As ids=int32"},
    {"--constant", "NAME=FILE", constant, "Value of a constant, from .npy or .pb; added where there is none"},
    {"--set-metadata", "KEY=VALUE", set_metadata, "Add or change an entry of the metadata"},
    {"--remove-metadata", "KEY",
     [](Editor& editor, const std::string& key, Room&) { editor.set_metadata(key, std::nullopt); }, "Remove one"},
    {"--strip-weights", nullptr, [](Editor& editor, const std::string&, Room&) { editor.strip_weights(); },
     "Let floating-point constants of 1 KiB and more be zeros, which take no room"},
    {"--save-weights", "FILE", save_weights, "Write the constants, as they are then, to a .safetensors file"},
    {"--load-weights", "FILE", load_weights, "Take values of constants from a .safetensors file"},
};

struct EditFlags {
  SessionFlags session;
  WriteFlags write;
  std::string model, merged, prefix;
  std::vector<std::string> from, to, links;
  std::vector<std::vector<std::string>> values = std::vector<std::vector<std::string>>(std::size(kEdits));  // by edit
  std::map<const CLI::Option*, size_t> edit_of;
};

void merge(Editor& editor, const EditFlags& flags, const onnxrun::Model& other) {
  std::vector<std::pair<std::string, std::string>> links;
  for (const std::string& link : flags.links) links.push_back(split_assignment(link, "--link"));
  editor.merge(other, links, flags.prefix);
}

std::string names_of(const std::vector<onnxrun::Port>& ports) {
  std::string names;
  for (const onnxrun::Port& port : ports) names += (names.empty() ? "" : ", ") + port.name + ": " + port.type;
  return names.empty() ? "none" : names;
}

int edit(const EditFlags& flags, const std::vector<CLI::Option*>& order) {
  onnxrun::Options options = flags.session.options();
  flags.write.set(options);
  const onnxrun::Model source = in_phase(kModel, [&] { return onnxrun::Model(flags.model, options); });
  std::vector<std::string> sources = files_of(flags.model, source);
  std::optional<onnxrun::Model> other;
  if (!flags.merged.empty()) {
    other = in_phase(kModel, [&] { return onnxrun::Model(flags.merged, options); });
    for (const std::string& file : files_of(flags.merged, *other)) sources.push_back(file);
  }
  flags.write.write(sources, options, [&] {
    Editor editor(source);
    if (!flags.from.empty() || !flags.to.empty()) editor.extract(flags.from, flags.to);
    if (other) merge(editor, flags, *other);
    Room room = Room::of(options);
    std::map<size_t, size_t> done;
    for (const CLI::Option* option : order) {
      const auto found = flags.edit_of.find(option);
      if (found == flags.edit_of.end()) continue;
      const std::vector<std::string>& values = flags.values[found->second];
      const size_t number = done[found->second]++;
      const std::string value = number < values.size() ? values[number] : std::string();
      kEdits[found->second].apply(editor, value, room);
    }
    return editor.finish();
  });
  const onnxrun::Model result =
      in_phase(kModel, [&] { return onnxrun::Model(flags.write.output, flags.session.operators()); });
  const auto nodes = [](const onnxrun::Model& model) { return nlohmann::json::parse(model.inspect())["nodes"].dump(); };
  std::cout << flags.write.output << ": " << nodes(result) << " nodes (were " << nodes(source) << ")\n"
            << "inputs   " << names_of(result.inputs()) << '\n'
            << "outputs  " << names_of(result.outputs()) << '\n';
  return kOk;
}

constexpr const char* kFooter =
    "Edits happen in the order in which they are given, --from and --to and then --merge before all others. NODE is a "
    "name with * for any\n"
    "characters and ? for one; a node without a name has that of its first output. Bodies of control flow are "
    "searched, too. Types and shapes\n"
    "are inferred anew at the end; an edit that cannot be leaves the output as it was.\n"
    "Examples\n"
    "  onnx-run edit bert.onnx -o short.onnx --to hidden_state            cut a model at a value\n"
    "  onnx-run edit bert.onnx -o rest.onnx --from hidden_state           what comes after it\n"
    "  onnx-run edit m.onnx -o n.onnx --bypass-op Dropout --rename logits=scores\n"
    "  onnx-run edit m.onnx -o n.onnx --remove act --insert 'y = Gelu(p)'\n"
    "  onnx-run edit a.onnx -o ab.onnx --merge b.onnx --link hidden=input\n"
    "  onnx-run edit m.onnx -o bare.onnx --save-weights m.safetensors --strip-weights";

}  // namespace

void add_edit(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("edit", "Change a model: cut, rename, replace, merge");
  auto flags = std::make_shared<EditFlags>();
  command->add_option("MODEL", flags->model, "Model file")->required()->type_name("");
  flags->write.add_to(*command);
  constexpr const char* kPart = "Part";
  const auto add = [&](const char* name, std::vector<std::string>& values, const char* type, const char* help) {
    return command->add_option(name, values, help)->allow_extra_args(false)->type_name(type);
  };
  add("--from", flags->from, "VALUE", "Keep what comes after this value, which becomes an input; may be repeated")
      ->group(kPart);
  add("--to", flags->to, "VALUE", "Keep what leads to this value, which becomes an output; may be repeated")
      ->group(kPart);
  constexpr const char* kMerge = "Merging";
  auto* merged = command->add_option("--merge", flags->merged, "Add another model")->type_name("FILE")->group(kMerge);
  add("--link", flags->links, "OUTPUT=INPUT",
      "Output, or input, of this model that becomes an input of the other; may be repeated")
      ->needs(merged)
      ->group(kMerge);
  command->add_option("--prefix", flags->prefix, "Before all names of the other model")
      ->needs(merged)
      ->type_name("TEXT")
      ->group(kMerge);
  for (size_t i = 0; i < std::size(kEdits); ++i) {
    const Edit& edit = kEdits[i];
    CLI::Option* option =
        edit.value ? add(edit.flag, flags->values[i], edit.value, edit.help) : command->add_flag(edit.flag, edit.help);
    flags->edit_of[option->group("Edits, each may be repeated")] = i;
  }
  flags->session.add_loading(*command);
  command->footer(kFooter);
  command->callback([flags, command, &exit_code] { exit_code = edit(*flags, command->parse_order()); });
}

}  // namespace cli
