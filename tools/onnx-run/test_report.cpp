// JSON and JUnit files.
#include "test_report.h"

#include <nlohmann/json.hpp>

#include "files.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string xml_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\n': out += "&#10;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? '?' : c;
    }
  }
  return out;
}

}  // namespace

void write_reports(const std::vector<CaseResult>& results, const std::string& json_file,
                   const std::string& junit_file) {
  size_t failed = 0;
  double seconds = 0;
  Json cases = Json::array();
  std::string xml;
  for (const auto& [name, outcome] : results) {
    failed += !outcome.passed;
    seconds += outcome.seconds;
    cases.push_back({{"name", name},
                     {"status", outcome.passed ? "passed" : "failed"},
                     {"message", outcome.message},
                     {"seconds", outcome.seconds}});
    const size_t slash = name.find('/');
    xml += "  <testcase classname=\"" + xml_text(name.substr(0, slash)) + "\" name=\"" +
           xml_text(name.substr(slash + 1)) + "\" time=\"" + std::to_string(outcome.seconds) + "\"";
    xml += outcome.passed ? "/>\n" : "><failure message=\"" + xml_text(outcome.message) + "\"/></testcase>\n";
  }
  if (!json_file.empty()) {
    const Json report{
        {"cases", std::move(cases)}, {"passed", results.size() - failed}, {"failed", failed}, {"skipped", 0}};
    write_file(json_file, report.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  if (!junit_file.empty())
    write_file(junit_file, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"onnx-run test\" tests=\"" +
                               std::to_string(results.size()) + "\" failures=\"" + std::to_string(failed) +
                               "\" skipped=\"0\" time=\"" + std::to_string(seconds) + "\">\n" + xml + "</testsuite>\n");
}

}  // namespace cli
