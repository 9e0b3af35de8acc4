// A model as a web page.
#pragma once

#include <string>

namespace cli {

// One page that needs nothing else, from a report with the parts OPS and GRAPH: the graph drawn, with shapes, costs and details of nodes.
std::string html_page(const std::string& report);

}  // namespace cli
