// ProviderCapabilities: what the session's providers would run, for passes that ask before they fuse.
#pragma once

#include "ir/capabilities.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

class ProviderCapabilities final : public ir::Capabilities {
 public:
  explicit ProviderCapabilities(std::shared_ptr<const ProviderSet> providers) : providers_(std::move(providers)) {}
  bool accepts(const ir::Graph& graph, const ir::Node& node) override;

 private:
  std::shared_ptr<const ProviderSet> providers_;
};

}  // namespace onnxrun::plan
