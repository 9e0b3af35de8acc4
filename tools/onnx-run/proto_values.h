// Values stored on their own in .pb files.
#pragma once

#include <onnxrun/onnxrun.hpp>

#include <string>
#include <string_view>

#include "room.h"

namespace cli {

// Throws Failure naming `what`, also where what is decoded may not fit into `room`: packed numbers of a byte become eight, text of two bytes a string.
onnxrun::Value read_proto(std::string_view bytes, onnxrun_kind kind, const std::string& what, Room& room);

}  // namespace cli
