#include "hardware/hardware_proto.h"

#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "hardware/hardware_fields.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_spec.pb.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::testing::HasSubstr;

// All fields set, all different.
HardwareInfo Full(DeviceKind kind) {
  HardwareInfo info;
  info.kind = kind;
  info.name = "some device";
  info.arch = {"gfx950", {"sramecc+", "xnack-"}};
  info.driver_version = "1.2";
  info.runtime_version = "3.4";
  int64_t next = 1000;
  for (const HardwareField& field : kHardwareFields) field.Set(next++, &info);
  info.has_tensor_cores = true;
  info.isa = {"avx2", "avx512f"};
  return info;
}

TEST(HardwareProtoTest, EveryFieldSurvivesTheRoundTrip) {
  for (const DeviceKind kind :
       {DeviceKind::kCpu, DeviceKind::kCuda, DeviceKind::kRocm, DeviceKind::kUnknown}) {
    SCOPED_TRACE(DeviceKindName(kind));
    EXPECT_THAT(FromProto(ToProto(Full(kind))), IsOkAndHolds(Full(kind)));
  }
}

TEST(HardwareProtoTest, TheLargestNumbersSurvive) {
  HardwareInfo info;
  for (const HardwareField& field : kHardwareFields) {
    field.Set(field.is_int32() ? std::numeric_limits<int32_t>::max()
                               : std::numeric_limits<int64_t>::max(),
              &info);
  }
  EXPECT_THAT(FromProto(ToProto(info)), IsOkAndHolds(info));
}

TEST(HardwareProtoTest, UnknownIsUnset) {
  EXPECT_EQ(ToProto(HardwareInfo{}).ByteSizeLong(), 0u);
  EXPECT_THAT(FromProto(HardwareSpecProto{}), IsOkAndHolds(HardwareInfo{}));
}

// The table of fields and the schema list the same numbers, of the same widths.
TEST(HardwareProtoTest, SchemaAndFieldTableAgree) {
  std::set<std::string> numbers;
  const auto* descriptor = HardwareSpecProto::descriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    if (!field->is_repeated() && (field->cpp_type() == FieldDescriptor::CPPTYPE_INT32 ||
                                  field->cpp_type() == FieldDescriptor::CPPTYPE_INT64)) {
      numbers.insert(std::string(field->name()));
    }
  }
  std::set<std::string> table;
  for (const HardwareField& field : kHardwareFields) {
    SCOPED_TRACE(field.name);
    table.insert(std::string(field.name));
    const FieldDescriptor* in_schema = descriptor->FindFieldByName(std::string(field.name));
    ASSERT_NE(in_schema, nullptr);
    EXPECT_EQ(in_schema->cpp_type(),
              field.is_int32() ? FieldDescriptor::CPPTYPE_INT32 : FieldDescriptor::CPPTYPE_INT64);
    EXPECT_TRUE(in_schema->has_presence());
  }
  EXPECT_EQ(table, numbers);
}

TEST(HardwareProtoTest, SplitsTheArchitecture) {
  HardwareSpecProto proto;
  proto.set_architecture("gfx942:sramecc+:xnack-");
  ASSERT_OK_AND_ASSIGN(const HardwareInfo info, FromProto(proto));
  EXPECT_EQ(info.arch.base, "gfx942");
  EXPECT_EQ(info.arch.features, (std::vector<std::string>{"sramecc+", "xnack-"}));
}

TEST(HardwareProtoTest, RejectsWhatIsNoArchitectureAndNoKind) {
  HardwareSpecProto bad_architecture;
  bad_architecture.set_architecture("sm 90");
  EXPECT_THAT(FromProto(bad_architecture),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"sm 90\"")));
  HardwareSpecProto newer;
  newer.set_kind(static_cast<HardwareSpecProto::Kind>(77));
  EXPECT_THAT(FromProto(newer),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kind is 77")));
}

}  // namespace
}  // namespace seedtune
