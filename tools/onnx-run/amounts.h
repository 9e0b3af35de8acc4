// Numbers of reports as people read them.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace cli {

// 1234567 as "1.23 M" and as "1.18 MB" (k is 1024 in bytes); formulas as they are unless nobody would read them.
std::string count(const nlohmann::ordered_json& value);
std::string bytes(const nlohmann::ordered_json& value);
// "1 node", "2 nodes".
std::string counted(int64_t count, const std::string& what);

}  // namespace cli
