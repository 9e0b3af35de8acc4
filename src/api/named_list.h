// Values that a caller set by name, in the order in which the names came first.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/value.h"

namespace onnxrun::api {

class NamedList {
 public:
  using Values = std::vector<std::pair<std::string, base::Value>>;

  // In place of what was set by that name.
  void set(const std::string& name, base::Value value) {
    const auto [place, is_new] = places_.try_emplace(name, values_.size());
    if (!is_new) {
      values_[place->second].second = std::move(value);
      return;
    }
    try {
      values_.emplace_back(name, std::move(value));
    } catch (...) {  // out of memory
      places_.erase(place);
      throw;
    }
  }

  // The last takes its place.
  void erase(const std::string& name) {
    const auto found = places_.find(name);
    if (found == places_.end()) return;
    const size_t place = found->second;
    places_.erase(found);
    if (place + 1 != values_.size()) {
      values_[place] = std::move(values_.back());
      places_.find(values_[place].first)->second = place;
    }
    values_.pop_back();
  }

  // Null where none was set by that name.
  const base::Value* find(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &values_[found->second].second;
  }
  const Values& values() const { return values_; }
  Values take() {
    places_.clear();
    return std::exchange(values_, {});
  }

 private:
  Values values_;
  std::unordered_map<std::string, size_t> places_;
};

}  // namespace onnxrun::api
