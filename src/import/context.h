// What the parts of one import share: the file, the options, the model being made and the list of findings.
#pragma once

#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "import/import.h"
#include "import/proto.h"
#include "import/tensor.h"

namespace onnxrun::import {

// An error with the parts a finding has.
class Diagnosis : public Error {
 public:
  Diagnosis(Code code, std::string what, std::string expected, std::string fix)
      : Error(code, join(what, expected, fix)),
        finding(std::move(what)),
        expected(std::move(expected)),
        fix(std::move(fix)) {}

  std::string finding, expected, fix;

 private:
  static std::string join(const std::string& what, const std::string& expected, const std::string& fix) {
    std::string text = what;
    if (!expected.empty()) text += "; expected " + expected;
    if (!fix.empty()) text += "; " + fix;
    return text;
  }
};

struct Context {
  const ImportOptions& options;
  WireFile file;
  TensorSource source;
  ir::Model& model;
  std::vector<Problem>* problems = nullptr;         // null: the first error is thrown
  std::set<std::string, std::less<>> symbols = {};  // dim_params met
  std::set<std::string, std::less<>> used_domains = {};
  int64_t needed_opset = 1;  // the newest version of a standard operator in use
  int64_t nodes = 0;         // made so far, over all graphs
  // For what a graph takes beside its tensors, until it is read: functions can make much of a small file. May be null.
  base::Charge* charge = nullptr;

  // Charges bytes that the graph is about to take. Throws kLimitExceeded.
  void take(size_t bytes) const {
    if (charge != nullptr) charge->add(static_cast<int64_t>(bytes));
  }
  // Throws kDeadline.
  void check_time() const {
    if (options.deadline.past())
      base::fail(base::Code::kDeadline, "the model could not be read within the time given (option timeout)");
  }

  // Whether the import ends with an error: with any unless problems are collected, else where going on would only cost more.
  bool ends(const Error& e) const {
    const Code code = e.code();
    return !problems || code == Code::kLimitExceeded || code == Code::kInternal || code == Code::kDeadline;
  }
  // Something odd that does not stop the import, unless it is strict.
  void warn(std::string where, std::string what, std::string expected = {}, std::string fix = {});
  // Runs `step`; when problems are collected its error becomes one of them and false is returned.
  template <class Step>
  bool attempt(const std::string& where, Step&& step) {
    try {
      step();
      return true;
    } catch (Error& e) {
      if (ends(e)) throw where.empty() ? e : e.in(where);
      note(where, e);
      return false;
    }
  }
  // `def`: the operator of the node that `where` names, where known.
  void note(const std::string& where, const Error& e, const ir::OpDef* def = nullptr);
};

// Reads a TypeProto. Named dims become symbols, or the sizes the caller gave for them.
ir::Fact read_type(Context& context, Bytes message, const std::string& what);

}  // namespace onnxrun::import
