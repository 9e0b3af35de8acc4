// Sessions: checking what callers pass, and lending streams to them.
#include "run/session.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <functional>

#include "base/error.h"
#include "base/parallel.h"

namespace onnxrun::run {

using base::Code;
using base::Value;

namespace {
constexpr auto kControlInterval = std::chrono::milliseconds(10);  // how often a waiting caller looks at its control
}

struct Session::Stream {
  explicit Stream(const Session& session)
      : pool(session.options_.threads),
        devices(session.options_.providers),
        tensors(session.options_.budget, &devices) {
    context.pool = &pool;
    context.devices = &devices;
    context.tensors = &tensors;
    context.blocks = session.prepared_->blocks.get();
    context.budget = session.options_.budget;
    context.limits = session.options_.limits;
    context.plans.cap = static_cast<size_t>(std::max<int64_t>(session.options_.limits.max_plan_bytes, 0) /
                                            std::max(session.options_.streams, 1));
    frame = std::make_unique<Frame>(session.program(), context);
  }

  base::ThreadPool pool;
  DeviceStreams devices;
  TensorPool tensors;
  StreamContext context;
  std::unique_ptr<Frame> frame;
  // Kept from run to run, so that a run in the steady state allocates nothing.
  std::vector<Feed> feeds;
  std::vector<Value> results;
  std::vector<int64_t> symbol_values;
  std::vector<size_t> wanted;            // by requested output: which of the model's
  std::vector<char> lent;                // by requested output: the caller's tensor is in results
  std::vector<int32_t> output_memories;  // by output; empty: all in host memory
};

Prepared::Prepared(std::shared_ptr<ir::Model> given, const SessionOptions& options) : model(std::move(given)) {
  plan::ProgramOptions program_options;
  program_options.table = options.table;
  program_options.providers = options.providers;
  program_options.budget = options.budget;
  if (!program_options.budget)
    program_options.budget =
        std::make_shared<base::Budget>(options.limits.max_run_bytes, options.limits.max_tensor_bytes);
  program_options.precision = options.precision;
  program_options.reference_kernels = options.reference_kernels;
  program_options.threads = options.threads > 0 ? options.threads : base::available_cpus();
  program = plan::Program::build(*model->graph, program_options);
}

Session::Session(std::shared_ptr<ir::Model> model, SessionOptions options)
    : Session(std::make_shared<const Prepared>(std::move(model), options), options) {}

Session::Session(std::shared_ptr<const Prepared> prepared, SessionOptions options)
    : options_(std::move(options)), prepared_(std::move(prepared)) {
  options_.providers = program().options().providers;
  if (!options_.budget) options_.budget = program().options().budget;
  const ir::Model& model = *prepared_->model;
  const ir::Graph& graph = *model.graph;
  for (ir::ValueId id : graph.inputs()) {
    const auto found = model.input_defaults.find(id);
    inputs_.push_back({graph.value(id).name, graph.value(id).fact, found != model.input_defaults.end()});
    defaults_.push_back(found != model.input_defaults.end() ? Value(found->second) : Value());
  }
  for (ir::ValueId id : graph.outputs()) outputs_.push_back({graph.value(id).name, graph.value(id).fact, false});
  for (size_t i = 0; i < inputs_.size(); ++i) input_places_.emplace(inputs_[i].name, i);
  std::unordered_map<std::string, int> names;
  for (const Port& port : inputs_) {
    std::vector<int>& numbers = symbols_.emplace_back();
    for (const ir::Dim& dim : port.fact.shape.value_or(ir::Shape{})) {
      numbers.push_back(-1);
      if (!dim.is_symbolic()) continue;
      numbers.back() = names.try_emplace(dim.to_string(), static_cast<int>(names.size())).first->second;
    }
  }
  symbol_count_ = names.size();
}

Session::~Session() = default;

Session::Stream& Session::acquire(const RunControl& control) {
  std::unique_lock lock(mutex_);
  for (;;) {
    control.check();
    if (!idle_.empty()) {
      Stream* stream = idle_.back();
      idle_.pop_back();
      return *stream;
    }
    if (streams_.size() < static_cast<size_t>(std::max(options_.streams, 1))) {
      idle_.reserve(streams_.size() + 1);
      streams_.push_back(std::make_unique<Stream>(*this));
      return *streams_.back();
    }
    // Nobody announces that a run was cancelled.
    if (control.cancel != nullptr || control.deadline || control.poll != nullptr)
      freed_.wait_for(lock, kControlInterval);
    else freed_.wait(lock);
  }
}

void Session::release(Stream& stream) {
  {
    const std::lock_guard lock(mutex_);
    idle_.push_back(&stream);
  }
  freed_.notify_one();
}

namespace {

bool overlap(const base::Tensor& a, const base::Tensor& b) {
  const std::less<const void*> before;
  const auto* first = static_cast<const char*>(a.raw());
  const auto* second = static_cast<const char*>(b.raw());
  return before(first, second + b.bytes()) && before(second, first + a.bytes());
}

std::string list_of(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "'" : ", '") + port.name + "'";
  return text;
}

// A byte that is neither 0 nor 1 is no bool: reading it as one would be undefined.
void check_bools(const std::string& name, const Value& value) {
  if (value.is_sequence())
    for (const Value& element : value.sequence().elements) check_bools(name, element);
  if (!value.is_tensor() || value.tensor().dtype() != base::DType::kBool || value.tensor().memory() != 0) return;
  const auto* bytes = static_cast<const uint8_t*>(value.tensor().raw());
  const int64_t count = value.tensor().count();
  typedef uint64_t Words __attribute__((vector_size(64)));
  Words seen = {};
  int64_t i = 0;
  for (; i + int64_t{sizeof seen} <= count; i += int64_t{sizeof seen}) {
    Words words;
    std::memcpy(&words, bytes + i, sizeof words);
    seen |= words;
  }
  uint64_t all = 0;
  for (size_t k = 0; k < sizeof seen / sizeof all; ++k) all |= seen[k];
  for (; i < count; ++i) all |= bytes[i];
  if ((all & ~uint64_t{0x0101010101010101}) != 0)
    base::fail(Code::kInvalidArgument, "input '{}' must hold bools, which are 0 or 1, but holds other bytes", name);
}

}  // namespace

