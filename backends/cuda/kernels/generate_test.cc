#include "backends/cuda/kernels/generate.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/kernels/cuda_program.h"
#include "backends/cuda/nvrtc.h"
#include "backends/cuda/ptxas_log.h"
#include "config/config_space.h"
#include "config/spaces/cuda/cuda_space.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A kernel, a device and the space between them.
struct Case {
  Kernel kernel;
  std::vector<MatmulFact> facts;
  HardwareInfo device;
  std::shared_ptr<const ConfigSpace> space;

  explicit Case(std::string_view short_form, std::string_view device_name = "h100_sxm") {
    auto spec = ParseMatmulShortForm(short_form);
    auto found = FindSpec(device_name);
    if (!spec.ok() || !found.ok()) {
      ADD_FAILURE() << spec.status() << found.status();
      return;
    }
    kernel = *BuildMatmul(*spec);
    facts = ExtractMatmulFacts(kernel);
    device = *std::move(found);
    auto built = CudaMatmulSpace(facts, device);
    EXPECT_THAT(built, IsOk());
    if (built.ok()) space = *std::move(built);
  }

  // Random configurations of one family; fewer where it has not so many.
  std::vector<Config> Sample(CudaFamily family, int count, std::mt19937_64& random) const {
    std::vector<Config> configs;
    for (int tries = 0; tries < 2000 && static_cast<int>(configs.size()) < count; ++tries) {
      Config config = space->Sample(random);
      if (CudaTileOf(config).family == family) configs.push_back(std::move(config));
    }
    return configs;
  }
};

// Types, layouts, epilogues, edges; each family is somewhere.
constexpr const char* kKernels[] = {
    "matmul:512x512x512:bf16",
    "matmul:509x517x1023:bf16:tt:bias:gelu:residual",
    "matmul:510x518x1022:f16:nt:scale=0.125:silu",
    "matmul:301x203x407:tf32:tn:relu",
    "matmul:512x512x512:f8e4m3:rhs=f8e5m2:nt:out=f16",
    "matmul:301x203x407:f8e5m2:out=f32",
    "matmul:301x203x407:i8:acc=i32",
    "matmul:301x203x407:f32:tn:bias:silu",
    "matmul:129x65x77:f64:nt:gelu:batch=3",
    "matmul:16x2048x2048:bf16",
    "matmul:7x2047x2049:bf16:nt:bias:residual",
    "matmul:2048x5x2048:f8e4m3:out=bf16",
    "matmul:9x1000x3000:i8:acc=i32:out=i32",
    "matmul:3x1000x3000:tf32",
    "matmul:2x1000x3000:f64:nt",
    "matmul:4x1000x3000:f32:bias",
    "matmul:1x1x1:f32",
    "matmul:1x1x65536:bf16",
};
constexpr CudaFamily kFamilies[] = {CudaFamily::kMma, CudaFamily::kSimt, CudaFamily::kSkinny,
                                    CudaFamily::kWgmma};

