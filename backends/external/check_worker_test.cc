#include "backends/external/check_worker.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "ir/load.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

CheckReport Check(const std::string& arguments, double timeout_ns = 30e9,
                  const std::string& kernel = "external:sleep:n=4",
                  double goodbye_timeout_ns = 10e9) {
  CheckOptions options;
  options.command =
      absl::StrCat("exec python3 ", getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                   "/backends/external/testdata/odd_worker.py --always ", arguments);
  options.detect = [](std::string_view) -> absl::StatusOr<HardwareInfo> {
    return absl::NotFoundError("no such device here");
  };
  options.timeout_ns = timeout_ns;
  options.goodbye_timeout_ns = goodbye_timeout_ns;
  if (!kernel.empty()) options.kernel = LoadWorkload(kernel)->entries[0].kernel;
  return CheckWorker(options, SystemClock());
}

std::string Text(const CheckReport& report) {
  return absl::StrJoin(report.complaints, "\n", [](std::string* out, const Complaint& complaint) {
    absl::StrAppend(out, complaint.is_error ? "error " : "advice ", complaint.stage, ": ",
                    complaint.what, ", want ", complaint.want, " (", complaint.section, ") ",
                    complaint.line);
  });
}

TEST(CheckWorkerTest, PassesGoodWorkers) {
  for (const char* arguments : {"", "--max-compiles=4", "--max-compiles=4 --overlap", "--simulated",
                                "--fault=chatty_stderr", "--fault=child_outlives"}) {
    SCOPED_TRACE(arguments);
    const CheckReport report = Check(arguments);
    EXPECT_TRUE(report.ok());
    EXPECT_THAT(Text(report), IsEmpty());
    EXPECT_EQ(report.worker, "odd 1");
    EXPECT_GE(report.passed.size(), 5u);
  }
}

