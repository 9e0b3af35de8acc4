// ProviderCapabilities: what the session's providers would run, for passes that ask before they fuse.
#pragma once

#include <onnxrun/provider.h>

#include "ir/capabilities.h"
#include "plan/provider_set.h"

namespace onnxrun::plan {

class ProviderCapabilities final : public ir::Capabilities {
 public:
  // `precision` of float32 products, as the provider ABI numbers it.
  explicit ProviderCapabilities(std::shared_ptr<const ProviderSet> providers, int precision = ONNXRUN_PRECISION_HIGHEST)
      : providers_(std::move(providers)), precision_(precision) {}
  bool accepts(const ir::Graph& graph, const ir::Node& node) override;
  bool rounds_products() const override { return precision_ == ONNXRUN_PRECISION_MEDIUM; }

 private:
  std::shared_ptr<const ProviderSet> providers_;
  int precision_;
};

}  // namespace onnxrun::plan
