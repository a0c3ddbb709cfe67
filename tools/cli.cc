#include "tools/cli.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "autotuner/search/search.h"
#include "tools/command_options.h"
#include "tools/convert_command.h"
#include "tools/db_command.h"
#include "tools/explain_command.h"
#include "tools/hardware_command.h"
#include "tools/lookup_command.h"
#include "tools/mine_seeds.h"
#include "tools/replay_command.h"
#include "tools/seeds_command.h"
#include "tools/tune_command.h"
#include "tools/worker_command.h"
#include "util/edit_distance.h"

namespace seedtune {
namespace {

constexpr char kKernelHelp[] =
    "a textproto file (one kernel, or a workload of many), or a short form: "
    "matmul:MxNxK:DTYPE[:OPTION...] with "
    "options nt, tn, tt, batch=N, out=DTYPE, bias, relu, gelu, silu, residual; or, of a worker's "
    "own, "
    "external:FUNCTION[:NAME=VALUE...]";

// What the flags of all commands are read into.
struct Flags {
  TuneCommandOptions tune;
  ExplainCommandOptions explain;
  LookupCommandOptions lookup;
  HardwareCommandOptions hardware;
  ReplayCommandOptions replay;
  SeedsCommandOptions seeds;
  DbCommandOptions db;
  ConvertCommandOptions convert;
  WorkerCommandOptions worker;
};

using Command = std::function<absl::Status(const Environment&)>;

// The innermost subcommand that was given.
CLI::App* Chosen(CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

// A subcommand. Its own help opens with the summary and the example; its parent's shows the
// summary.
CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& summary,
                     const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, summary);
  command->footer("\n  e.g.  seedtune " + example);
  return command;
}

// The help of the innermost subcommand that was given.
std::string Help(CLI::App& app) {
  CLI::App* chosen = Chosen(&app);
  if (chosen != &app) {
    // CLI11 prints footers last; an example is worth more at the top.
    chosen->description(absl::StrCat(chosen->get_description(), chosen->get_footer(), "\n"));
    chosen->footer("");
  }
  return app.help();
}

void AddKernelFlags(CLI::App* command, KernelOptions& options) {
  command->add_option("kernel", options.kernels, kKernelHelp)->type_name("KERNEL")->required();
  command
      ->add_option("--backend", options.backend,
                   "who makes the code: cpu, cuda, external (a program of yours, see "
                   "--worker), triton, cute")
      ->type_name("NAME")
      ->capture_default_str();
  command
      ->add_option("--device", options.device,
                   "an index among this machine's devices, a known device (`seedtune hardware "
                   "--specs` lists them), "
                   "or a spec file; default: the first one here that the backend runs on")
      ->type_name("DEVICE");
  command
      ->add_option(
          "--worker", options.workers,
          "with --backend=external: a command that starts a worker, which makes kernels and "
          "times them (docs/worker-protocol.md); may be repeated, for several devices of "
          "one kind")
      ->type_name("COMMAND")
      ->allow_extra_args(false);
  command
      ->add_option("--restrict", options.restrict_to,
                   "a part of each kernel's space: JSON of knobs and the values that they keep, "
                   "'{\"family\":\"wgmma\",\"num_stages\":[3,4]}'; it has records of its own")
      ->type_name("KNOBS");
  command->add_flag("--json", options.json, "print JSON");
}

// "auto, bayesian, ..."
std::string AlgorithmNames() {
  return absl::StrJoin(SearchAlgorithmNames(), ", ",
                       [](std::string* out, std::string_view name) { out->append(name); });
}

void AddSeedFlags(CLI::App* command, SeedOptions& options) {
  command->add_flag("--no-seeds", options.no_seeds, "consult no heuristic");
  command->add_flag("--no-neighbors", options.no_neighbors,
                    "plant seeds, but ask no heuristic for moves during the search");
  command
      ->add_option("--disable-heuristic", options.disabled,
                   "consult all but this one; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command
      ->add_option("--user-seed", options.user_seeds,
                   "a configuration of your own to start from: JSON of Seedtune or Helion, or "
                   "\"triton.Config(...)\"; missing knobs take their defaults; may be repeated")
      ->type_name("CONFIG")
      ->allow_extra_args(false);
  command
      ->add_option("--seeds", options.seed_files,
                   "a file of such configurations, one a line (lines that start with # are "
                   "comments); may be repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void AddDatabaseFlag(CLI::App* command, std::string& path) {
  command
      ->add_option("--db", path,
                   "the tuning database; default: $XDG_DATA_HOME/seedtune/tuning.db, else "
                   "~/.local/share/seedtune/tuning.db")
      ->type_name("FILE");
}

// CLI11 hands tokens that it does not know to nobody; says so, with the nearest flag or command
// that it does know.
std::string UnknownArgument(const CLI::App& command) {
  const std::vector<std::string> extra = command.remaining(/*recurse=*/true);
  const std::string token =
      extra.empty() ? std::string() : extra.front().substr(0, extra.front().find('='));
  std::vector<std::string> known;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  for (const CLI::App* subcommand : command.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(subcommand->get_name());
  }
  const std::optional<std::string> nearest = NearestName(token, known);
  return absl::StrCat(
      "unknown argument \"", token, "\"",
      nearest ? absl::StrCat(", did you mean \"", *nearest, "\"") : "", "; see `seedtune ",
      command.get_parent() != nullptr ? absl::StrCat(command.get_name(), " ") : "", "--help`");
}

void BuildTune(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* command =
      AddCommand(app, "tune", "Search for the fastest configuration of each kernel and record it.",
                 "tune matmul:16x4096x4096:f32 --budget=30s");
  AddKernelFlags(command, flags.tune.kernel);
  CLI::Option* const budget =
      command
          ->add_option(
              "--budget", flags.tune.budget,
              "when to stop, whichever comes first of these, with commas between: 30s, 2m (for the "
              "whole command, shared evenly among its kernels); of each kernel 200evals, "
              "20device-s (spent checking and timing), 50stale (evaluations without a faster "
              "one), 90%roofline (fast enough; see --peak-gflops)")
          ->type_name("BUDGET")
          ->capture_default_str();
  CLI::Option* const algorithm = command
                                     ->add_option("--algorithm", flags.tune.algorithm,
                                                  absl::StrCat("how to search: ", AlgorithmNames()))
                                     ->type_name("NAME")
                                     ->capture_default_str();
  command
      ->add_option("--peak-gflops", flags.tune.peak_gflops,
                   "what the device computes at most, for a budget in shares of the roofline; "
                   "default: its memory bandwidth alone is the roof")
      ->type_name("N");
  CLI::Option* const exhaustive =
      command
          ->add_flag("--exhaustive", flags.tune.exhaustive,
                     "measure the whole space of each kernel, each configuration in full, instead "
                     "of searching it")
          ->excludes(budget)
          ->excludes(algorithm);
  command
      ->add_option("--exhaustive-limit", flags.tune.exhaustive_limit,
                   "how many configurations of a kernel --exhaustive takes on")
      ->type_name("N")
      ->needs(exhaustive)
      ->capture_default_str();
  command
      ->add_option("--output-t4", flags.tune.output_t4,
                   "write all results as T4 to this file (compressed if it ends in .gz) and their "
                   "space as T1 beside it, NAME_T1.json of NAME_T4.json, for `seedtune replay` and "
                   "other tools; of several kernels, each to NAME-KERNEL_T4.json")
      ->type_name("FILE");
  command->add_option("--seed", flags.tune.random_seed, "of the search's random choices")
      ->type_name("N")
      ->capture_default_str();
  AddSeedFlags(command, flags.tune.seeds);
  command->add_flag("--no-transfer", flags.tune.no_transfer,
                    "plant no winners that the database has of kernels and devices like these (nor "
                    "does --no-seeds)");
  AddDatabaseFlag(command, flags.tune.database);
  command->add_flag("--retune", flags.tune.retune, "search even where the database has an answer");
  command->callback([&] {
    run = [&](const Environment& environment) { return RunTune(flags.tune, environment); };
  });
}

void BuildExplain(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* command = AddCommand(
      app, "explain",
      "Say what is known of a kernel: facts, config space, each heuristic's outcome, the default.",
      "explain matmul:8192x512x4096:bf16 --backend=triton --device=h100_sxm");
  AddKernelFlags(command, flags.explain.kernel);
  AddSeedFlags(command, flags.explain.seeds);
  AddDatabaseFlag(command, flags.explain.database);
  command->callback([&] {
    run = [&](const Environment& environment) { return RunExplain(flags.explain, environment); };
  });
}

void BuildLookup(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* command =
      AddCommand(app, "lookup", "Print the recorded best of a kernel, or why there is none.",
                 "lookup matmul:16x4096x4096:f32");
  AddKernelFlags(command, flags.lookup.kernel);
  AddDatabaseFlag(command, flags.lookup.database);
  command
      ->add_option(
          "--match", flags.lookup.match,
          "strict: recorded with the very same versions; loose: where there is no such, by "
          "another version of the code generator, the compiler or the driver")
      ->type_name("HOW")
      ->capture_default_str();
  command
      ->add_option("--format", flags.lookup.format,
                   "print the configuration alone, one a line: seedtune, helion (JSON of a "
                   "helion.Config) or triton (a Python triton.Config)")
      ->type_name("NAME");
  command->callback([&] {
    run = [&](const Environment& environment) { return RunLookup(flags.lookup, environment); };
  });
}

void BuildHardware(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* command = AddCommand(app, "hardware",
                                 "Print the devices of this machine, or what is known of a device.",
                                 "hardware --device=h100_sxm");
  command
      ->add_option("--device", flags.hardware.device,
                   "a known device, or a spec file; default: look here")
      ->type_name("DEVICE");
  command->add_flag("--specs", flags.hardware.list_specs, "list the known devices");
  command->add_flag("--json", flags.hardware.json, "print JSON");
  command->callback([&] {
    run = [&](const Environment& environment) { return RunHardware(flags.hardware, environment); };
  });
}

void BuildReplay(CLI::App& app, Flags& flags, Command& run) {
  ReplayCommandOptions& options = flags.replay;
  CLI::App* command = AddCommand(
      app, "replay", "Score search algorithms on recorded spaces; nothing is compiled or run.",
      "replay A100_T4.json.gz --space=convolution.json --repeats=100 --plot=curves.html");
  command
      ->add_option("record", options.records,
                   "T4 results or a Kernel Tuner cache of a whole space; may be compressed by gzip")
      ->type_name("SPACE")
      ->required();
  command
      ->add_option("--space", options.spaces,
                   "the T1 file of a record's space; may be repeated: each record takes the first "
                   "that fits; default for T4 results: NAME_T1.json beside NAME_T4.json")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--condition", options.conditions,
                   "of caches, which list none: an expression such as \"KWG % KWI == 0\"; may be "
                   "repeated; default: what was recorded is all there is")
      ->type_name("EXPRESSION")
      ->allow_extra_args(false);
  command
      ->add_option("--algorithm", options.algorithms,
                   absl::StrCat("how to search: all, or some of ", AlgorithmNames()))
      ->type_name("LIST")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command->add_option("--repeats", options.repeats, "runs of each algorithm on each space")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--seed", options.random_seed, "of everything: one seed, one result")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--samples", options.samples,
                   "recorded samples to draw for each evaluation; 0: the mean of all, no noise")
      ->type_name("N")
      ->capture_default_str();
  command
      ->add_option("--workers", options.worker_speeds,
                   "the speed of each simulated worker: 1,1,0.5 are three, the last half as fast")
      ->type_name("LIST")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      ->add_option("--max-share", options.max_share,
                   "end a run after this share of its space (Kernel Tuner's random search: 0.1)")
      ->type_name("SHARE")
      ->capture_default_str();
  command
      ->add_option(
          "--seeds-from", options.seed_records,
          "records of other devices or kernels, comma-separated: the best that they have in common "
          "is measured first; a record never seeds itself")
      ->type_name("SPACES")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--max-seeds", options.max_seeds, "seeds from other records, at most")
      ->type_name("N")
      ->capture_default_str();
  CLI::Option* const heuristics = command->add_flag(
      "--heuristics", options.heuristics,
      "measure first what our heuristics plant for the record's kernel and device, and offer their "
      "moves, as `seedtune tune` does; for records of its --output-t4");
  command
      ->add_option("--device", options.device,
                   "a known device (`seedtune hardware --specs` lists them) or a spec file, to ask "
                   "the heuristics about; default: the record's")
      ->type_name("DEVICE")
      ->needs(heuristics);
  command
      ->add_option(
          "--coupled", options.coupled,
          "two knobs to move at once, as heuristics' neighbours do, such as MWG*MDIMC: both "
          "up, both down, one up and one down, exchanged; may be repeated")
      ->type_name("KNOB*KNOB")
      ->allow_extra_args(false);
  command->add_option("--threads", options.threads, "to replay on; 0: all cores")
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--plot", options.plot, "draw best-so-far curves: a .svg or .html file")
      ->type_name("FILE");
  command->add_flag("--json", options.json, "print JSON");
  command->callback([&] {
    run = [&](const Environment& environment) { return RunReplay(flags.replay, environment); };
  });
}

void BuildSeeds(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* seeds = AddCommand(app, "seeds", "List, show, check or mine tables of measured seeds.",
                               "seeds check my_tables/");
  seeds->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& summary,
                       const std::string& example,
                       absl::Status (*function)(const SeedsCommandOptions&, const Environment&)) {
    CLI::App* command = AddCommand(*seeds, name, summary, example);
    command->callback([&, function] {
      run = [&, function](const Environment& environment) {
        return function(flags.seeds, environment);
      };
    });
    return command;
  };
  add("list", "List the tables that are built in.", "seeds list --json", RunSeedsList)
      ->add_flag("--json", flags.seeds.json, "print JSON");
  add("show", "Print a table: target, rules, provenance, measurements.",
      "seeds show cpu_znver5_matmul", RunSeedsShow)
      ->add_option("name", flags.seeds.name, "of the table; `seedtune seeds list` lists them")
      ->type_name("NAME")
      ->required();
  add("check", "Say whether tables are right, and whether known devices take their seeds.",
      "seeds check my_tables/", RunSeedsCheck)
      ->add_option("path", flags.seeds.paths, "a table, or a folder of them")
      ->type_name("PATH")
      ->required();
  CLI::App* mine = add("mine",
                       "Make a table of what tuning found: few configurations that serve many "
                       "shapes, with provenance.",
                       "seeds mine --db=tuning.db --output=cpu_mine.textproto", RunSeedsMine);
  AddDatabaseFlag(mine, flags.seeds.database);
  mine->add_option("--output", flags.seeds.output,
                   "the table's file, NAME.textproto; default: standard output")
      ->type_name("FILE");
  MineSeedsOptions& options = flags.seeds.mine;
  mine->add_option("--name", options.name, "of the table; default: the file's")->type_name("NAME");
  mine->add_option("--backend", options.backend, "take its answers only")->type_name("NAME");
  mine->add_option("--device", options.device,
                   "take the answers of this architecture or device only, such as znver5")
      ->type_name("NAME");
  mine->add_option("--max-rules", options.cover.max_rules, "write no more; the most useful first")
      ->type_name("N")
      ->capture_default_str();
  mine->add_option("--max-slowdown", options.cover.max_slowdown,
                   "a rule serves a shape within this factor of the best")
      ->type_name("FACTOR")
      ->capture_default_str();
  mine->add_option("--min-gain", options.cover.min_gain,
                   "and where it beats the untuned default by this one")
      ->type_name("FACTOR")
      ->capture_default_str();
  mine->add_option("--nearest-within", options.nearest_within,
                   "let the nearest measured shape answer up to this log2 distance; 0: none")
      ->type_name("DISTANCE")
      ->capture_default_str();
  mine->add_option("--commit", options.commit,
                   "of Seedtune when it measured; default: the code generator's version")
      ->type_name("HEX");
}

