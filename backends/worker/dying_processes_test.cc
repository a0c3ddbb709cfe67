#include "backends/worker/dying_processes.h"

#include <errno.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

constexpr int kLongMs = 60'000;

// A child that lives until it is killed.
pid_t StartChild() {
  const pid_t pid = fork();
  while (pid == 0) pause();
  return pid;
}

bool Exists(pid_t pid) { return kill(pid, 0) == 0 || errno != ESRCH; }

TEST(DyingProcessesTest, ReapsWhatHasEndedAndKeepsTheRest) {
  DyingProcesses dying;
  const pid_t first = StartChild(), second = StartChild();
  dying.Add(first);
  dying.Add(second);
  EXPECT_EQ(dying.Reap(), 2);
  kill(first, SIGKILL);
  EXPECT_EQ(dying.WaitUntilAtMost(1, kLongMs), 1);
  EXPECT_FALSE(Exists(first));
  EXPECT_TRUE(Exists(second));
  EXPECT_EQ(dying.WaitUntilAtMost(0, /*timeout_ms=*/10), 1) << "it still lives";
  kill(second, SIGKILL);
  EXPECT_EQ(dying.WaitUntilAtMost(0, kLongMs), 0);
  EXPECT_FALSE(Exists(second));
}

TEST(DyingProcessesTest, DestructorWaits) {
  const pid_t pid = StartChild();
  {
    DyingProcesses dying;
    dying.Add(pid);
    kill(pid, SIGKILL);
  }
  EXPECT_FALSE(Exists(pid));
}

TEST(DyingProcessesTest, WhatAnotherHasReapedCountsAsEnded) {
  DyingProcesses dying;
  dying.Add(getpid());  // nobody's child here
  EXPECT_EQ(dying.Reap(), 0);
}

}  // namespace
}  // namespace seedtune