TEST(GenerateTest, EveryConfigurationHasAProgramThatFitsTogether) {
  for (const char* short_form : kKernels) {
    for (const char* device : {"a100_sxm", "h100_sxm", "rtx5090"}) {
      if (std::string_view(device) == "a100_sxm" &&
          std::string_view(short_form).find("f8e") != std::string_view::npos) {
        continue;  // no fp8 there
      }
      SCOPED_TRACE(std::string(short_form) + " on " + device);
      const Case c(short_form, device);
      ASSERT_NE(c.space, nullptr);
      std::mt19937_64 random(1);
      for (int i = 0; i < 40; ++i) {
        const Config config = c.space->Sample(random);
        SCOPED_TRACE(config.ToJson());
        ASSERT_OK_AND_ASSIGN(const CudaProgram program,
                             GenerateCudaProgram(c.kernel, config, c.device));
        EXPECT_THAT(program.source, Not(HasSubstr("#include")));
        EXPECT_LE(program.zeroed_workspace_bytes, program.workspace_bytes);
        bool runs_matmul = false;
        for (const CudaLaunch& launch : program.launches) {
          EXPECT_THAT(program.source, HasSubstr(" " + launch.entry + "("));
          runs_matmul |= launch.entry == "matmul";
          for (int d = 0; d < 3; ++d) {
            EXPECT_GE(launch.grid[d], 1);
            EXPECT_EQ(launch.grid[d] % launch.cluster[d], 0);
          }
          EXPECT_LE(launch.block[0], c.device.max_threads_per_block);
          EXPECT_EQ(launch.block[0] % c.device.warp_size, 0);
          EXPECT_LE(launch.dynamic_shared_bytes, c.device.shared_memory_per_block_bytes);
          for (const CudaArgument& argument : launch.arguments) {
            if (const auto* tensor = std::get_if<CudaTensorArgument>(&argument)) {
              EXPECT_LT(static_cast<size_t>(tensor->tensor), c.kernel.tensors.size());
            } else if (const auto* part = std::get_if<CudaWorkspaceArgument>(&argument)) {
              EXPECT_LT(part->offset, program.workspace_bytes);
            }
          }
        }
        EXPECT_TRUE(runs_matmul);
      }
    }
  }
}

TEST(GenerateTest, TheSameQuestionHasTheSameAnswer) {
  const Case c("matmul:509x517x1023:bf16:bias");
  const Config config = c.space->Default();
  ASSERT_OK_AND_ASSIGN(const CudaProgram a, GenerateCudaProgram(c.kernel, config, c.device));
  ASSERT_OK_AND_ASSIGN(const CudaProgram b, GenerateCudaProgram(c.kernel, config, c.device));
  EXPECT_EQ(a.source, b.source);
  EXPECT_THAT(a.source, HasSubstr(config.ToJson()));
}

TEST(GenerateTest, SaysWhatItCannot) {
  const Case c("matmul:64x64x64:f8e4m3:out=f32");
  ASSERT_OK_AND_ASSIGN(const HardwareInfo a100, FindSpec("a100_sxm"));
  ASSERT_OK_AND_ASSIGN(const HardwareInfo mi300x, FindSpec("mi300x"));
  EXPECT_THAT(SupportsCudaKernel(c.kernel, a100),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("tensor \"lhs\" is f8e4m3, which needs sm89 or newer")));
  EXPECT_THAT(SupportsCudaKernel(c.kernel, mi300x),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("want a CUDA device of sm80 or newer")));
  EXPECT_THAT(SupportsCudaKernel(c.kernel, c.device), IsOk());
}

// Machine code, by the low 12 bits of its instructions, as cuobjdump prints them.
enum Opcode : uint64_t {
  kHmma = 0x23c,
  kLdsm = 0x83b,
  kLdgsts = 0xfae,
  kLdgstsUniform = 0xdae,  // to an address of a register and a uniform one
  kFfma = 0x223,
};

// The opcodes in an ELF file's section of that name.
std::set<uint64_t> OpcodesOf(const std::string& cubin, const std::string& section) {
  const auto read = [&cubin](size_t at, auto value) {
    if (at + sizeof(value) <= cubin.size()) std::memcpy(&value, cubin.data() + at, sizeof(value));
    return value;
  };
  // ELF-64 object file format: e_shoff, e_shentsize, e_shnum, e_shstrndx.
  const uint64_t headers = read(0x28, uint64_t{0});
  const uint64_t size = read(0x3a, uint16_t{0}), count = read(0x3c, uint16_t{0});
  const uint64_t names = read(headers + read(0x3e, uint16_t{0}) * size + 0x18, uint64_t{0});
  std::set<uint64_t> opcodes;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t header = headers + i * size;
    if (section != cubin.c_str() + names + read(header, uint32_t{0})) continue;
    const uint64_t from = read(header + 0x18, uint64_t{0}),
                   bytes = read(header + 0x20, uint64_t{0});
    for (uint64_t at = 0; at < bytes; at += 16) {
      opcodes.insert(read(from + at, uint64_t{0}) & 0xfff);
    }
  }
  return opcodes;
}

