#include "autotuner/example_tuning.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "util/stable_hash.h"

namespace seedtune {
namespace {

template <typename T>
T OrDie(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::cerr << value.status() << "\n";
    std::abort();
  }
  return *std::move(value);
}

double Log2(const Config& config, std::string_view knob) {
  return std::log2(static_cast<double>(config.GetInt(knob)));
}

}  // namespace

std::shared_ptr<const Kernel> ExampleKernel() {
  return std::make_shared<const Kernel>(
      OrDie(BuildMatmul(OrDie(ParseMatmulShortForm("matmul:64x128x256:f32")))));
}

std::shared_ptr<const ConfigSpace> ExampleSpace() {
  ConfigSpace::Options options;
  options.name = "example";
  options.knobs = {OrDie(Knob::PowerOfTwo("block_m", 8, 256, 32)),
                   OrDie(Knob::PowerOfTwo("block_n", 8, 256, 32)),
                   OrDie(Knob::PowerOfTwo("block_k", 8, 64, 16)),
                   OrDie(Knob::Integer("stages", 1, 4, 1, 2)),
                   OrDie(Knob::Enum("order", {"mnk", "nmk", "kmn"}, "mnk")),
                   OrDie(Knob::Boolean("pack", false))};
  options.constraints = {
      {.name = "tiles_fit",
       .description = "the tiles of all stages fit",
       .knobs = {"block_m", "block_n", "block_k", "stages"},
       .holds = [](std::span<const int64_t> v) { return (v[0] + v[1]) * v[2] * v[3] <= 32768; }}};
  return OrDie(ConfigSpace::Create(std::move(options)));
}

MeasurerInfo ExampleMeasurerInfo() {
  MeasurerInfo info;
  info.backend = "fake";
  info.device.kind = DeviceKind::kCpu;
  info.device.name = "Example CPU";
  info.device.arch = OrDie(Arch::Parse("znver4"));
  info.device.compute_units = 4;
  info.code_generator_version = "v1";
  info.compiler_version = "example 1.0";
  return info;
}

Outcome ExampleOutcome(const Config& config) {
  const uint64_t hash = HashBytes(config.ToJson()).low;
  const bool is_default = config == config.space().Default();
  Outcome outcome;
  if (hash % 9 == 0 && !is_default) {
    switch (hash / 9 % 4) {
      case 0:
        outcome = ExampleFailure(OutcomeKind::kOutOfResources, "too many registers");
        break;
      case 1:
        outcome = ExampleFailure(OutcomeKind::kCompileError, "cannot tile this");
        break;
      case 2:
        outcome = ExampleFailure(OutcomeKind::kWrongResult, "off by one");
        break;
      default:
        outcome = ExampleFailure(OutcomeKind::kCrash, "signal 11");
    }
  } else {
    const double m = Log2(config, "block_m") - 6;
    const double n = Log2(config, "block_n") - 7;
    const double k = Log2(config, "block_k") - 5;
    const double stages = static_cast<double>(config.GetInt("stages")) - 3;
    const std::string& order = config.GetEnum("order");
    double time_ns = 100e3;
    time_ns *= 1 + 0.08 * m * m;
    time_ns *= 1 + 0.08 * n * n;
    time_ns *= 1 + 0.05 * std::abs(k);
    time_ns *= 1 + 0.1 * std::abs(stages);
    time_ns *= order == "mnk" ? 1.2 : order == "nmk" ? 1 : 2.5;
    if (config.GetBool("pack")) time_ns *= n >= -1 ? 0.85 : 1.3;
    time_ns *= 1 + 0.06 * static_cast<double>(hash / 36 % 1000) / 1000;
    outcome = ExampleOk(time_ns);
  }
  outcome.compile_ns = 2e6;
  outcome.measure_ns = 1e6;
  return outcome;
}

Outcome NoisyExampleOutcome(const MeasureRequest& request) {
  Outcome outcome = ExampleOutcome(request.config);
  if (!outcome.ok()) return outcome;
  const double time_ns = outcome.samples_ns[0];
  outcome.samples_ns.clear();
  CanonicalBytes bytes;
  bytes.Add(request.id).Add(request.config.ToJson());
  const StableHash hash = HashBytes(bytes.bytes());
  for (int sample = 0; sample < 5; ++sample) {
    const uint64_t noise = std::rotl(hash.low, 12 * sample) % 1000 + hash.high % 2000;
    outcome.samples_ns.push_back(time_ns * (1 + 1e-5 * static_cast<double>(noise)));
  }
  if (request.drop_above_ns > 0 && outcome.samples_ns[0] > request.drop_above_ns) {
    outcome.kind = OutcomeKind::kCensored;
    outcome.samples_ns.clear();
    outcome.lower_bound_ns = request.drop_above_ns;
  }
  return outcome;
}

Config ExampleOptimum(const ConfigSpace& space) {
  Config best = space.Default();
  for (absl::uint128 i = 0; i < space.NumValid(); ++i) {
    const Config config = space.At(i);
    if (ExampleOutcome(config).objective_ns() < ExampleOutcome(best).objective_ns()) best = config;
  }
  return best;
}

Config ExampleWorst(const ConfigSpace& space) {
  Config worst = space.Default();
  for (absl::uint128 i = 0; i < space.NumValid(); ++i) {
    const Config config = space.At(i);
    const Outcome outcome = ExampleOutcome(config);
    if (outcome.ok() && outcome.objective_ns() > ExampleOutcome(worst).objective_ns()) {
      worst = config;
    }
  }
  return worst;
}

Outcome ExampleOk(double time_ns) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = {time_ns};
  return outcome;
}

Outcome ExampleFailure(OutcomeKind kind, std::string message) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  return outcome;
}

}  // namespace seedtune