void check_value(const std::string& name, const Value& value, const ir::Fact& fact,
                 std::vector<std::pair<std::string, std::pair<int64_t, std::string>>>& symbols) {
  using ir::TypeKind;
  if (fact.kind == TypeKind::kUnknown) return;
  if (fact.kind == TypeKind::kOptional) {
    if (!value.absent()) check_value(name, value, *fact.element, symbols);
    return;
  }
  if (fact.kind == TypeKind::kSequence && value.is_sequence()) {
    for (const Value& element : value.sequence().elements) {
      std::vector<std::pair<std::string, std::pair<int64_t, std::string>>> own;
      check_value(name, element, *fact.element, own);
    }
    return;
  }
  if (fact.kind == TypeKind::kMap && value.is_map()) {
    const base::Map& map = value.map();
    const base::DType wanted = fact.element ? fact.element->dtype : base::DType::kNone;
    const bool fits = (fact.key == base::DType::kNone || map.key == fact.key) &&
                      (wanted == base::DType::kNone || map.value == wanted);
    if (!fits)
      base::fail(Code::kInvalidArgument, "input '{}' must be {}, got {}", name, fact.to_string(), value.describe());
    return;
  }
  if (!fact.is_tensor() || !value.is_tensor())
    base::fail(Code::kInvalidArgument, "input '{}' must be {}, got {}", name, fact.to_string(), value.describe());
  const base::Tensor& tensor = value.tensor();
  const auto refuse = [&](const std::string& why) {
    base::fail(Code::kInvalidArgument, "input '{}' must be {}, got {}{}", name, fact.to_string(), value.describe(),
               why);
  };
  if (tensor.dtype() != fact.dtype && fact.dtype != base::DType::kNone) refuse("");
  if (!fact.shape) return;
  if (tensor.rank() != fact.rank()) refuse(": the number of dimensions differs");
  for (size_t i = 0; i < fact.shape->size(); ++i) {
    const ir::Dim& dim = (*fact.shape)[i];
    const int64_t actual = tensor.dims()[i];
    if (dim.is_constant() && dim.value() != actual)
      refuse(fmt::format(": dimension {} is fixed to {} in the model", i, dim.value()));
    if (!dim.is_symbolic()) continue;
    const std::string symbol = dim.to_string();
    const auto bound = std::find_if(symbols.begin(), symbols.end(), [&](const auto& s) { return s.first == symbol; });
    if (bound == symbols.end()) symbols.push_back({symbol, {actual, name}});
    else if (bound->second.first != actual)
      refuse(fmt::format(": '{}' is {} in input '{}'", symbol, bound->second.first, bound->second.second));
  }
}