int Sweep() {
  const char* sweep = std::getenv("KERNEL_SWEEP");
  return sweep != nullptr ? std::atoi(sweep) : 0;
}

class CompiledTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto nvrtc = Nvrtc::Open();
    if (!nvrtc.ok()) GTEST_SKIP() << std::string(nvrtc.status().message());
    compiler_ = std::make_unique<CudaCompiler>(*std::move(nvrtc), CubinCache::Options{});
  }

  absl::StatusOr<CompiledCuda> Compile(const Case& c, const Config& config) {
    auto program = GenerateCudaProgram(c.kernel, config, c.device);
    if (!program.ok()) return program.status();
    return compiler_->Compile(program->source, c.device.arch);
  }

  // Of the launch that multiplies.
  static CudaKernelResources Matmul(const CompiledCuda& compiled) {
    for (const CudaKernelResources& kernel : compiled.kernels) {
      if (kernel.entry == "matmul") return kernel;
    }
    ADD_FAILURE() << "no kernel named \"matmul\"";
    return {};
  }

  std::unique_ptr<CudaCompiler> compiler_;
};

// KERNEL_SWEEP=<n> takes n configurations of each family for each kernel, else each kernel is
// compiled once, by another family than the one before.
TEST_F(CompiledTest, EveryKindOfKernelCompiles) {
  std::set<CudaFamily> seen;
  size_t next = 0;
  std::mt19937_64 random(2);
  for (const char* short_form : kKernels) {
    const Case c(short_form);
    std::vector<Config> configs;
    for (size_t i = 0; i < std::size(kFamilies); ++i) {
      const CudaFamily family = kFamilies[(next + i) % std::size(kFamilies)];
      std::vector<Config> sample = c.Sample(family, Sweep() > 0 ? Sweep() : 8, random);
      if (Sweep() == 0 && !sample.empty()) {
        // The one that is compiled soonest.
        const auto registers = [&c](const Config& config) {
          return CudaRegisters(CudaTileOf(config), CudaTypesOf(c.facts[0]));
        };
        configs.push_back(*std::min_element(
            sample.begin(), sample.end(),
            [&](const Config& a, const Config& b) { return registers(a) < registers(b); }));
        break;
      }
      configs.insert(configs.end(), sample.begin(), sample.end());
    }
    ++next;
    for (const Config& config : configs) {
      SCOPED_TRACE(std::string(short_form) + " " + config.ToJson());
      seen.insert(CudaTileOf(config).family);
      EXPECT_THAT(Compile(c, config), IsOk());
    }
  }
  EXPECT_EQ(seen.size(), std::size(kFamilies));
}

TEST_F(CompiledTest, TensorCoresAreFedAsynchronously) {
  const Case c("matmul:512x512x512:bf16", "a100_sxm");
  ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, Compile(c, c.space->Default()));
  const std::set<uint64_t> opcodes = OpcodesOf(compiled.cubin, ".text.matmul");
  EXPECT_TRUE(opcodes.count(kHmma) == 1 && opcodes.count(kLdsm) == 1 &&
              opcodes.count(kLdgsts) == 1 && opcodes.count(kFfma) == 0);
}

