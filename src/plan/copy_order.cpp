// Dependencies by memory: a copy comes after the kernels that made or used its bytes, a kernel after the copies of the bytes that it touches.
#include "plan/copy_order.h"

#include <algorithm>

namespace onnxrun::plan {

namespace {

struct Range {
  size_t begin = 0, end = 0;
};

bool meet(const std::vector<Range>& ranges, const Range& other) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [&](const Range& range) { return range.begin < other.end && other.begin < range.end; });
}

// What a kernel, or a copy to it, does with the block of a device.
struct Use {
  SegmentStep* step = nullptr;
  std::vector<Range> reads, writes;
  std::vector<int> made;  // roots
  bool uploads = false;
};

// A copy that was given.
struct Pending {
  SegmentStep* step = nullptr;
  Range range;
  bool anywhere = false;  // its bytes lie outside the block, in memory that is recycled
};

// The copies and kernels of one device in a segment.
class Order {
 public:
  Order(const Program& program, const std::vector<Range>& ranges, const std::vector<Place>& places, int provider,
        int& events)
      : program_(program), ranges_(ranges), places_(places), provider_(provider), events_(events) {}

  void begin() {
    uses_.clear();
    uploads_.clear();
    downloads_.clear();
    joined_uploads_ = joined_downloads_ = 0;
  }

  void kernel(SegmentStep& planned, const Step& step) {
    Use use;
    use.step = &planned;
    for (int in : step.inputs) add(in, use.reads);
    for (int out : step.outputs) {
      add(out, use.writes);
      if (out >= 0) use.made.push_back(root(out));
    }
    if (planned.kernel && planned.kernel.scratch_bytes() > 0)
      use.writes.push_back({planned.scratch_offset, planned.scratch_offset + planned.kernel.scratch_bytes()});
    join(uploads_, joined_uploads_, planned,
         [&](const Pending& upload) { return meet(use.reads, upload.range) || meet(use.writes, upload.range); });
    join(downloads_, joined_downloads_, planned,
         [&](const Pending& download) { return download.anywhere || meet(use.writes, download.range); });
    uses_.push_back(std::move(use));
  }

  void copy(SegmentStep& planned, const Step& step) {
    const bool up = slot(step.outputs[0]).memory != 0;
    const int on_device = root(up ? step.outputs[0] : step.inputs[0]);
    const bool in_block = places_[static_cast<size_t>(on_device)] == Place::kBlock;
    const Range range = ranges_[static_cast<size_t>(on_device)];
    if (up) {
      // Earlier copies of its own stream are done by then; kernels that they waited for may have met other bytes.
      after_last(planned,
                 [&](const Use& use) { return !use.uploads && (meet(use.reads, range) || meet(use.writes, range)); });
      for (const Pending& download : downloads_)
        if (!download.anywhere && meet({download.range}, range)) wait(planned, *download.step);
      uploads_.push_back({&planned, range, false});
      uses_.push_back({&planned, {}, {range}, {on_device}, true});  // a view of it may go back as it came
    } else {
      after_last(planned, [&](const Use& use) {
        return std::find(use.made.begin(), use.made.end(), on_device) != use.made.end() ||
               (in_block && meet(use.writes, range));
      });
      downloads_.push_back({&planned, range, places_[static_cast<size_t>(on_device)] == Place::kHeap});
    }
  }

 private:
  const Slot& slot(int index) const { return program_.slots()[static_cast<size_t>(index)]; }
  int root(int index) const { return slot(index).root; }

  void add(int index, std::vector<Range>& list) const {
    if (index < 0 || slot(index).memory != provider_ + 1) return;
    const auto at = static_cast<size_t>(root(index));
    if (places_[at] == Place::kBlock) list.push_back(ranges_[at]);
  }

  void wait(SegmentStep& waiting, SegmentStep& before) {
    if (before.records < 0) before.records = events_++;
    if (std::find(waiting.waits.begin(), waiting.waits.end(), before.records) == waiting.waits.end())
      waiting.waits.push_back(before.records);
  }

