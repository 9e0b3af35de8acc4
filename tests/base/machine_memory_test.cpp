// The memory that a process may use, read from made-up /proc and /sys trees.
#include "base/machine_memory.h"

#include <gtest/gtest.h>

#include <cstdint>

#include "base/limits.h"
#include "base/made_up_root.h"

namespace onnxrun::base {
namespace {

class MachineMemory : public MadeUpRoot {
 protected:
  MachineMemory() {
    write("/proc/meminfo", "HugePages_Total:       0\nMemTotal:       16000000 kB\nMemFree:           1000 kB\n");
  }
};

TEST_F(MachineMemory, IsTheMachinesWithoutALimit) {
  EXPECT_EQ(available_memory(root_), int64_t{16000000} * 1024);
  write("/proc/self/cgroup", "0::/a\n");
  write("/sys/fs/cgroup/a/memory.max", "max\n");
  EXPECT_EQ(available_memory(root_), int64_t{16000000} * 1024);
}

TEST_F(MachineMemory, IsTheTightestGroups) {
  write("/proc/self/cgroup", "0::/a/b\n");
  write("/sys/fs/cgroup/a/b/memory.max", "8000000000\n");
  EXPECT_EQ(available_memory(root_), 8000000000);
  write("/sys/fs/cgroup/a/memory.max", "2000000000\n");
  EXPECT_EQ(available_memory(root_), 2000000000);
}

TEST_F(MachineMemory, ReadsVersionOne) {
  write("/proc/self/cgroup", "9:memory:/docker/1\n4:cpu:/x\n");
  write("/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(available_memory(root_), int64_t{16000000} * 1024);
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "500000000\n");
  EXPECT_EQ(available_memory(root_), 500000000);
}

TEST_F(MachineMemory, GarbageIsNoLimit) {
  write("/proc/meminfo", "MemTotal: many\nMemTotal: 99999999999999999999 kB\n");
  write("/proc/self/cgroup", "0::/a\n");
  write("/sys/fs/cgroup/a/memory.max", "-5\n");
  EXPECT_EQ(available_memory(root_), INT64_MAX);
}

TEST(DefaultLimit, FitsThisMachine) {
  EXPECT_EQ(Limits().max_run_bytes, default_memory_limit());
  EXPECT_EQ(default_memory_limit(), available_memory() / 5 * 4);
}

}  // namespace
}  // namespace onnxrun::base