// A copy with a cache hint whose address is a register and a uniform one is an illegal instruction,
// and ptxas 13.0 makes such copies (seen on an H200, of the first two). KERNEL_SWEEP=<n> takes n
// configurations of each kernel and family.
TEST_F(CompiledTest, CopiesWithACacheHintHaveOneRegisterAsAddress) {
  const auto expect_none = [this](const Case& c, const Config& config) {
    SCOPED_TRACE(config.ToJson());
    ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, Compile(c, config));
    EXPECT_EQ(OpcodesOf(compiled.cubin, ".text.matmul").count(kLdgstsUniform), 0u);
  };
  const struct {
    const char* kernel;
    int64_t block_m, block_n, block_k, warp_n, stages, split_k;
  } kSeen[] = {{"matmul:16x4096x4096:bf16:bias:gelu", 16, 64, 128, 16, 5, 2},
               {"matmul:32x8192x8192:bf16", 32, 128, 32, 128, 10, 24}};
  for (const auto& seen : kSeen) {
    const Case c(seen.kernel);
    PartialConfig tile;
    tile.Set("family", "mma").Set("num_stages", seen.stages).Set("split_k", seen.split_k);
    tile.Set("block_size[m]", seen.block_m).Set("block_size[n]", seen.block_n);
    tile.Set("block_size[k]", seen.block_k).Set("warp_tile[n]", seen.warp_n);
    ASSERT_OK_AND_ASSIGN(const Config config, c.space->Normalize(tile, NormalizeMode::kRepair));
    expect_none(c, config);
  }
  std::mt19937_64 random(5);
  for (const char* short_form :
       {"matmul:16x8192x8192:bf16", "matmul:32x8192x8192:bf16:nt", "matmul:16384x8x8192:bf16",
        "matmul:8x8192x8192:f32", "matmul:16x8192x16384:f8e4m3:nt:out=bf16"}) {
    const Case c(short_form);
    for (const CudaFamily family : {CudaFamily::kMma, CudaFamily::kSimt, CudaFamily::kSkinny}) {
      for (const Config& config : c.Sample(family, std::max(Sweep(), 1), random)) {
        expect_none(c, config);
      }
    }
  }
}

TEST_F(CompiledTest, SimtMultipliesWithOrdinaryInstructions) {
  const Case c("matmul:512x512x512:f32");
  ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, Compile(c, c.space->Default()));
  const std::set<uint64_t> opcodes = OpcodesOf(compiled.cubin, ".text.matmul");
  EXPECT_TRUE(opcodes.count(kFfma) == 1 && opcodes.count(kLdgsts) == 1 &&
              opcodes.count(kHmma) == 0);
}

// What the space admits, ptxas takes: registers as the model says, nothing but the model's shared
// memory, and few spills. KERNEL_SWEEP=<n> takes n configurations of each kernel and family.
TEST_F(CompiledTest, TheResourceModelAgreesWithTheAssembler) {
  const int count = std::max(Sweep(), 1);
  std::mt19937_64 random(3);
  int compiled_count = 0, spilling = 0;
  for (const char* short_form : {"matmul:512x512x512:bf16", "matmul:512x512x512:f32",
                                 "matmul:16x2048x2048:bf16", "matmul:16x2048x2048:bf16:nt"}) {
    const Case c(short_form);
    const CudaTypes types = CudaTypesOf(c.facts[0]);
    for (const CudaFamily family : {CudaFamily::kMma, CudaFamily::kSimt, CudaFamily::kSkinny}) {
      for (const Config& config : c.Sample(family, count, random)) {
        const CudaTile tile = CudaTileOf(config);
        SCOPED_TRACE(std::string(short_form) + " " + config.ToJson());
        ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, Compile(c, config));
        const CudaKernelResources kernel = Matmul(compiled);
        EXPECT_EQ(kernel.static_shared_bytes, 0);
        // So that as many blocks run at once as the model says.
        EXPECT_LE(CudaBlocksPerUnit(tile, types, c.device) * CudaThreads(tile) *
                      ((kernel.registers + 7) / 8 * 8),
                  c.device.registers_per_unit);
        ++compiled_count;
        // A word or two outside the loop cost nothing.
        if (kernel.spill_store_bytes > 32) ++spilling;
      }
    }
  }
  std::cout << spilling << " of " << compiled_count << " configurations spill\n";
  EXPECT_GT(compiled_count, 0);
  EXPECT_LE(spilling, compiled_count / 8) << "of " << compiled_count;
}

