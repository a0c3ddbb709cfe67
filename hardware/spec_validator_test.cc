#include "hardware/spec_validator.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "hardware/hardware_spec.pb.h"
#include "testing/status_matchers.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kGpu = R"pb(
  kind: CUDA
  name: "NVIDIA H100 80GB HBM3"
  architecture: "sm90"
  compute_units: 132
  warp_size: 32
  max_threads_per_block: 1024
  threads_per_unit: 2048
  registers_per_unit: 65536
  shared_memory_per_block_bytes: 232448
  shared_memory_per_unit_bytes: 233472
  tensor_memory_per_unit_bytes: 262144
  num_xcds: 1
  cache_line_bytes: 128
  l1_data_bytes: 262144
  l2_bytes: 52428800
  l3_bytes: 104857600
  memory_bytes: 85899345920
  memory_bandwidth_bytes_per_s: 3350000000000
  clock_hz: 1980000000
  has_tensor_cores: true
)pb";

constexpr std::string_view kCpu = R"pb(
  kind: CPU
  name: "AMD EPYC 9654 96-Core Processor"
  architecture: "znver4"
  compute_units: 96
  warp_size: 1
  threads_per_unit: 2
  registers_per_unit: 32
  vector_bits: 512
  cache_line_bytes: 64
  l1_data_bytes: 32768
  l2_bytes: 1048576
  l3_bytes: 33554432
  memory_bytes: 824633720832
  memory_bandwidth_bytes_per_s: 460800000000
  clock_hz: 3700000000
  isa: "avx2"
)pb";

HardwareSpecProto Parse(std::string_view text) {
  HardwareSpecProto spec;
  const absl::Status status = ParseTextProto(text, "test", &spec);
  EXPECT_TRUE(status.ok()) << status;
  return spec;
}

bool IsNumber(const FieldDescriptor* field) {
  return !field->is_repeated() && (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                                   field->cpp_type() == FieldDescriptor::CPPTYPE_INT64);
}

void SetNumber(const FieldDescriptor* field, int64_t value, HardwareSpecProto* spec) {
  if (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) {
    spec->GetReflection()->SetInt32(spec, field, static_cast<int32_t>(value));
  } else {
    spec->GetReflection()->SetInt64(spec, field, value);
  }
}

TEST(SpecValidatorTest, AcceptsAGpuAndACpu) {
  EXPECT_THAT(ValidateSpec(Parse(kGpu)), IsOk());
  EXPECT_THAT(ValidateSpec(Parse(kCpu)), IsOk());
}

// No number of the schema escapes the validator: each is refused when it is negative or absurd, set
// or not for that kind of device.
TEST(SpecValidatorTest, EachNumberIsCheckedForEachKind) {
  for (const std::string_view text : {kGpu, kCpu}) {
    const auto* descriptor = HardwareSpecProto::descriptor();
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      if (!IsNumber(field)) continue;
      for (const int64_t value : {int64_t{-4}, int64_t{0}, int64_t{2'000'000'000'000'000'000}}) {
        if (value > 1'000'000'000 && field->cpp_type() == FieldDescriptor::CPPTYPE_INT32) continue;
        SCOPED_TRACE(testing::Message() << text << " with " << field->name() << " " << value);
        HardwareSpecProto spec = Parse(text);
        SetNumber(field, value, &spec);
        EXPECT_THAT(ValidateSpec(spec), StatusIs(absl::StatusCode::kInvalidArgument,
                                                 AllOf(StartsWith(std::string(field->name())),
                                                       HasSubstr("is " + std::to_string(value)))));
      }
    }
  }
}

// Clearing a field is fine or names it: what a device needs is asked for by name.
TEST(SpecValidatorTest, EachMissingFieldIsNamed) {
  for (const std::string_view text : {kGpu, kCpu}) {
    const auto* descriptor = HardwareSpecProto::descriptor();
    int required = 0;
    for (int i = 0; i < descriptor->field_count(); ++i) {
      const FieldDescriptor* field = descriptor->field(i);
      SCOPED_TRACE(testing::Message() << text << " without " << field->name());
      HardwareSpecProto spec = Parse(text);
      spec.GetReflection()->ClearField(&spec, field);
      const absl::Status status = ValidateSpec(spec);
      if (status.ok()) continue;
      ++required;
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                   AllOf(StartsWith(std::string(field->name()) + " is not set"))));
    }
    EXPECT_GT(required, 8);
  }
}

