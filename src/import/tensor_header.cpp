// Reading the fields of a TensorProto but for its elements.
#include "import/tensor_header.h"

#include "import/proto.h"
#include "import/tensor.h"

namespace onnxrun::import {

std::string_view field_name(uint32_t field) {
  switch (field) {
    case kFloatData: return "float_data";
    case kInt32Data: return "int32_data";
    case kStringData: return "string_data";
    case kInt64Data: return "int64_data";
    case kRawData: return "raw_data";
    case kDoubleData: return "double_data";
    case kUint64Data: return "uint64_data";
    default: return "no data";
  }
}

TensorHeader read_tensor_header(const TensorSource& source, Bytes message) {
  TensorHeader h;
  Message m(*source.file, message, "TensorProto");
  while (m.next()) {
    switch (m.field()) {
      case 1:
        m.integers([&](int64_t dim) {
          if (static_cast<int64_t>(h.dims.size()) >= source.limits->max_rank)
            base::exceed(fmt::format("a tensor has {} dims or more", h.dims.size() + 1), source.limits->max_rank,
                         "max_rank");
          h.dims.push_back(dim);
        });
        break;
      case 2: h.data_type = m.integer(); break;
      case 3:
        m.fail(
            "is one segment of a tensor stored in pieces, which is not supported; save the model with whole tensors");
      case 8: h.name = m.text(); break;
      case 9: h.raw = m.bytes(); break;
      case 13:
        if (h.external_data.size() >= 16) m.fail("has too many external_data entries");
        h.external_data.push_back(read_entry(*source.file, m.bytes()));
        break;
      case 14: {
        const int64_t location = m.integer();
        if (location != 0 && location != 1) m.fail(fmt::format("has the unknown data_location {}", location));
        h.external = location == 1;
        break;
      }
      case kFloatData:
      case kInt32Data:
      case kStringData:
      case kInt64Data:
      case kDoubleData:
      case kUint64Data: {
        const uint32_t field = m.field();
        // An empty packed list says nothing.
        if (field == kStringData || !m.is_empty()) {
          if (h.typed != kNoData && h.typed != field)
            m.fail(fmt::format("('{}') has both {} and {}", h.name, field_name(h.typed), field_name(field)));
          h.typed = field;
        }
        m.skip();
        break;
      }
      default: m.skip();
    }
  }
  return h;
}

}  // namespace onnxrun::import
