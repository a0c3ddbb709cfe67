// The program as its users meet it: arguments in; standard output, standard error and an exit
// status out.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

constexpr char kSmallKernel[] = "matmul:32x48x64:f32";

std::string Program() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") + "/tools/seedtune";
}

struct Finished {
  int status = -1;  // exit status; 128 + signal where one ended it
  std::string out, err;
};

class SeedtuneTest : public ::testing::Test {
 protected:
  std::string Path(const std::string& name) const { return dir_.Path(name); }

  // Starts the program with standard output and error into files; its home is the test's folder.
  pid_t Start(const std::vector<std::string>& arguments) {
    std::vector<std::string> words = {Program()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    std::vector<std::string> settings = {"HOME=" + dir_.path(),
                                         "BUILD_WORKING_DIRECTORY=" + dir_.path()};
    std::vector<char*> environment;
    for (std::string& setting : settings) environment.push_back(setting.data());
    environment.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, Path("stdout").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, Path("stderr").c_str(), flags, 0600);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environment.data()), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  Finished Finish(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    Finished finished;
    finished.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    finished.out = *ReadFile(Path("stdout"));
    finished.err = *ReadFile(Path("stderr"));
    return finished;
  }

  Finished Run(const std::vector<std::string>& arguments) { return Finish(Start(arguments)); }

  // A tuning of the small kernel that takes a second or so.
  std::vector<std::string> Tune(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"tune", kSmallKernel, "--db=" + Path("t.db"),
                                          "--budget=12evals"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TempDir dir_;
};

TEST_F(SeedtuneTest, TunesThenAnswersFromTheDatabaseThenRetunes) {
  const Finished first = Run(Tune());
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, AllOf(HasSubstr("speed-up"), HasSubstr("recorded in " + Path("t.db")),
                               Not(HasSubstr("answered from the database"))));

  const Finished again = Run(Tune());
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_THAT(
      again.out,
      HasSubstr("1 of 1 answered from the database without measuring; --retune searches again"));

  const Finished retuned = Run(Tune({"--retune", "--seed=2"}));
  EXPECT_EQ(retuned.status, 0) << retuned.err;
  EXPECT_THAT(retuned.out, Not(HasSubstr("answered from the database")));
}

TEST_F(SeedtuneTest, PlantsWhatWasRecordedOfKernelsLikeIt) {
  ASSERT_EQ(Run(Tune()).status, 0);
  const auto tune_another = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "tune",    "matmul:32x48x128:f32", "--db=" + Path("t.db"), "--budget=12evals", "--json",
        "--retune"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished tuned = Run(arguments);
    EXPECT_EQ(tuned.status, 0) << tuned.err;
    return Json::parse(tuned.out)["kernels"][0]["heuristics"].dump();
  };
  for (const char* off : {"--no-transfer", "--no-seeds"}) {
    EXPECT_THAT(tune_another({off}), Not(HasSubstr("recorded: "))) << off;
  }
  EXPECT_THAT(tune_another({}), HasSubstr("recorded: "));
}

TEST_F(SeedtuneTest, JsonSaysWhatTheTableSays) {
  const Finished tuned = Run(Tune({"--json"}));
  ASSERT_EQ(tuned.status, 0) << tuned.err;
  const Json json = Json::parse(tuned.out);
  EXPECT_EQ(json["schema_version"], 1);
  ASSERT_EQ(json["kernels"].size(), 1u);
  const Json& kernel = json["kernels"][0];
  EXPECT_EQ(kernel["evaluations"], 12);
  EXPECT_EQ(kernel["flops"], 2 * 32 * 48 * 64);
  EXPECT_FALSE(kernel["recorded_before"].get<bool>());
  EXPECT_GT(kernel["best"]["outcome"]["median_ns"].get<double>(), 0);
  EXPECT_LE(kernel["best"]["outcome"]["median_ns"].get<double>(),
            kernel["untuned"]["outcome"]["median_ns"].get<double>());
  EXPECT_FALSE(kernel["heuristics"].empty());

  const Finished lookup = Run({"lookup", kSmallKernel, "--db=" + Path("t.db"), "--json"});
  ASSERT_EQ(lookup.status, 0) << lookup.err;
  EXPECT_EQ(Json::parse(lookup.out)["kernels"][0]["best"]["config"], kernel["best"]["config"]);
}

