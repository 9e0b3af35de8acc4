// CPU quotas of control groups, read from made-up /proc and /sys trees.
#include "base/cpus.h"

#include <gtest/gtest.h>

#include "base/made_up_root.h"
#include "base/parallel.h"

namespace onnxrun::base {
namespace {

class CpuQuota : public MadeUpRoot {};

TEST_F(CpuQuota, NoneWithoutFilesOrLimit) {
  EXPECT_EQ(cpu_quota(root_), 0);
  write("/proc/self/cgroup", "0::/a\n");
  EXPECT_EQ(cpu_quota(root_), 0);
  write("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
  EXPECT_EQ(cpu_quota(root_), 0);
}

TEST_F(CpuQuota, VersionTwoTakesTheTightestAncestor) {
  write("/proc/self/cgroup", "0::/a/b\n");
  write("/sys/fs/cgroup/a/b/cpu.max", "350000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 4);
  write("/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 2);
  write("/sys/fs/cgroup/cpu.max", "1000 100000\n");
  EXPECT_EQ(cpu_quota(root_), 1);
}

TEST_F(CpuQuota, VersionOneUsesTheCpuController) {
  write("/proc/self/cgroup", "5:cpuset:/x\n3:cpu,cpuacct:/docker/1\n0::/\n");
  write("/sys/fs/cgroup/cpuset/x/cpu.cfs_quota_us", "100000\n");
  write("/sys/fs/cgroup/cpuset/x/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), 0);
  // Inside a container the group of the host's name is not visible; the mount's root is the container's group.
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpu_quota(root_), 2);
  write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(cpu_quota(root_), 0);
}

TEST_F(CpuQuota, GarbageIsNoLimit) {
  write("/proc/self/cgroup", "\n:\nx\n0::\n0::/a\n");
  write("/sys/fs/cgroup/a/cpu.max", "abc 100\n");
  write("/sys/fs/cgroup/cpu.max", "100 0\n");
  EXPECT_EQ(cpu_quota(root_), 0);
}

TEST(AvailableCpus, IsAtLeastOne) { EXPECT_GE(available_cpus(), 1); }

}  // namespace
}  // namespace onnxrun::base
