// Taking in operator libraries: checks, copies of what they declare, and the C functions for it.
#include "api/custom_ops.h"

#include "api/assemble.h"
#include "api/custom_infer.h"
#include "api/functions.h"
#include "api/shared_library.h"
#include "api/status.h"
#include "ops/table.h"
#include "plan/node_view.h"

namespace onnxrun::api {
namespace {

std::string text_of(const char* text) { return text ? text : ""; }

onnxrun_code accept_all(const onnxrun_node*, onnxrun_acceptance*, onnxrun_sink*) { return ONNXRUN_OK; }
onnxrun_code bind_nothing(const onnxrun_node*, const void*, void** state, size_t* scratch, onnxrun_sink*) {
  *state = nullptr;
  *scratch = 0;
  return ONNXRUN_OK;
}
void release_nothing(void*) {}

}  // namespace

CustomOps::CustomOps(std::shared_ptr<const CustomOps> before) : before_(std::move(before)) {
  ops::define_all(table_);
  if (!before_) return;
  defs_ = before_->defs_;
  for (const ir::OpDef& def : defs_) table_.add(def);
  if (before_->records()) record();
}

void CustomOps::record() {
  noted_ = std::make_shared<Noted>();
  table_.observe([noted = noted_.get()](const ir::OpDef& def) {
    const std::lock_guard lock(noted->mutex);
    noted->names.insert(def.full_name());
  });
}

std::set<std::string> CustomOps::recorded() const {
  const std::lock_guard lock(noted_->mutex);
  return noted_->names;
}

CustomOps::~CustomOps() {
  if (destroy_) destroy_(self_);
}

plan::ExtraKernels CustomOps::kernels() const {
  plan::ExtraKernels all;
  if (before_) all = before_->kernels();
  for (const auto& [provider, kernel] : kernels_) all.emplace_back(provider, &kernel);
  return all;
}

void CustomOps::add_op(const onnxrun_op& op) {
  CustomOp& own = ops_.emplace_back();
  std::string domain = text_of(op.domain);
  if (domain == "ai.onnx") domain.clear();
  own.name = text_of(op.name);
  if (own.name.empty()) fail(Code::kInvalidArgument, "an operator has no name");
  const std::string full = domain.empty() ? own.name : domain + "." + own.name;
  if (domain.size() >= sizeof own.domain.text)
    fail(Code::kInvalidArgument, "operator {} has a domain of more than {} characters", own.name,
         sizeof own.domain.text - 1);
  domain.copy(own.domain.text, domain.size());
  if (!op.infer) fail(Code::kInvalidArgument, "operator {} has no infer function", full);
  if (op.since_version < 1)
    fail(Code::kInvalidArgument, "operator {} exists since version {}, which is below 1", full, op.since_version);
  constexpr uint32_t kKnown = ONNXRUN_OP_RANDOM | ONNXRUN_OP_DATA_SHAPE;
  if ((op.flags & ~kKnown) != 0) fail(Code::kInvalidArgument, "operator {} has flags that are not known here", full);
  if (table_.find(domain, own.name))
    fail(Code::kInvalidArgument, "operator {} is defined already; give it a domain of its own", full);
  own.inputs = text_of(op.inputs);
  own.outputs = text_of(op.outputs);
  own.types = text_of(op.types);
  own.attributes = text_of(op.attributes);
  own.value_inputs = op.value_inputs;
  own.infer = op.infer;
  own.self = op.self;

  ir::OpDef def;
  def.domain = own.domain.text;
  def.name = own.name.c_str();
  def.versions = {op.since_version};
  def.signature = {own.inputs.c_str(), own.outputs.c_str(), own.types.c_str(), own.attributes.c_str()};
  if (op.flags & ONNXRUN_OP_RANDOM) def.flags |= ir::kRandom;
  if (op.flags & ONNXRUN_OP_DATA_SHAPE) def.flags |= ir::kDataShape;
  def.infer = &infer_custom;
  try {
    const ir::Signature signature = ir::parse_signature(def.signature, full);
    if (signature.max_outputs == 0) fail(Code::kInvalidArgument, "operator {} has no outputs", full);
    for (const ir::AttributeSpec& attribute : signature.attributes)
      if (attribute.kind == "type" || attribute.kind == "graph")
        fail(Code::kUnsupported, "operator {}: attributes of the kind {} cannot be handed to a kernel", full,
             attribute.kind);
  } catch (const base::Error& error) {
    if (error.code() != Code::kInternal) throw;
    throw base::Error(Code::kInvalidArgument, error.message());
  }
  table_.add(def);
  defs_.push_back(def);
  add_kernels(op, def);
}

void CustomOps::add_kernels(const onnxrun_op& op, const ir::OpDef& def) {
  if (op.kernel_count != 0) need(op.kernels, "kernels");
  for (size_t i = 0; i < op.kernel_count; ++i) {
    const onnxrun_op_kernel& given = op.kernels[i];
    if (!given.provider || !given.kernel.run)
      fail(Code::kInvalidArgument, "kernel {} of operator {} has no {}", i, def.full_name(),
           given.provider ? "run function" : "provider");
    if (given.kernel.bind && !given.kernel.release)
      fail(Code::kInvalidArgument, "kernel {} of operator {} has bind and no release", i, def.full_name());
    onnxrun_kernel kernel = given.kernel;
    kernel.domain = def.domain;
    kernel.op_type = def.name;
    kernel.name = names_.emplace_back(kernel.name && *kernel.name ? kernel.name : "custom").c_str();
    if (!kernel.accepts) kernel.accepts = accept_all;
    if (!kernel.bind) kernel.bind = bind_nothing;
    if (!kernel.release) kernel.release = release_nothing;
    kernels_.emplace_back(given.provider, kernel);
  }
}

void CustomOps::add(const onnxrun_op_library& library) {
  if (library.abi_version != ONNXRUN_OP_ABI_VERSION)
    fail(Code::kUnsupported,
         "operator library '{}' was built for version {} of the interface, this library has version {}",
         text_of(library.name), library.abi_version, ONNXRUN_OP_ABI_VERSION);
  if (library.abi_revision > ONNXRUN_PROVIDER_ABI_REVISION)
    fail(Code::kUnsupported,
         "operator library '{}' was built for revision {} of the interface, and this onnxrun has revision {}: it needs "
         "a newer onnxrun",
         text_of(library.name), library.abi_revision, ONNXRUN_PROVIDER_ABI_REVISION);
  if (library.op_count != 0) need(library.ops, "ops");
  for (size_t i = 0; i < library.op_count; ++i) add_op(library.ops[i]);
  self_ = library.self;
  destroy_ = library.destroy;
}

CustomOpsPtr with_ops(CustomOpsPtr before, const onnxrun_op_library& library) {
  auto ops = std::make_shared<CustomOps>(std::move(before));
  ops->add(library);
  return ops;
}

CustomOpsPtr with_op_library(CustomOpsPtr before, const std::string& path, const char* const* settings, size_t count) {
  const auto create =
      reinterpret_cast<onnxrun_op_entry>(symbol_of(path, ONNXRUN_TEXT(ONNXRUN_OP_ENTRY), "operator library"));
  const std::string context = "operator library '" + path + "'";
  plan::Message message;
  const onnxrun_op_library* library = nullptr;
  const onnxrun_code code = create(ONNXRUN_OP_ABI_VERSION, settings, count, &library, message.sink());
  if (code != ONNXRUN_OK)
    throw base::Error(static_cast<Code>(code), message.text().empty() ? "no reason given" : message.text()).in(context);
  if (library == nullptr) fail(Code::kUnsupported, "{} gave nothing", context);
  try {
    return with_ops(std::move(before), *library);
  } catch (base::Error& error) {
    if (library->destroy) library->destroy(library->self);
    throw error.in(context);
  }
}

onnxrun_status* options_add_ops(onnxrun_options* options, const onnxrun_op_library* library) {
  return guard([&] {
    need(options, "options");
    options->ops = with_ops(options->ops, need(library, "library"));
  });
}

onnxrun_status* options_add_op_library(onnxrun_options* options, const char* path, const char* const* settings,
                                       size_t setting_count) {
  return guard([&] {
    need(options, "options");
    need(path, "path");
    check_settings(settings, setting_count);
    options->ops = with_op_library(options->ops, path, settings, setting_count);
  });
}

}  // namespace onnxrun::api