TEST(SpecValidatorTest, FiguresMustFitEachOther) {
  const struct {
    const char* name;
    std::string_view text;
    std::function<void(HardwareSpecProto*)> spoil;
    const char* error;
  } kCases[] = {
      {"more for a block than there is", kGpu,
       [](auto* s) { s->set_shared_memory_per_block_bytes(233473); },
       "shared_memory_per_block_bytes is 233473, want at most shared_memory_per_unit_bytes, "
       "233472"},
      {"a block that no unit holds", kGpu, [](auto* s) { s->set_max_threads_per_block(4096); },
       "max_threads_per_block is 4096, want at most threads_per_unit, 2048"},
      {"a warp that does not divide", kGpu, [](auto* s) { s->set_threads_per_unit(2047); },
       "threads_per_unit is 2047, want a multiple of warp_size, 32"},
      {"no power of two", kGpu, [](auto* s) { s->set_warp_size(48); },
       "warp_size is 48, want a power of two"},
      {"wrong unit", kGpu, [](auto* s) { s->set_memory_bytes(80); },
       "memory_bytes is 80, want 67108864 to"},
      {"wrong unit", kCpu, [](auto* s) { s->set_clock_hz(3700); },
       "clock_hz is 3700, want 100000000 to"},
      {"a first level above the second", kCpu, [](auto* s) { s->set_l1_data_bytes(2097152); },
       "l1_data_bytes is 2097152, want at most l2_bytes, 1048576"},
      {"zero said to mean unknown", kCpu, [](auto* s) { s->set_l3_bytes(0); },
       "l3_bytes is 0, want 262144 to 8589934592; leave out what is unknown"},
      {"a GPU's field", kCpu, [](auto* s) { s->set_num_xcds(2); },
       "num_xcds is 2, which says nothing of a CPU device; remove it"},
      {"a processor's field", kGpu, [](auto* s) { s->add_isa("avx2"); }, "isa[0] is set"},
      {"another vendor's architecture", kGpu, [](auto* s) { s->set_architecture("gfx942"); },
       "architecture is \"gfx942\", want sm... for kind CUDA"},
      {"another kind's architecture", kGpu, [](auto* s) { s->set_kind(HardwareSpecProto::ROCM); },
       "architecture is \"sm90\", want gfx... for kind ROCM"},
      {"a GPU's architecture", kCpu, [](auto* s) { s->set_architecture("sm90"); },
       "architecture is \"sm90\", want a processor's for kind CPU"},
      {"no architecture's name", kCpu, [](auto* s) { s->set_architecture("zen 4"); },
       "architecture: architecture \"zen 4\" has \"zen 4\" in it"},
      {"a kind from the future", kCpu,
       [](auto* s) { s->set_kind(static_cast<HardwareSpecProto::Kind>(9)); },
       "kind is not set, want CPU, CUDA or ROCM"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    HardwareSpecProto spec = Parse(c.text);
    c.spoil(&spec);
    EXPECT_THAT(ValidateSpec(spec),
                StatusIs(absl::StatusCode::kInvalidArgument, StartsWith(c.error)));
  }
}

// A spec in which every figure that is set has a source.
HardwareSpecProto Sourced() {
  HardwareSpecProto spec = Parse(kGpu);
  HardwareSpecProto::Source* source = spec.add_sources();
  source->set_title("a datasheet");
  source->set_url("https://example.com/datasheet");
  source->add_fields("architecture");
  source->add_fields("has_tensor_cores");
  const auto* descriptor = HardwareSpecProto::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (IsNumber(field) && spec.GetReflection()->HasField(spec, field)) {
      source->add_fields(std::string(field->name()));
    }
  }
  return spec;
}

TEST(SpecValidatorTest, EachFigureNeedsASource) {
  ASSERT_THAT(ValidateSpecWithSources(Sourced()), IsOk());
  for (int i = 0; i < Sourced().sources(0).fields_size(); ++i) {
    HardwareSpecProto spec = Sourced();
    const std::string field = spec.sources(0).fields(i);
    SCOPED_TRACE(field);
    auto* fields = spec.mutable_sources(0)->mutable_fields();
    fields->erase(fields->begin() + i);
    EXPECT_THAT(ValidateSpecWithSources(spec),
                StatusIs(absl::StatusCode::kInvalidArgument, StartsWith(field + " has no source")));
    EXPECT_THAT(ValidateSpec(spec), IsOk());
  }
}

TEST(SpecValidatorTest, SourcesMustBeComplete) {
  const struct {
    const char* name;
    std::function<void(HardwareSpecProto::Source*)> spoil;
    const char* error;
  } kCases[] = {
      {"no title", [](auto* s) { s->clear_title(); }, "sources[0].title is not set"},
      {"no url", [](auto* s) { s->clear_url(); }, "sources[0].url is \"\""},
      {"a url of another kind", [](auto* s) { s->set_url("file:///x"); },
       "sources[0].url is \"file:///x\""},
      {"for nothing", [](auto* s) { s->clear_fields(); }, "sources[0].fields is empty"},
      {"misspelt", [](auto* s) { s->add_fields("l4_bytes"); },
       "sources[0].fields has \"l4_bytes\", which is no figure"},
      {"no figure", [](auto* s) { s->add_fields("sources"); },
       "sources[0].fields has \"sources\", which is no figure"},
      {"for what is not there", [](auto* s) { s->add_fields("vector_bits"); },
       "sources[0].fields has \"vector_bits\", which is not set"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    HardwareSpecProto spec = Sourced();
    c.spoil(spec.mutable_sources(0));
    EXPECT_THAT(ValidateSpecWithSources(spec),
                StatusIs(absl::StatusCode::kInvalidArgument, StartsWith(c.error)));
  }
}

}  // namespace
}  // namespace seedtune
