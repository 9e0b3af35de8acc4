// Values as JSON: nested lists of numbers, true and false, or strings.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "room.h"

namespace cli {

// Throws Failure naming `what` where the bytes are no JSON.
nlohmann::json parse_json(std::string_view bytes, const std::string& what, Taken& taken);

// The value of an input of `type`, as Port::type writes it: tensors from lists of equal lengths, sequences from lists of their elements, maps from objects, absent
// optionals from null. In tensors of real numbers null is NaN, as are the strings "nan", "inf" and "-inf" what they say. Throws Failure naming `what`.
onnxrun::Value value_of_json(const nlohmann::json& json, std::string_view type, const std::string& what);

// The reverse. Complex numbers are pairs.
nlohmann::ordered_json json_of_value(const onnxrun::Value& value);

}  // namespace cli