TEST(CheckWorkerTest, TellsWhatIsWrong) {
  const struct {
    const char *arguments, *stage, *what, *section;
    bool has_line = true;
  } kCases[] = {
      {"--fault=exit_at_hello", "hello", "exited with status 3: no licence", "2. Hello", false},
      {"--fault=chatty_stdout", "hello", "a line of its standard output is no JSON",
       "1. The stream"},
      {"--fault=cut_json", "hello", "is no JSON", "1. The stream"},
      {"--fault=array", "hello", "a line of its standard output is an array", "1. The stream"},
      {"--fault=wrong_id", "hello", "a reply with id 99, which no request has", "1. The stream"},
      {"--fault=wrong_kind", "hello", "of kind \"space\" to a request of kind \"hello\"",
       "1. The stream"},
      {"--fault=no_kind", "hello", "has none of \"hello\"", "1. The stream"},
      {"--fault=other_version", "hello", "hello.protocol_version is 2", "2. Hello"},
      {"--fault=no_name", "hello", "hello.name is empty", "2. Hello"},
      {"--fault=no_device", "hello", "hello.device has none of", "2. Hello"},
      {"--fault=unknown_spec", "hello", "hello.device.spec", "2. Hello"},
      {"--fault=text_for_number", "hello", "is no message", "1. The stream"},
      {"--fault=huge_line", "hello", "a line of more than 1 MiB", "1. The stream"},
      {"--fault=two_replies", "space", "a second reply with id 1", "1. The stream"},
      {"--fault=cannot_serve", "hello", "it cannot serve here: no device here", "2. Hello"},
      {"--fault=unsupported", "space", "it cannot build \"external:sleep:n=4\"", "3. Space"},
      {"--fault=no_parameters", "space", "no knobs", "3. Space"},
      {"--fault=no_values", "space", "space.parameters[0].values is empty", "3. Space"},
      {"--fault=mixed_values", "space", "values has strings and others", "3. Space"},
      {"--fault=wrong_default", "space", "48", "3. Space"},
      {"--fault=wrong_constraint", "space", "block", "3. Space"},
      {"--fault=unknown_use", "space", "space.use is \"cudaa\"", "3. Space"},
      {"--fault=moody_space", "space", "another space", "3. Space"},
      {"--fault=exit_at_space", "space", "exited with status 4", "3. Space", false},
      {"--fault=compile_crash", "compile", "killed by signal 11", "4. Compile", false},
      {"--fault=compile_exit", "compile", "exited with status 1: ran out of disk", "4. Compile",
       false},
      {"--fault=compile_error", "compile", "none of 4 configurations compiles", "4. Compile",
       false},
      {"--fault=unknown_error_kind", "compile", "error.kind is \"oops\"", "8. Errors"},
      {"--fault=no_message", "compile", "error.message is empty", "8. Errors"},
      {"--fault=negative_compile", "compile", "compile.compile_ns is -1", "4. Compile"},
      {"--fault=loses_second_compile --max-compiles=2", "compile", "no reply to compile within",
       "4. Compile", false},
      {"--fault=runs_anything", "run", "it says that it ran a candidate that nobody compiled",
       "5. Run"},
      {"--fault=run_crash", "run", "killed by signal 11", "5. Run", false},
      {"--fault=negative_sample", "run", "run.samples_ns[2] is -1", "5. Run"},
      {"--fault=nan_sample", "run", "", "1. The stream"},
      {"--fault=no_samples", "run", "run.samples_ns is empty", "5. Run"},
      {"--fault=few_samples", "run", "run.samples_ns has 1 samples", "5. Run"},
      {"--fault=many_samples --simulated", "run", "run.samples_ns has 63 samples", "5. Run"},
      {"--fault=boasts_of_time", "run", "run.samples_ns adds up to 3 s", "5. Run"},
      {"--fault=does_not_check", "run", "run.checked is not true", "5. Run"},
      {"--fault=drops_unasked", "run", "run.lower_bound_ns is set", "5. Run"},
      {"--fault=run_wrong_kind", "run", "of kind \"compile\" to a request of kind \"run\"",
       "1. The stream"},
      {"--fault=run_twice", "run", "a second reply with id", "1. The stream"},
      {"--fault=run_prints", "run", "is no JSON", "1. The stream"},
      {"--fault=ignores_goodbye", "goodbye", "no reply to goodbye within 2 s", "7. Goodbye", false},
      {"--fault=stays_after_goodbye", "goodbye", "it is still there 2 s after goodbye",
       "7. Goodbye", false},
      {"--fault=goodbye_status", "goodbye", "exited with status 7", "7. Goodbye", false},
      {"--fault=ignores_end", "end of input",
       "it is still there 2 s after the end of standard input", "1. The stream", false},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.arguments);
    const std::string what = c.what;
    const bool waits = what.find("no reply to compile") != std::string::npos;
    const bool stays = what.find(" 2 s") != std::string::npos;
    const CheckReport report =
        Check(c.arguments, waits ? 8e9 : 30e9, "external:sleep:n=4", stays ? 2e9 : 10e9);
    EXPECT_FALSE(report.ok());
    const auto found = std::find_if(
        report.complaints.begin(), report.complaints.end(), [&](const Complaint& complaint) {
          return complaint.is_error && complaint.stage == c.stage &&
                 complaint.what.find(c.what) != std::string::npos && complaint.section == c.section;
        });
    if (found == report.complaints.end()) {
      ADD_FAILURE() << "told instead:\n" << Text(report);
      continue;
    }
    EXPECT_EQ(!found->line.empty(), c.has_line) << found->line;
    EXPECT_FALSE(found->want.empty());
  }
}

TEST(CheckWorkerTest, WaitsNoLongerThanItIsTold) {
  // Long enough to come so far on a busy machine.
  const struct {
    const char* fault;
    double timeout_ns;
    const char* what;
  } kCases[] = {
      {"silent", 0.5e9, "no reply to hello within 0.5 s"},
      {"no_line_end", 8e9, "the reply to hello has no line end"},
      {"compile_hang", 8e9, "no reply to compile within 8 s"},
      {"run_hang", 8e9, "no reply to run within 8 s"},
      {"no_reply_to_release", 8e9, "no reply to release within 8 s"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.fault);
    EXPECT_THAT(Text(Check(absl::StrCat("--fault=", c.fault), c.timeout_ns)), HasSubstr(c.what));
  }
}

TEST(CheckWorkerTest, AdvisesOnWhatIsAllowedButSeldomMeant) {
  const struct {
    const char *arguments, *what;
  } kCases[] = {
      {"--fault=misspelt", "field \"hello.compiler_version\" is unknown"},
      {"--fault=never_drops", "slower than drop_above_ns is timed to the end"},
      {"--unchecked", "hello.checks_results is false"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.arguments);
    const CheckReport report = Check(c.arguments);
    EXPECT_TRUE(report.ok()) << Text(report);
    EXPECT_THAT(Text(report), HasSubstr(c.what));
  }
}

TEST(CheckWorkerTest, AsksForAKernelThatItCannotGuess) {
  EXPECT_THAT(Text(Check("", 30e9, /*kernel=*/"")), HasSubstr("want --kernel=external:FUNCTION"));
}

}  // namespace
}  // namespace seedtune