void BuildDb(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* db = AddCommand(
      app, "db", "List, plot, export, import or merge what tuning databases hold.", "db list");
  db->require_subcommand(1);
  const auto add = [&](const std::string& name, const std::string& summary,
                       const std::string& example,
                       absl::Status (*function)(const DbCommandOptions&, const Environment&)) {
    CLI::App* command = AddCommand(*db, name, summary, example);
    AddDatabaseFlag(command, flags.db.database);
    command->callback([&, function] {
      run = [&, function](const Environment& environment) {
        return function(flags.db, environment);
      };
    });
    return command;
  };
  add("list", "List answers and runs.", "db list --json", RunDbList)
      ->add_flag("--json", flags.db.json, "print JSON");
  CLI::App* const plot = add("plot", "Draw how far searches had come, and when.",
                             "db plot curves.svg --db=tuning.db", RunDbPlot);
  plot->add_option("file", flags.db.file, "a .svg or .html file")->type_name("FILE")->required();
  plot->add_option("--run", flags.db.runs,
                   "only this run, by its id or how that begins; may be repeated")
      ->type_name("ID")
      ->allow_extra_args(false);
  CLI::App* const exporting =
      add("export", "Write all runs as JSON, one document a line, or one run as T4 and T1.",
          "db export tuning.jsonl", RunDbExport);
  exporting
      ->add_option("file", flags.db.file,
                   "where to; - for standard output. T4: the space goes beside it, to NAME_T1.json "
                   "of NAME_T4.json")
      ->type_name("FILE")
      ->required();
  exporting->add_option("--format", flags.db.format, "jsonl or t4")
      ->type_name("NAME")
      ->capture_default_str();
  exporting
      ->add_option("--run", flags.db.run,
                   "which run to write as T4, by its id or how that begins; default: the only one")
      ->type_name("ID");
  add("import", "Add the runs of an export that are not there yet.", "db import tuning.jsonl",
      RunDbImport)
      ->add_option("file", flags.db.file, "where from; - for standard input")
      ->type_name("FILE")
      ->required();
  add("merge", "Add what other databases hold; a second time changes nothing.",
      "db merge laptop.db cluster.db", RunDbMerge)
      ->add_option("file", flags.db.files, "the other databases, which are only read")
      ->type_name("FILE")
      ->required();
}

