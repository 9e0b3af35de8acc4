// Sessions: checking what callers pass, and lending streams to them.
#include "run/session.h"

#include <algorithm>

#include "base/error.h"
#include "base/parallel.h"
#include "plan/node_view.h"

namespace onnxrun::run {

using base::Code;
using base::Value;

struct Session::Stream {
  explicit Stream(const Session& session)
      : pool(session.options_.threads), tensors(session.options_.budget) {
    context.pool = &pool;
    context.tensors = &tensors;
    context.budget = session.options_.budget;
    context.limits = session.options_.limits;
    const plan::ProviderSet& providers = session.program_->providers();
    context.device_streams.assign(static_cast<size_t>(providers.size()), nullptr);
    for (int p = 0; p < providers.size(); ++p) {
      const onnxrun_provider& provider = providers.at(p);
      if (!provider.device_memory) continue;
      plan::Message message;
      void* stream = nullptr;
      if (const auto code = provider.create_stream(provider.self, &stream, message.sink()); code != ONNXRUN_OK)
        throw base::Error(static_cast<Code>(code), message.text());
      context.device_streams[static_cast<size_t>(p)] = stream;
      device_streams.emplace_back(stream, [&provider](void* s) { provider.destroy_stream(provider.self, s); });
    }
    frame = std::make_unique<Frame>(*session.program_, context);
  }

  base::ThreadPool pool;
  TensorPool tensors;
  StreamContext context;
  std::vector<std::shared_ptr<void>> device_streams;
  std::unique_ptr<Frame> frame;
};

Session::Session(std::shared_ptr<ir::Model> model, SessionOptions options)
    : model_(std::move(model)), options_(std::move(options)) {
  if (!options_.budget) options_.budget = std::make_shared<base::Budget>(options_.limits.max_run_bytes);
  plan::ProgramOptions program_options;
  program_options.table = options_.table;
  program_options.providers = options_.providers;
  program_options.budget = options_.budget;
  program_ = plan::Program::build(*model_->graph, program_options);
  const ir::Graph& graph = *model_->graph;
  for (ir::ValueId id : graph.inputs()) {
    const auto found = model_->input_defaults.find(id);
    inputs_.push_back({graph.value(id).name, graph.value(id).fact, found != model_->input_defaults.end()});
    defaults_.push_back(found != model_->input_defaults.end() ? Value(found->second) : Value());
  }
  for (ir::ValueId id : graph.outputs()) outputs_.push_back({graph.value(id).name, graph.value(id).fact, false});
}

Session::~Session() = default;

Session::Stream& Session::acquire() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!idle_.empty()) {
      Stream* stream = idle_.back();
      idle_.pop_back();
      return *stream;
    }
    if (streams_.size() < static_cast<size_t>(std::max(options_.streams, 1))) {
      streams_.push_back(std::make_unique<Stream>(*this));
      idle_.reserve(streams_.size());
      return *streams_.back();
    }
    freed_.wait(lock);
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

std::string list_of(const std::vector<Port>& ports) {
  std::string text;
  for (const Port& port : ports) text += (text.empty() ? "'" : ", '") + port.name + "'";
  return text;
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
  if (fact.kind == TypeKind::kMap && value.is_map()) return;
  if (!fact.is_tensor() || !value.is_tensor())
    base::fail(Code::kInvalidArgument, "input '{}' must be {}, got {}", name, fact.to_string(), value.describe());
  const base::Tensor& tensor = value.tensor();
  const auto refuse = [&](const std::string& why) {
    base::fail(Code::kInvalidArgument, "input '{}' must be {}, got {}{}", name, fact.to_string(), value.describe(), why);
  };
  if (tensor.dtype() != fact.dtype && fact.dtype != base::DType::kNone) refuse("");
  if (!fact.shape) return;
  if (tensor.rank() != fact.rank()) refuse(": the number of dimensions differs");
  for (size_t i = 0; i < fact.shape->size(); ++i) {
    const ir::Dim& dim = (*fact.shape)[i];
    const int64_t actual = tensor.dims()[i];
    if (dim.is_constant() && dim.value() != actual) refuse(fmt::format(": dimension {} is fixed to {} in the model", i, dim.value()));
    if (!dim.is_symbolic()) continue;
    const std::string symbol = dim.to_string();
    const auto bound = std::find_if(symbols.begin(), symbols.end(), [&](const auto& s) { return s.first == symbol; });
    if (bound == symbols.end()) symbols.push_back({symbol, {actual, name}});
    else if (bound->second.first != actual)
      refuse(fmt::format(": '{}' is {} in input '{}'", symbol, bound->second.first, bound->second.second));
  }
}