// Whether a tensor fits its input, by numbers alone; what does not is looked at again by check_value, which has the words.
bool Session::fits(size_t input, const Value& value, Stream& stream) const {
  const ir::Fact& fact = inputs_[input].fact;
  if (!fact.is_tensor() || !value.is_tensor() || value.tensor().dtype() != fact.dtype) return false;
  if (!fact.shape) return true;
  const base::Dims& dims = value.tensor().dims();
  if (dims.size() != fact.shape->size()) return false;
  for (size_t i = 0; i < dims.size(); ++i) {
    const ir::Dim& dim = (*fact.shape)[i];
    if (dim.is_constant() && dim.value() != dims[i]) return false;
    if (symbols_[input][i] < 0) continue;
    int64_t& bound = stream.symbol_values[static_cast<size_t>(symbols_[input][i])];
    if (bound >= 0 && bound != dims[i]) return false;
    bound = dims[i];
  }
  return true;
}

void Session::match_inputs(const RunRequest& request, Stream& stream) const {
  stream.feeds.assign(inputs_.size(), Feed{});
  stream.symbol_values.assign(symbol_count_, -1);
  bool fitting = true;
  for (const auto& [name, value] : request.inputs) {
    const auto place = input_places_.find(name);
    if (place == input_places_.end())
      base::fail(Code::kInvalidArgument, "the model has no input '{}'; its inputs are {}", name, list_of(inputs_));
    const size_t index = place->second;
    Feed& feed = stream.feeds[index];
    if (feed.holder != nullptr) base::fail(Code::kInvalidArgument, "input '{}' is given twice", name);
    feed = feed_of(value);
    check_bools(name, value);
    fitting &= fits(index, value, stream);
  }
  if (!fitting) {
    std::vector<std::pair<std::string, std::pair<int64_t, std::string>>> symbols;
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (stream.feeds[i].holder != nullptr)
        check_value(inputs_[i].name, *stream.feeds[i].holder, inputs_[i].fact, symbols);
  }
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (stream.feeds[i].holder != nullptr) continue;
    if (!defaults_[i].absent()) {
      stream.feeds[i] = feed_of(defaults_[i]);
    } else if (inputs_[i].fact.kind == ir::TypeKind::kOptional) {
      static const Value kAbsent;
      stream.feeds[i] = feed_of(kAbsent);
    } else {
      base::fail(Code::kInvalidArgument, "input '{}' ({}) is missing; the model's inputs are {}", inputs_[i].name,
                 inputs_[i].fact.to_string(), list_of(inputs_));
    }
  }
}

// Fills stream.wanted: for each requested output, which one it is.
void Session::match_outputs(const RunRequest& request, Stream& stream) const {
  stream.wanted.clear();
  for (const auto& [name, value] : request.outputs) {
    const auto port =
        std::find_if(outputs_.begin(), outputs_.end(), [&, &asked = name](const Port& p) { return p.name == asked; });
    if (port == outputs_.end())
      base::fail(Code::kInvalidArgument, "the model has no output '{}'; its outputs are {}", name, list_of(outputs_));
    stream.wanted.push_back(static_cast<size_t>(port - outputs_.begin()));
  }
  for (size_t i = 0; i < request.outputs.size(); ++i)
    for (size_t j = 0; j < i; ++j) {
      const auto& [name, value] = request.outputs[i];
      const auto& [other_name, other] = request.outputs[j];
      if (!value.is_tensor() || !other.is_tensor()) continue;
      if (name == other_name)
        base::fail(Code::kInvalidArgument, "output '{}' is asked for twice with a tensor to write to", name);
      if (overlap(value.tensor(), other.tensor()))
        base::fail(Code::kInvalidArgument, "the tensors for outputs '{}' and '{}' share memory", other_name, name);
    }
}

