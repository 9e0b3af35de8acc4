// The steps of profiled runs.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cli {

struct Event {
  std::string node, op, kernel;     // kernel: PROVIDER/KERNEL
  std::vector<std::string> origin;  // nodes of the file that it stands for
  double begin_us = 0, us = 0;
  double own_us = 0;  // without the steps of its bodies
  int depth = 0;
  std::optional<double> operations;  // nullopt: not known
  double bytes = 0;                  // of inputs and outputs
  double live_bytes = 0;             // of values still needed when it had ended
};

struct Profile {
  std::vector<Event> events;
  int64_t left_out = 0;  // steps beyond what a profile holds
};

// Of a run's profile (JSON), in the order in which they ended: steps of a body before the node that has the body.
Profile events_of(const std::string& text);

// Says in a line that steps were left out, where some were.
void print_left_out(std::ostream& out, const Profile& profile);

// Sums over the steps of any number of runs, by operator and kernel and by node.
class StepSums {
 public:
  struct Sum {
    std::string name;
    double us = 0;
    int64_t count = 0;
    double operations = 0, bytes = 0;
    bool counts = true;  // the operations of all are known
  };

  void add(const Event& event);

  // Time by operator and kernel over `runs` runs, largest first, with the operations and bytes a second that were achieved.
  void print_by_operator(std::ostream& out, int runs) const;
  // The same by node: the `most` largest.
  void print_by_node(std::ostream& out, int runs, size_t most) const;

 private:
  std::map<std::string, Sum> operators_, nodes_;
};

// The events in Chrome's trace format, which Perfetto and chrome://tracing show, and the memory of values as a counter.
std::string chrome_trace(const std::vector<Event>& events);

// Prints what a session holds (JSON) in one line.
void print_memory(std::ostream& out, const std::string& json);

}  // namespace cli
