// Describing ports.
#include "ports.h"

#include "dtypes.h"

namespace nb = nanobind;

namespace onnxrun::python {
namespace {

nb::object dims_of(const Port& port) {
  if (!port.rank_known) return nb::none();
  nb::list dims;
  for (size_t i = 0; i < port.dims.size(); ++i) {
    if (port.dims[i] >= 0) dims.append(port.dims[i]);
    else if (port.symbols[i] == "?") dims.append(nb::none());
    else dims.append(nb::str(port.symbols[i].c_str()));
  }
  return nb::tuple(dims);
}

}  // namespace

nb::list describe_ports(const std::vector<Port>& ports) {
  nb::list result;
  for (const Port& port : ports) {
    const std::string_view dtype = dkind_of_object(port.dtype);
    result.append(nb::make_tuple(nb::str(port.name.c_str()), nb::str(port.type.c_str()), static_cast<int>(port.kind),
                                 nb::str(dtype.data(), dtype.size()), dims_of(port), port.has_default));
  }
  return result;
}

}  // namespace onnxrun::python