// Names the memory of callers on devices as the program does, and notes where outputs are wanted.
void Session::match_devices(const RunRequest& request, Stream& stream) const {
  const plan::ProviderSet& providers = *options_.providers;
  const auto check = [&](const char* what, const std::string& name, int32_t memory) {
    if (memory == 0 || providers.kind_of(memory) >= 0) return;
    base::fail(Code::kInvalidArgument,
               "{} '{}' is in the memory of a device (DLPack's type {}, number {}) on which none of the session's "
               "providers works",
               what, name, plan::device_type_of(memory), plan::device_id_of(memory));
  };
  for (size_t i = 0; i < stream.feeds.size(); ++i) {
    int32_t& memory = stream.feeds[i].view.memory;
    check("input", inputs_[i].name, memory);
    if (memory != 0) memory = providers.kind_of(memory);
  }
  for (const auto& [name, value] : request.outputs)
    if (value.is_tensor()) check("output", name, value.tensor().memory());
  stream.output_memories.clear();
  for (size_t i = 0; i < request.output_memories.size(); ++i) {
    check("output", request.outputs[i].first, request.output_memories[i]);
    if (request.output_memories[i] == 0) continue;
    stream.output_memories.resize(outputs_.size());
    stream.output_memories[stream.wanted[i]] = request.output_memories[i];
  }
}

void Session::run(RunRequest& request) {
  // The callers' tensors for outputs are lent to the frame and given back whatever happens.
  struct Loan {
    Session& session;
    Stream& stream;
    RunRequest& request;
    ~Loan() {
      for (size_t i = 0; i < stream.lent.size(); ++i)
        if (stream.lent[i]) request.outputs[i].second = std::move(stream.results[stream.wanted[i]]);
      stream.lent.clear();
      stream.results.clear();
      stream.context.control = nullptr;
      stream.context.observer = nullptr;
      stream.context.depth = 0;
      session.release(stream);
    }
  } loan{*this, acquire(request.control), request};
  Stream& stream = loan.stream;
  match_inputs(request, stream);
  match_outputs(request, stream);
  match_devices(request, stream);
  std::vector<Value>& results = stream.results;
  results.resize(outputs_.size());
  stream.lent.assign(request.outputs.size(), 0);
  for (size_t i = 0; i < request.outputs.size(); ++i)
    if (Value& value = request.outputs[i].second; value.is_tensor()) {
      results[stream.wanted[i]] = std::move(value);
      stream.lent[i] = 1;
    }
  stream.context.control = &request.control;
  stream.context.observer = request.observer;
  {
    const base::DenormalGuard denormals(options_.flush_denormals);
    stream.frame->run(stream.feeds, {}, results, stream.output_memories);
  }
  if (request.outputs.empty()) {
    for (size_t k = 0; k < results.size(); ++k) request.outputs.emplace_back(outputs_[k].name, std::move(results[k]));
  } else {
    for (size_t i = 0; i < request.outputs.size(); ++i)
      if (!stream.lent[i]) request.outputs[i].second = results[stream.wanted[i]];
  }
}

void Session::trim() {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : idle_) {
    stream->frame->trim();
    stream->tensors.trim();
    stream->devices.trim();
  }
  prepared_->blocks->clear();
}

int64_t Session::block_bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t total = prepared_->blocks->bytes();
  for (const auto& stream : streams_) total += stream->context.block_bytes;
  return total;
}

int64_t Session::plan_bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t total = 0;
  for (const auto& stream : streams_) total += static_cast<int64_t>(stream->context.plans.used.load());
  return total;
}

}  // namespace onnxrun::run
