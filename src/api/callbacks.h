// What callers hand in to be called: a context that is released once, log messages.
#pragma once

#include <onnxrun/onnxrun.h>

#include <memory>
#include <string>

namespace onnxrun::api {

// Points to `context` and calls `release`, where given, when its last copy goes.
inline std::shared_ptr<void> owned_context(void* context, void (*release)(void* context)) {
  struct Owner {
    void* context = nullptr;
    void (*release)(void*) = nullptr;
    ~Owner() {
      if (release) release(context);
    }
  };
  const auto owner = std::make_shared<Owner>();
  owner->context = context;
  owner->release = release;
  return std::shared_ptr<void>(owner, context);
}

struct Log {
  int32_t level = 0;  // and more serious ones
  onnxrun_log write = nullptr;
  std::shared_ptr<void> context;
};
using LogPtr = std::shared_ptr<const Log>;  // null: nobody listens

inline bool listens(const LogPtr& log, onnxrun_log_level level) { return log && level <= log->level; }
inline void write_log(const LogPtr& log, onnxrun_log_level level, const std::string& message) {
  if (listens(log, level)) log->write(log->context.get(), level, message.c_str());
}

}  // namespace onnxrun::api