TEST_F(SeedtuneTest, TunesAWorkloadFile) {
  ASSERT_THAT(WriteFileAtomically(Path("w.textproto"), R"(
      name: "two"
      kernels { name: "one" count: 3 matmul { m: 16 n: 32 k: 48 dtype: F32 } }
      kernels { name: "other" count: 1 matmul { m: 8 n: 8 k: 8 dtype: F32 } }
  )"),
              IsOk());
  // A relative path counts from where the user stands.
  const Finished tuned = Run({"tune", "w.textproto", "--db=t.db", "--budget=5evals"});
  EXPECT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_THAT(tuned.out, AllOf(HasSubstr("one "), HasSubstr("other "),
                               HasSubstr("all 2 kernels, each times its count"),
                               HasSubstr("recorded in " + Path("t.db"))));
}

TEST_F(SeedtuneTest, InterruptKeepsWhatWasMeasuredAndTheNextRunGoesOn) {
  const std::vector<std::string> arguments = {
      "tune", "matmul:256x256x256:f32", "--db=" + Path("t.db"), "--budget=300evals", "--json"};
  const pid_t pid = Start(arguments);
  // Once something is recorded.
  struct stat info {};
  for (int i = 0; i < 500 && (stat(Path("t.db").c_str(), &info) != 0 || info.st_size < 40'000);
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(pid, SIGINT);
  const Finished interrupted = Finish(pid);
  ASSERT_EQ(interrupted.status, 1) << interrupted.err;
  EXPECT_THAT(interrupted.err, HasSubstr("the same command goes on from there"));

  const Finished listed = Run({"db", "list", "--db=" + Path("t.db"), "--json"});
  ASSERT_EQ(listed.status, 0) << listed.err;
  EXPECT_FALSE(Json::parse(listed.out)["runs"][0]["finished"].get<bool>());

  const Finished resumed = Run(arguments);
  ASSERT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(Json::parse(resumed.out)["kernels"][0]["evaluations"], 300);
  const Finished after = Run({"db", "list", "--db=" + Path("t.db"), "--json"});
  EXPECT_EQ(Json::parse(after.out)["runs"].size(), 1u);
}

TEST_F(SeedtuneTest, DatabaseTravelsThroughExportAndImport) {
  ASSERT_EQ(Run(Tune()).status, 0);
  ASSERT_EQ(Run({"db", "export", Path("t.jsonl"), "--db=" + Path("t.db")}).status, 0);
  const Finished imported = Run({"db", "import", Path("t.jsonl"), "--db=" + Path("other.db")});
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(imported.err, HasSubstr("1 runs added"));
  EXPECT_THAT(Run({"db", "import", Path("t.jsonl"), "--db=" + Path("other.db")}).err,
              HasSubstr("0 runs added"));
  EXPECT_EQ(Run({"lookup", kSmallKernel, "--db=" + Path("other.db")}).out,
            Run({"lookup", kSmallKernel, "--db=" + Path("t.db")}).out);
}

// The whole of a tiny space, and from there to a replay of it.
TEST_F(SeedtuneTest, AnExhaustiveRunIsASpaceToReplay) {
  const std::vector<std::string> arguments = {"tune", "matmul:1x1x1:f32", "--exhaustive",
                                              "--db=" + Path("t.db"),
                                              "--output-t4=" + Path("tiny_T4.json.gz")};
  const Finished tuned = Run(arguments);
  ASSERT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_THAT(
      tuned.err,
      AllOf(HasSubstr(" configurations, all of them; at 30 ms of timing each that is about "),
            HasSubstr("results to " + Path("tiny_T4.json.gz") + " (T4), their space to " +
                      Path("tiny_T1.json") + " (T1)\n")));

  const Finished replayed =
      Run({"replay", Path("tiny_T4.json.gz"), "--algorithm=random", "--repeats=2", "--json"});
  ASSERT_EQ(replayed.status, 0) << replayed.err;
  const Json json = Json::parse(replayed.out);
  EXPECT_THAT(json["notes"], IsEmpty()) << "no condition and no result is missing";
  EXPECT_EQ(json["spaces"][0]["kernel"], "matmul:1x1x1:f32");
  const Json configurations = json["spaces"][0]["configurations"];

  const Finished seeded = Run({"replay", Path("tiny_T4.json.gz"), "--algorithm=random",
                               "--repeats=2", "--json", "--heuristics"});
  ASSERT_EQ(seeded.status, 0) << seeded.err;
  EXPECT_THAT(seeded.err, HasSubstr(" seeds from the heuristics of cpu\n"));
  EXPECT_THAT(Json::parse(seeded.out)["spaces"][0]["seeds"], Not(IsEmpty()));
  const Finished unknown = Run({"replay", Path("tiny_T4.json.gz"), "--heuristics", "--device=h20"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("--heuristics: matmul:1x1x1:f32 on "),
                                 HasSubstr("did you mean \"h200\"")));

  // Again, it is known; and the database gives the same files.
  const Finished again = Run(arguments);
  EXPECT_THAT(again.out, HasSubstr("answered from the database"));
  const Finished exported =
      Run({"db", "export", Path("other_T4.json"), "--format=t4", "--db=" + Path("t.db")});
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(*ReadFile(Path("other_T1.json")), *ReadFile(Path("tiny_T1.json")));
  const Json t4 = Json::parse(*ReadFile(Path("other_T4.json")));
  EXPECT_EQ(t4["results"].size(), configurations);
  EXPECT_FALSE(t4["results"][0]["times"]["runtimes"].empty());
}

// A part of a space: what tune, replay and the worker process between them make of it.
TEST_F(SeedtuneTest, APartOfASpaceIsTunedRecordedAndReplayed) {
  const std::string part = R"(--restrict={"pack[rhs]":false,"threads":1})";
  const std::string db = "--db=" + Path("t.db");
  const Finished tuned = Run({"tune", "matmul:1x1x1:f32", "--exhaustive", db, part,
                              "--output-t4=" + Path("part_T4.json.gz")});
  ASSERT_EQ(tuned.status, 0) << tuned.err;
  const Finished replayed =
      Run({"replay", Path("part_T4.json.gz"), "--algorithm=random", "--repeats=2", "--json"});
  ASSERT_EQ(replayed.status, 0) << replayed.err;
  const Json json = Json::parse(replayed.out);
  EXPECT_THAT(json["notes"], IsEmpty()) << "no condition and no result is missing";
  EXPECT_GT(json["spaces"][0]["working"], 0) << "its configurations do run";

  // Of the whole nothing is known by that.
  const Finished whole = Run({"lookup", "matmul:1x1x1:f32", db});
  EXPECT_EQ(whole.status, 1) << whole.out;
  EXPECT_EQ(Run({"lookup", "matmul:1x1x1:f32", db, part}).status, 0);
}

TEST_F(SeedtuneTest, EachKernelHasItsT4) {
  const std::string kernel = "matmul:4x8x2:f32";
  const Finished tuned = Run({"tune", kernel, kSmallKernel, kernel, "--db=" + Path("t.db"),
                              "--budget=3evals", "--output-t4=" + Path("run_T4.json")});
  ASSERT_EQ(tuned.status, 0) << tuned.err;
  for (const char* file :
       {"run-matmul_4x8x2_f32", "run-matmul_32x48x64_f32", "run-matmul_4x8x2_f32-3"}) {
    EXPECT_THAT(ReadFile(Path(std::string(file) + "_T4.json")), IsOk());
    EXPECT_THAT(ReadFile(Path(std::string(file) + "_T1.json")), IsOk());
  }
}

// What a search has measured is no whole space, and is taken for one with a note.
TEST_F(SeedtuneTest, ASearchIsWrittenAsT4Too) {
  const Finished tuned = Run(Tune({"--output-t4=run.json"}));
  ASSERT_EQ(tuned.status, 0) << tuned.err;
  EXPECT_EQ(Json::parse(*ReadFile(Path("run.json")))["results"].size(), 12u);
  const Finished replayed = Run({"replay", "run.json", "--algorithm=random", "--repeats=2"});
  EXPECT_EQ(replayed.status, 0) << replayed.err;
  EXPECT_THAT(replayed.err,
              HasSubstr("the 12 configurations recorded are taken for the whole space"));
}

TEST_F(SeedtuneTest, RunsAreDrawn) {
  ASSERT_EQ(Run(Tune()).status, 0);
  ASSERT_EQ(Run(Tune({"--no-seeds", "--retune"})).status, 0);
  const Finished drawn = Run({"db", "plot", Path("curves.svg"), "--db=" + Path("t.db")});
  ASSERT_EQ(drawn.status, 0) << drawn.err;
  EXPECT_THAT(drawn.err, HasSubstr("2 runs drawn in " + Path("curves.svg")));
  EXPECT_THAT(ReadFile(Path("curves.svg")),
              IsOkAndHolds(AllOf(StartsWith("<svg"), HasSubstr(kSmallKernel),
                                 HasSubstr(", seeded<"), HasSubstr(", no seeds<"))));
  const Json runs = Json::parse(Run({"db", "list", "--db=" + Path("t.db"), "--json"}).out)["runs"];
  const std::string id = runs[0]["run"];
  const Finished one =
      Run({"db", "plot", Path("one.html"), "--db=" + Path("t.db"), "--run=" + id.substr(0, 12)});
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.err, HasSubstr("1 run drawn"));
  EXPECT_THAT(ReadFile(Path("one.html")), IsOkAndHolds(StartsWith("<!DOCTYPE html>")));
}

TEST_F(SeedtuneTest, MergingTwiceChangesNothing) {
  ASSERT_EQ(Run(Tune()).status, 0);
  ASSERT_EQ(Run({"tune", "matmul:8x8x8:f32", "--db=" + Path("b.db"), "--budget=5evals"}).status, 0);
  const std::string before = *ReadFile(Path("b.db"));
  const std::vector<std::string> merge = {"db", "merge", Path("t.db"), Path("b.db"),
                                          "--db=" + Path("all.db")};
  const Finished merged = Run(merge);
  ASSERT_EQ(merged.status, 0) << merged.err;
  EXPECT_THAT(merged.err, AllOf(HasSubstr("1 runs of " + Path("t.db") + " added"),
                                HasSubstr("1 runs of " + Path("b.db") + " added")));
  const auto contents = [&] { return Run({"db", "export", "-", "--db=" + Path("all.db")}).out; };
  const std::string once = contents();
  EXPECT_THAT(Run(merge).err, HasSubstr("0 runs of " + Path("t.db") + " added"));
  EXPECT_EQ(contents(), once);
  EXPECT_TRUE(*ReadFile(Path("b.db")) == before);
  for (const char* kernel : {kSmallKernel, "matmul:8x8x8:f32"}) {
    EXPECT_EQ(Run({"lookup", kernel, "--db=" + Path("all.db")}).status, 0);
  }
}

TEST_F(SeedtuneTest, StopRulesCompose) {
  const auto evaluations = [&](const std::string& budget, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"tune",     kSmallKernel,         "--db=" + Path("s.db"),
                                          "--retune", "--budget=" + budget, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Finished finished = Run(arguments);
    EXPECT_EQ(finished.status, 0) << finished.err;
    return Json::parse(finished.out)["kernels"][0]["evaluations"].get<int>();
  };
  EXPECT_EQ(evaluations("12evals,1000stale,60s"), 12);
  EXPECT_LT(evaluations("10000evals,0.2device-s"), 1000);
  // Anything is fast enough for a device that computes so little.
  EXPECT_LT(evaluations("10000evals,1%roofline", {"--peak-gflops=0.001"}), 20);
}

TEST_F(SeedtuneTest, LookupSaysWhyItMisses) {
  ASSERT_EQ(Run(Tune()).status, 0);
  const Finished miss = Run({"lookup", "matmul:64x64x64:f32", "--db=" + Path("t.db")});
  EXPECT_EQ(miss.status, 1);
  EXPECT_THAT(miss.out, IsEmpty());
  EXPECT_THAT(miss.err, AllOf(StartsWith("seedtune: kernel"), HasSubstr("64x64x64")));
}

TEST_F(SeedtuneTest, ConfigurationsGoToOtherToolsAndComeBack) {
  const std::string triton =
      "triton.Config({'BLOCK_SIZE_M': 64, 'BLOCK_SIZE_N': 32, 'BLOCK_SIZE_K': 128}, num_warps=4, "
      "num_stages=3)";
  const Finished helion = Run({"convert", triton, "--to=helion"});
  EXPECT_EQ(helion.status, 0) << helion.err;
  EXPECT_EQ(helion.out, "{\"block_sizes\": [64, 32, 128], \"num_warps\": 4, \"num_stages\": 3}\n");
  EXPECT_EQ(Run({"convert", helion.out, "--to=triton"}).out, triton + "\n");
  const Finished refused = Run({"convert", "{\"pid_type\":\"xyz\"}", "--to=triton"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.out, IsEmpty());
  EXPECT_THAT(refused.err, HasSubstr("pid_type"));

  ASSERT_THAT(WriteFileAtomically(Path("seeds.txt"), "# mine\n" + triton + ",\n" + helion.out),
              IsOk());
  const Finished explained = Run({"explain", "matmul:8192x512x4096:bf16", "--backend=triton",
                                  "--device=h100_sxm", "--seeds=" + Path("seeds.txt")});
  EXPECT_EQ(explained.status, 0) << explained.err;
  EXPECT_THAT(explained.out, HasSubstr("\"block_size[k]\":128,\"num_warps\":4,\"num_stages\":3"));
}

TEST_F(SeedtuneTest, LookupPrintsTheConfigurationAlone) {
  ASSERT_EQ(Run(Tune()).status, 0);
  const Finished found = Run({"lookup", kSmallKernel, "--db=" + Path("t.db"), "--format=seedtune"});
  EXPECT_EQ(found.status, 0) << found.err;
  EXPECT_TRUE(Json::accept(found.out)) << found.out;
  const Finished refused = Run({"lookup", kSmallKernel, "--db=" + Path("t.db"), "--format=triton"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, HasSubstr("no name for knob"));
}

TEST_F(SeedtuneTest, ExplainsSeedsOfDevicesThatAreNotHere) {
  const std::string spec =
      "kind: ROCM\nname: \"some MI350X\"\narchitecture: \"gfx950:sramecc+:xnack-\"\n"
      "compute_units: 256\nwarp_size: 64\nthreads_per_unit: 2048\nmax_threads_per_block: 1024\n"
      "registers_per_unit: 131072\nshared_memory_per_block_bytes: 163840\n"
      "shared_memory_per_unit_bytes: 163840\nnum_xcds: 8\nl2_bytes: 33554432\n"
      "memory_bytes: 309237645312\nmemory_bandwidth_bytes_per_s: 8000000000000\n"
      "clock_hz: 2200000000\n";
  ASSERT_THAT(WriteFileAtomically(Path("mine.textproto"), spec), IsOk());
  for (const std::string device : {"h100_sxm", "mi350x", "mine.textproto"}) {
    SCOPED_TRACE(device);
    const Finished explained =
        Run({"explain", "matmul:8192x512x4096:bf16", "--backend=triton", "--device=" + device});
    EXPECT_EQ(explained.status, 0) << explained.err;
    EXPECT_THAT(explained.out, HasSubstr("triton_skinny_gemm: seeded"));
  }
  const Finished b200 =
      Run({"explain", "matmul:4096x4096x4096:bf16", "--backend=cute", "--device=b200"});
  EXPECT_EQ(b200.status, 0) << b200.err;
  EXPECT_THAT(b200.out,
              AllOf(HasSubstr("cute_tcgen05_cluster_m2: seeded"), HasSubstr("\"cluster_m\":2")));
  const Finished square =
      Run({"explain", "matmul:4096x4096x4096:bf16", "--backend=triton", "--device=h100_sxm"});
  EXPECT_THAT(square.out, HasSubstr("triton_skinny_gemm: declined: "));
}

TEST_F(SeedtuneTest, HelpOpensWithOneLineAndOneExample) {
  const std::vector<std::vector<std::string>> kCommands = {{},
                                                           {"tune"},
                                                           {"explain"},
                                                           {"lookup"},
                                                           {"hardware"},
                                                           {"db"},
                                                           {"db", "list"},
                                                           {"db", "export"},
                                                           {"db", "import"},
                                                           {"db", "merge"},
                                                           {"db", "plot"},
                                                           {"replay"}};
  for (std::vector<std::string> arguments : kCommands) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    arguments.push_back("--help");
    const Finished help = Run(arguments);
    EXPECT_EQ(help.status, 0);
    const size_t first_line = help.out.find('\n');
    ASSERT_NE(first_line, std::string::npos);
    EXPECT_THAT(help.out.substr(first_line + 1), StartsWith("  e.g.  seedtune "));
  }
}

TEST_F(SeedtuneTest, HardwareShowsThisMachine) {
  const Finished shown = Run({"hardware", "--json"});
  ASSERT_EQ(shown.status, 0) << shown.err;
  const Json json = Json::parse(shown.out);
  ASSERT_GE(json["devices"].size(), 1u);
  EXPECT_EQ(json["devices"][0]["kind"], "CPU");
}

// Everything wrong that a user may hand in. One line on stderr: place, fault, remedy; nothing on
// stdout.
TEST_F(SeedtuneTest, BadInputIsOneLineWithPlaceFaultAndRemedy) {
  const auto file = [&](const std::string& name, const std::string& contents) {
    EXPECT_THAT(WriteFileAtomically(Path(name), contents), IsOk());
    return Path(name);
  };
  const auto workload = [&](const std::string& name, const std::string& matmul) {
    return file(name, "name: \"w\" kernels { name: \"k\" count: 1 matmul { " + matmul + " } }\n");
  };
  ASSERT_EQ(Run(Tune()).status, 0);
  const std::string database = *ReadFile(Path("t.db"));
  file("scratch.db", database);
  file("truncated.db", database.substr(0, database.size() / 2 + 100));
  file("foreign.db", std::string("GIF89a") + std::string(5000, 'x'));
  mkdir(Path("folder").c_str(), 0700);

  const struct {
    const char* name;
    std::vector<std::string> arguments;
    int status;
    std::vector<std::string> says;
  } kCases[] = {
      {"no command", {}, 2, {"--help"}},
      {"unknown command", {"tun"}, 2, {"\"tun\"", "did you mean \"tune\""}},
      {"unknown flag",
       {"tune", kSmallKernel, "--bugdet=3s"},
       2,
       {"--bugdet", "did you mean \"--budget\""}},
      {"no kernel", {"tune"}, 2, {"kernel"}},
      {"flag without value", {"tune", kSmallKernel, "--budget"}, 2, {"--budget"}},
      {"seed that is no number", {"tune", kSmallKernel, "--seed=x"}, 2, {"--seed"}},
      {"bad budget", {"tune", kSmallKernel, "--budget=3parsecs"}, 1, {"--budget", "3parsecs"}},
      {"exhaustive of too much",
       {"tune", "matmul:512x512x512:f32", "--exhaustive"},
       1,
       {"--exhaustive", "512x512x512", "want at most 20,000", "these take about 3 d",
        "--exhaustive-limit=N allows it, --restrict measures a part"}},
      {"a part by no knob's name",
       {"tune", kSmallKernel, R"(--restrict={"thread":1})"},
       1,
       {"--restrict", kSmallKernel, "no knob named \"thread\"", "did you mean \"threads\""}},
      {"a part that is no JSON",
       {"explain", kSmallKernel, "--restrict=threads=1"},
       1,
       {"--restrict", "not JSON"}},
      {"exhaustive with a budget",
       {"tune", kSmallKernel, "--exhaustive", "--budget=3s"},
       2,
       {"--exhaustive", "--budget"}},
      {"exhaustive of nothing",
       {"tune", kSmallKernel, "--exhaustive", "--exhaustive-limit=0"},
       1,
       {"--exhaustive-limit is 0"}},
      {"results to nowhere",
       {"tune", kSmallKernel, "--db=" + Path("t.db"), "--output-t4=" + Path("none/x.json")},
       1,
       {"--output-t4", "no folder", "none"}},
      {"a folder for results",
       {"tune", kSmallKernel, "--db=" + Path("t.db"), "--output-t4=" + Path("folder")},
       1,
       {"--output-t4", "is a folder, want a file"}},
      {"export in a format of its own",
       {"db", "export", "x", "--format=csv", "--db=" + Path("t.db")},
       1,
       {"--format is \"csv\", want jsonl or t4"}},
      {"export of a run that is not there",
       {"db", "export", "x", "--format=t4", "--run=zz", "--db=" + Path("t.db")},
       1,
       {"--run=zz: 0 runs", "seedtune db list"}},
      {"a plot of no kind",
       {"db", "plot", "x.png", "--db=" + Path("t.db")},
       1,
       {"the file is \"x.png\", want a name that ends in .svg or .html"}},
      {"a plot of a run that is not there",
       {"db", "plot", "x.svg", "--run=zz", "--db=" + Path("t.db")},
       1,
       {"--run=zz: 0 runs", "seedtune db list"}},
      {"export of T4 to standard output",
       {"db", "export", "-", "--format=t4", "--db=" + Path("t.db")},
       1,
       {"standard output", "want the name of one"}},
      {"replay without a space",
       {"replay", file("alone.json", "{\"results\": []}")},
       1,
       {"alone.json", "--space", "alone_T1.json"}},
      {"zero budget", {"tune", kSmallKernel, "--budget=0evals"}, 1, {"budget"}},
      {"unknown algorithm",
       {"tune", kSmallKernel, "--algorithm=patern", "--db=x.db"},
       1,
       {"patern", "did you mean \"pattern\""}},
      {"unknown backend",
       {"explain", kSmallKernel, "--backend=cudaa"},
       1,
       {"no backend named \"cudaa\"", "known: cpu"}},
      {"backend that cannot measure",
       {"tune", "matmul:64x64x64:bf16", "--backend=triton", "--device=h100_sxm"},
       1,
       {"triton", "--backend=cpu"}},
      {"unknown device",
       {"explain", kSmallKernel, "--backend=triton", "--device=h100sxm"},
       1,
       {"h100sxm", "h100_sxm"}},
      {"device of another kind",
       {"explain", kSmallKernel, "--device=h100_sxm"},
       1,
       {"h100_sxm", "cpu"}},
      {"device index too high",
       {"explain", kSmallKernel, "--device=7"},
       1,
       {"--device=7", "this machine has 1"}},
      {"no GPU here", {"explain", kSmallKernel, "--backend=cute", "--device=99"}, 1, {"cute"}},
      {"no such GPU to tune on",
       {"tune", "matmul:64x64x64:bf16", "--backend=cuda", "--device=99"},
       1,
       {"cuda"}},
      {"cuda on a CPU",
       {"tune", "matmul:64x64x64:bf16", "--backend=cuda", "--device=epyc_9654"},
       1,
       {"EPYC 9654", "the cuda backend does not run on"}},
      {"missing spec file",
       {"explain", kSmallKernel, "--device=./none.textproto"},
       1,
       {"none.textproto"}},
      {"misspelt spec field",
       {"explain", kSmallKernel, "--device=" + file("s.textproto", "kind: CPU\nnaem: \"x\"\n")},
       1,
       {"s.textproto:2", "naem", "did you mean \"name\""}},
      {"unknown dtype", {"explain", "matmul:8x8x8:f33"}, 1, {"f33", "f32"}},
      {"zero extent", {"explain", "matmul:0x8x8:f32"}, 1, {"0"}},
      {"negative extent", {"explain", "matmul:8x-8x8:f32"}, 1, {"-8"}},
      {"extent past 64 bits",
       {"explain", "matmul:99999999999999999999x8x8:f32"},
       1,
       {"99999999999999999999"}},
      {"overflowing product",
       {"explain", "matmul:4000000000x4000000000x4000000000:f32"},
       1,
       {"4000000000"}},
      {"short form cut short", {"explain", "matmul:8x8"}, 1, {"matmul:8x8"}},
      {"missing file", {"tune", "nowhere.textproto"}, 1, {"nowhere.textproto"}},
      {"folder for a file", {"tune", Path("folder") + "/"}, 1, {"folder"}},
      {"empty file", {"tune", file("empty.textproto", "")}, 1, {"empty.textproto"}},
      {"binary file",
       {"tune", file("b.textproto", std::string("\x7f"
                                                "ELF\0\1\2",
                                                7))},
       1,
       {"b.textproto"}},
      {"misspelt field",
       {"tune", workload("f.textproto", "m: 8 n: 8 kk: 8 dtype: F32")},
       1,
       {"f.textproto:1:", "kk"}},
      {"impossible shape in a file",
       {"tune", workload("z.textproto", "m: 8 n: -1 k: 8 dtype: F32")},
       1,
       {"z.textproto", "-1"}},
      {"unknown dtype in a file",
       {"tune", workload("d.textproto", "m: 8 n: 8 k: 8 dtype: F31")},
       1,
       {"d.textproto:1:", "F31"}},
      {"dtype that the backend has not",
       {"tune", "matmul:64x64x64:bf16", "--db=" + Path("t.db")},
       1,
       {"bf16", "f32"}},
      {"kernel beyond memory",
       {"tune", "matmul:1000000x1000000x1000000:f32", "--budget=1evals",
        "--db=" + Path("scratch.db")},
       1,
       {"memory"}},
      {"user seed that is no JSON", {"explain", kSmallKernel, "--user-seed={"}, 1, {"--user-seed"}},
      {"unknown heuristic",
       {"explain", kSmallKernel, "--disable-heuristic=cpu_bliss_blocking"},
       1,
       {"cpu_bliss_blocking", "did you mean"}},
      {"truncated database",
       {"lookup", kSmallKernel, "--db=" + Path("truncated.db")},
       1,
       {"truncated.db"}},
      {"foreign database", {"tune", kSmallKernel, "--db=" + Path("foreign.db")}, 1, {"foreign.db"}},
      {"lookup of no kind",
       {"lookup", kSmallKernel, "--match=fuzzy", "--db=" + Path("t.db")},
       1,
       {"--match is \"fuzzy\", want strict or loose"}},
      {"merge of what is no database",
       {"db", "merge", Path("foreign.db"), "--db=" + Path("scratch.db")},
       1,
       {"foreign.db"}},
      {"missing database",
       {"lookup", kSmallKernel, "--db=" + Path("missing.db")},
       1,
       {"missing.db"}},
      {"folder as database", {"lookup", kSmallKernel, "--db=" + Path("folder")}, 1, {"folder"}},
      {"database where nothing may be written",
       {"tune", kSmallKernel, "--db=/sys/tuning.db"},
       1,
       {"/sys/tuning.db"}},
      {"import of garbage",
       {"db", "import", file("g.jsonl", "{\"a\":\n"), "--db=" + Path("t.db")},
       1,
       {"g.jsonl", "line 1"}},
      {"export to nowhere",
       {"db", "export", Path("none/x.jsonl"), "--db=" + Path("t.db")},
       1,
       {"none/x.jsonl"}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const Finished finished = Run(c.arguments);
    EXPECT_EQ(finished.status, c.status);
    EXPECT_THAT(finished.out, IsEmpty());
    const std::string last_line = finished.err.substr(
        finished.err.rfind("seedtune: ") == std::string::npos ? 0
                                                              : finished.err.rfind("seedtune: "));
    EXPECT_THAT(last_line, StartsWith("seedtune: "));
    EXPECT_EQ(std::count(last_line.begin(), last_line.end(), '\n'), 1) << last_line;
    for (const std::string& part : c.says) EXPECT_THAT(last_line, HasSubstr(part));
  }
  // Nothing was half-written or touched.
  EXPECT_TRUE(*ReadFile(Path("t.db")) == database);  // no dump of it
  EXPECT_THAT(*ReadFile(Path("foreign.db")), StartsWith("GIF89a"));
}

TEST_F(SeedtuneTest, FullDiskIsSaidAndLeavesTheDatabaseWhole) {
  ASSERT_EQ(Run(Tune()).status, 0);
  // A file-size limit stands in for the disk: the database can grow no further.
  struct stat info {};
  ASSERT_EQ(stat(Path("t.db").c_str(), &info), 0);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limit = before;
  limit.rlim_cur = static_cast<rlim_t>(info.st_size);
  signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const pid_t pid =
      Start({"tune", "matmul:64x64x64:f32", "--db=" + Path("t.db"), "--budget=200evals"});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  const Finished full = Finish(pid);
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr(Path("t.db")));
  // What was recorded before is still there.
  EXPECT_EQ(Run({"lookup", kSmallKernel, "--db=" + Path("t.db")}).status, 0);
}

}  // namespace
}  // namespace seedtune
