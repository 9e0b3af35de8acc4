// The table of operators and the search for names that resemble an unknown one.
#include "ir/op.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "base/error.h"

namespace onnxrun::ir {

namespace {

constexpr size_t kSuggestions = 3;

std::string_view canonical_domain(std::string_view domain) { return domain == "ai.onnx" ? std::string_view() : domain; }

std::string key_of(std::string_view domain, std::string_view name) {
  std::string key(canonical_domain(domain));
  key += ':';
  key += name;
  return key;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein distance without regard to case; just any that is larger where it is over `most`.
size_t edit_distance(std::string_view a, std::string_view b, size_t most) {
  const size_t apart = std::max(a.size(), b.size()) - std::min(a.size(), b.size());
  if (apart > most) return apart;
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i), least = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
      least = std::min(least, row[j]);
    }
    if (least > most) return least;
  }
  return row[b.size()];
}

}  // namespace

int OpDef::version_at(int64_t opset) const {
  int found = 0;
  for (int version : versions)
    if (version <= opset) found = version;
  return found;
}

std::string OpDef::full_name() const { return *domain ? std::string(domain) + "." + name : std::string(name); }

void OpTable::add(OpDef def) {
  const std::string full = def.full_name();
  if (!def.infer) base::fail(base::Code::kInternal, "operator {} has no inference function", full);
  if (def.versions.empty() || !std::is_sorted(def.versions.begin(), def.versions.end()) || def.versions.front() < 1)
    base::fail(base::Code::kInternal, "operator {} must list its versions in ascending order", full);
  auto entry = std::make_unique<Entry>();
  entry->signature = parse_signature(def.signature, full);
  std::string key = key_of(def.domain, def.name);
  entry->def = std::move(def);
  if (!entries_.try_emplace(std::move(key), std::move(entry)).second)
    base::fail(base::Code::kInternal, "operator {} is defined twice", full);
}

const OpDef* OpTable::find(std::string_view domain, std::string_view name) const {
  const auto found = entries_.find(key_of(domain, name));
  if (found == entries_.end()) return nullptr;
  if (observer_) observer_(found->second->def);
  return &found->second->def;
}

const OpDef* OpTable::get(std::string_view domain, std::string_view name) const {
  if (const OpDef* def = find(domain, name)) return def;
  base::fail(reduced_to_.empty() ? base::Code::kInternal : base::Code::kUnsupported, "{}",
             describe_missing(domain, name));
}

void OpTable::reduce(std::string list, std::span<const char* const> names) {
  reduced_to_ = std::move(list);
  const std::set<std::string_view> kept(names.begin(), names.end());
  std::erase_if(entries_, [&](const auto& entry) { return !kept.contains(entry.second->def.full_name()); });
}

std::string OpTable::describe_missing(std::string_view domain, std::string_view name) const {
  const std::string_view shown = domain.empty() ? "ai.onnx" : domain;
  if (reduced_to_.empty()) return fmt::format("the operator '{}' of domain '{}' is unknown", name, shown);
  return fmt::format(
      "the operator '{}' of domain '{}' is not in this build of onnxrun, which was reduced to those of {}", name, shown,
      reduced_to_);
}

const Signature& OpTable::signature(const OpDef& def) const {
  const auto found = entries_.find(key_of(def.domain, def.name));
  if (found == entries_.end()) base::fail(base::Code::kInternal, "operator {} is not in the table", def.full_name());
  return found->second->signature;
}

std::vector<const OpDef*> OpTable::all() const {
  std::vector<const OpDef*> list;
  list.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) list.push_back(&entry->def);
  std::sort(list.begin(), list.end(), [](const OpDef* a, const OpDef* b) {
    return std::pair(std::string_view(a->domain), std::string_view(a->name)) <
           std::pair(std::string_view(b->domain), std::string_view(b->name));
  });
  return list;
}

std::vector<std::string> OpTable::similar(std::string_view domain, std::string_view name) const {
  if (name.size() > 200) return {};
  const size_t most = std::max<size_t>(2, name.size() / 3);
  std::vector<std::tuple<size_t, bool, std::string>> found;
  for (const auto& [key, entry] : entries_) {
    const size_t distance = edit_distance(name, entry->def.name, most);
    const bool elsewhere = canonical_domain(domain) != entry->def.domain;
    if (distance <= most && (elsewhere || name != entry->def.name))
      found.emplace_back(distance, elsewhere, entry->def.full_name());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < found.size() && i < kSuggestions; ++i) names.push_back(std::move(std::get<2>(found[i])));
  return names;
}

}  // namespace onnxrun::ir