void BuildConvert(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* command = AddCommand(
      app, "convert", "Write configurations of Seedtune, Helion or Triton in another one's form.",
      "convert \"triton.Config({'BLOCK_M': 128, 'BLOCK_N': 256, 'BLOCK_K': 64}, num_warps=8)\" "
      "--to=helion");
  command
      ->add_option("config", flags.convert.configs,
                   "JSON of Seedtune or of a helion.Config, or Python's triton.Config(...)")
      ->type_name("CONFIG")
      ->required();
  command->add_option("--to", flags.convert.to, "seedtune, helion or triton")
      ->type_name("NAME")
      ->capture_default_str();
  command->callback([&] {
    run = [&](const Environment& environment) { return RunConvert(flags.convert, environment); };
  });
}

void BuildWorker(CLI::App& app, Flags& flags, Command& run) {
  CLI::App* worker = AddCommand(
      app, "worker", "Help with workers: programs of your own that kernels are tuned by.",
      "worker check 'python3 my_worker.py' --kernel=external:my_kernel:n=4096");
  worker->require_subcommand(1);
  CLI::App* check =
      AddCommand(*worker, "check",
                 "Play every stage of the protocol with a worker and say what it does wrong.",
                 "worker check 'python3 my_worker.py' --kernel=external:my_kernel:n=4096");
  check->add_option("command", flags.worker.command, "starts the worker, by /bin/sh")
      ->type_name("COMMAND")
      ->required();
  check
      ->add_option("--kernel", flags.worker.kernel,
                   "what to have it build; default: a small matmul, if it says that it can")
      ->type_name("KERNEL");
  check->add_option("--device", flags.worker.device, "passed on to the worker")
      ->type_name("DEVICE");
  check
      ->add_option("--timeout", flags.worker.timeout_seconds,
                   "how long to wait for each reply, in seconds")
      ->type_name("S")
      ->capture_default_str();
  check->add_flag("--json", flags.worker.json, "print JSON");
  check->callback([&] {
    run = [&](const Environment& environment) { return RunWorkerCheck(flags.worker, environment); };
  });
}