  // Lets a kernel wait for the last of the copies that concern it and that no kernel has waited for; a stream's earlier ones are done by then.
  template <class F>
  void join(const std::vector<Pending>& copies, size_t& joined, SegmentStep& planned, F concerns) {
    for (size_t i = copies.size(); i > joined; --i) {
      if (!concerns(copies[i - 1])) continue;
      wait(planned, *copies[i - 1].step);
      joined = i;
      return;
    }
  }

  template <class F>
  void after_last(SegmentStep& planned, F concerns) {
    const auto last = std::find_if(uses_.rbegin(), uses_.rend(), concerns);
    if (last != uses_.rend()) wait(planned, *last->step);
  }

  const Program& program_;
  const std::vector<Range>& ranges_;  // by slot
  const std::vector<Place>& places_;
  const int provider_;
  int& events_;
  std::vector<Use> uses_;
  std::vector<Pending> uploads_, downloads_;
  size_t joined_uploads_ = 0, joined_downloads_ = 0;  // those that kernels given later come after as it is
};

}  // namespace

void find_host_waits(const ProviderSet& providers, const std::vector<Slot>& slots, std::vector<Step>& steps) {
  std::vector<int> waited(static_cast<size_t>(providers.size()), -1);  // by provider: the step before which it was
  for (int s = 0; s < static_cast<int>(steps.size()); ++s) {
    Step& step = steps[static_cast<size_t>(s)];
    const auto need = [&](int slot) {
      if (slot < 0 || slots[static_cast<size_t>(slot)].memory != 0) return;
      const int made = slots[static_cast<size_t>(slots[static_cast<size_t>(slot)].root)].producer;
      if (made < 0 || steps[static_cast<size_t>(made)].kind != StepKind::kCopy) return;
      const int provider = steps[static_cast<size_t>(made)].provider;
      if (made < waited[static_cast<size_t>(provider)]) return;
      step.host_waits.push_back(provider);
      waited[static_cast<size_t>(provider)] = s;
    };
    for (const std::vector<int>* list : {&step.inputs, &step.shape_values})
      for (int slot : *list) need(slot);
    for (const BodyProgram& body : step.bodies)
      for (int slot : body.captures) need(slot);
  }
}

void order_copies(const Program& program, Segment& segment) {
  const ProviderSet& providers = program.providers();
  std::vector<char> copied(static_cast<size_t>(providers.size()));
  for (const SegmentStep& planned : segment.steps) {
    const Step& step = program.steps()[static_cast<size_t>(planned.step)];
    if (step.kind == StepKind::kCopy) copied[static_cast<size_t>(step.provider)] = providers.has_events(step.provider);
  }
  if (std::find(copied.begin(), copied.end(), 1) == copied.end()) return;

  std::vector<Range> ranges(program.slots().size());
  std::vector<Place> places(program.slots().size(), Place::kConstant);
  for (const Segment* each = &segment; each != nullptr; each = each->before)
    for (const SegmentSlot& planned : each->slots) {
      const auto at = static_cast<size_t>(planned.slot);
      places[at] = planned.place;
      if (planned.place == Place::kBlock)
        ranges[at] = {planned.offset,
                      planned.offset + base::dtype_bytes(planned.dtype, base::element_count(planned.dims))};
    }
  for (int p = 0; p < providers.size(); ++p) {
    if (!copied[static_cast<size_t>(p)]) continue;
    int events = 0;
    Order order(program, ranges, places, p, events);
    for (SegmentStep& planned : segment.steps) {
      const Step& step = program.steps()[static_cast<size_t>(planned.step)];
      if (step.kind == StepKind::kStructural && !step.bodies.empty()) order.begin();
      else if (planned.skip || step.provider != p || step.kind == StepKind::kStructural) continue;
      else if (step.kind == StepKind::kCopy) order.copy(planned, step);
      else if (planned.kernel) order.kernel(planned, step);
    }
  }
}

}  // namespace onnxrun::plan