std::vector<Feed> Session::match_inputs(const RunRequest& request) const {
  std::vector<Feed> feeds(inputs_.size());
  std::vector<std::pair<std::string, std::pair<int64_t, std::string>>> symbols;
  for (const auto& [name, value] : request.inputs) {
    const auto port = std::find_if(inputs_.begin(), inputs_.end(), [&, &wanted = name](const Port& p) { return p.name == wanted; });
    if (port == inputs_.end())
      base::fail(Code::kInvalidArgument, "the model has no input '{}'; its inputs are {}", name, list_of(inputs_));
    Feed& feed = feeds[static_cast<size_t>(port - inputs_.begin())];
    if (feed.holder != nullptr) base::fail(Code::kInvalidArgument, "input '{}' is given twice", name);
    check_value(name, value, port->fact, symbols);
    feed = feed_of(value);
  }
  for (size_t i = 0; i < feeds.size(); ++i) {
    if (feeds[i].holder != nullptr) continue;
    if (!defaults_[i].absent()) {
      feeds[i] = feed_of(defaults_[i]);
    } else if (inputs_[i].fact.kind == ir::TypeKind::kOptional) {
      static const Value kAbsent;
      feeds[i] = feed_of(kAbsent);
    } else {
      base::fail(Code::kInvalidArgument, "input '{}' ({}) is missing; the model's inputs are {}", inputs_[i].name,
                 inputs_[i].fact.to_string(), list_of(inputs_));
    }
  }
  return feeds;
}

void Session::run(RunRequest& request) {
  const std::vector<Feed> feeds = match_inputs(request);
  std::vector<Value> results(outputs_.size());
  std::vector<size_t> wanted;
  for (auto& [name, value] : request.outputs) {
    const auto port = std::find_if(outputs_.begin(), outputs_.end(), [&, &want = name](const Port& p) { return p.name == want; });
    if (port == outputs_.end())
      base::fail(Code::kInvalidArgument, "the model has no output '{}'; its outputs are {}", name, list_of(outputs_));
    wanted.push_back(static_cast<size_t>(port - outputs_.begin()));
    results[wanted.back()] = value;
  }
  {
    Stream& stream = acquire();
    struct Return {
      Session& session;
      Stream& stream;
      ~Return() {
        stream.context.control = nullptr;
        stream.context.observer = nullptr;
        stream.context.depth = 0;
        session.release(stream);
      }
    } give_back{*this, stream};
    stream.context.control = &request.control;
    stream.context.observer = request.observer;
    const base::DenormalGuard denormals(options_.flush_denormals);
    stream.frame->run(feeds, {}, results);
  }
  if (wanted.empty()) {
    for (size_t k = 0; k < results.size(); ++k) request.outputs.emplace_back(outputs_[k].name, std::move(results[k]));
  } else {
    for (size_t k = 0; k < wanted.size(); ++k) request.outputs[k].second = results[wanted[k]];
  }
}

void Session::trim() {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : idle_) {
    stream->frame->trim();
    stream->tensors.trim();
  }
}

int64_t Session::block_bytes() const {
  const std::lock_guard lock(mutex_);
  int64_t total = 0;
  for (const auto& stream : streams_) total += stream->frame->block_bytes();
  return total;
}

}  // namespace onnxrun::run