int Fail(const Environment& environment, std::string_view message, int status) {
  environment.err << "seedtune: " << absl::StrReplaceAll(std::string(message), {{"\n", " "}})
                  << "\n";
  return status;
}

}  // namespace

int RunCli(const std::vector<std::string>& arguments, const Environment& environment) {
  CLI::App app{
      "Find the fastest configuration of a kernel on a device, from expert seeds and real "
      "measurements.\n"
      "  e.g.  seedtune tune examples/llama3_8b_decode.textproto\n",
      "seedtune"};
  app.require_subcommand(1);
  app.get_formatter()->column_width(34);
  Flags flags;
  Command run;
  BuildTune(app, flags, run);
  BuildExplain(app, flags, run);
  BuildLookup(app, flags, run);
  BuildHardware(app, flags, run);
  BuildReplay(app, flags, run);
  BuildSeeds(app, flags, run);
  BuildDb(app, flags, run);
  BuildConvert(app, flags, run);
  BuildWorker(app, flags, run);

  // CLI11 wants the last argument first.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    environment.out << Help(app);
    return kExitDone;
  } catch (const CLI::ParseError& error) {
    // An unknown word also leaves the command that was meant missing; it is the word that is wrong.
    if (!Chosen(&app)->remaining(/*recurse=*/true).empty()) {
      return Fail(environment, UnknownArgument(*Chosen(&app)), kExitUsage);
    }
    return Fail(environment, absl::StrCat(error.what(), "; see `seedtune --help`"), kExitUsage);
  }
  if (const absl::Status status = run(environment); !status.ok()) {
    return Fail(environment, std::string(status.message()), kExitFailed);
  }
  return kExitDone;
}

}  // namespace seedtune