// The largest tiles of each way to multiply: ptxas keeps to what their warpgroups start with,
// spills nothing, and does not fall back to waiting for each wgmma, of which it would warn.
TEST_F(CompiledTest, WgmmaTilesFitTheirRegisters) {
  const struct {
    const char* kernel;
    int64_t block_m, block_n, block_k, stages;
    const char* schedule;
    bool stream_k = false;
    int64_t split_k = 1;
  } kCases[] = {
      {"matmul:4096x4096x4096:bf16", 128, 256, 64, 4, "cooperative"},  // stores wait
      {"matmul:4096x4096x4096:bf16", 256, 192, 64, 3, "cooperative"},
      {"matmul:4096x4096x4096:bf16", 192, 192, 64, 4, "cooperative"},  // one buffer on the way out
      {"matmul:4096x4096x4096:bf16", 128, 192, 64, 4, "ping_pong"},
      {"matmul:4096x4096x4096:tf32", 128, 256, 32, 4, "cooperative"},     // turned
      {"matmul:4096x4096x4096:tf32:tt", 256, 128, 32, 4, "cooperative"},  // through registers
      {"matmul:4096x4096x4096:f8e4m3:nt:out=bf16", 128, 256, 128, 4, "cooperative"},
      {"matmul:4096x4096x4096:bf16:bias:gelu", 128, 256, 64, 4, "cooperative"},
      {"matmul:2048x11008x4096:bf16", 128, 256, 64, 4, "cooperative", true},
      {"matmul:2048x11008x4096:bf16", 128, 192, 64, 4, "ping_pong", true},
      {"matmul:2048x11008x4096:f8e4m3:nt:out=bf16", 128, 256, 128, 4, "cooperative", true},
      {"matmul:4096x4096x4096:bf16", 256, 160, 64, 3, "cooperative"},  // half a copy's columns
      {"matmul:4096x4096x4096:bf16", 128, 160, 64, 4, "ping_pong"},
      {"matmul:512x512x4096:bf16", 128, 256, 64, 4, "cooperative", false, 8},  // parts that meet
      {"matmul:512x512x4096:bf16:bias:gelu", 128, 128, 64, 6, "cooperative", false, 8},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.kernel) + " " + std::to_string(c.block_m) + "x" +
                 std::to_string(c.block_n) + " " + c.schedule);
    const Case subject(c.kernel);
    PartialConfig tile;
    tile.Set("family", "wgmma").Set("schedule", c.schedule).Set("num_stages", c.stages);
    tile.Set("block_size[m]", c.block_m).Set("block_size[n]", c.block_n);
    tile.Set("block_size[k]", c.block_k).Set("warp_tile[m]", kCudaNoWarpTile);
    tile.Set("warp_tile[n]", kCudaNoWarpTile).Set("split_k", c.split_k);
    tile.Set("reduction", "last_block").Set("pack[lhs]", false).Set("pack[rhs]", false);
    tile.Set("stream_k", c.stream_k);
    tile.Set("epilogue_tile", c.block_m == 192 ? kCudaWgmmaStageBytes : kCudaEpilogueBytes);
    ASSERT_OK_AND_ASSIGN(const Config config,
                         subject.space->Normalize(tile, NormalizeMode::kReject));
    ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, Compile(subject, config));
    const CudaKernelResources kernel = Matmul(compiled);
    EXPECT_EQ(kernel.registers, CudaWgmmaAllotmentOf(CudaTileOf(config)).start);
    // Between tiles, and where parts are added up, a few words cost nothing.
    EXPECT_LE(kernel.spill_store_bytes, c.split_k > 1 ? 32 : c.stream_k ? 16 : 0);
    EXPECT_FALSE(kernel.wgmma_serialized);
    EXPECT_EQ(OpcodesOf(compiled.cubin, ".text.matmul").count(kHmma), 0u);
  }
}

}  // namespace
}  // namespace seedtune
