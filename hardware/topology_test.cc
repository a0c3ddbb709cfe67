#include "hardware/topology.h"

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/synthetic_topology.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

CpuTopology Parse(const std::string& description) {
  const absl::StatusOr<std::string> xml = SyntheticTopologyXml(description, "Some CPU");
  EXPECT_THAT(xml, IsOk());
  const absl::StatusOr<CpuTopology> topology = ParseTopologyXml(*xml);
  EXPECT_THAT(topology, IsOk());
  return topology.value_or(CpuTopology());
}

TEST(TopologyTest, CountsPackagesCoresThreadsAndCaches) {
  const CpuTopology topology =
      Parse("pack:2 l3:4(size=33554432) l2:8(size=1048576) l1d:1(size=32768) core:1 pu:2");
  EXPECT_EQ(topology.cpu_model, "Some CPU");
  EXPECT_EQ(topology.packages, 2);
  EXPECT_EQ(topology.cores, 64);
  EXPECT_EQ(topology.threads, 128);
  EXPECT_EQ(topology.threads_per_core, 2);
  EXPECT_EQ(topology.cache_line_bytes, 64);
  EXPECT_EQ(topology.l1_data_bytes, 32768);
  EXPECT_EQ(topology.l2_bytes, 1048576);
  EXPECT_EQ(topology.l3_bytes, 33554432);
}

TEST(TopologyTest, ACacheMaySpanSeveralCores) {
  const CpuTopology topology = Parse("pack:1 l2:2(size=4194304) l1d:4(size=65536) core:1 pu:1");
  EXPECT_EQ(topology.cores, 8);
  EXPECT_EQ(topology.l2_bytes, 4194304);
  EXPECT_EQ(topology.l3_bytes, 0);
}

TEST(TopologyTest, ThreadsCountAsCoresWhereCoresAreNotKnown) {
  const CpuTopology topology = Parse("pack:1 pu:4");
  EXPECT_EQ(topology.cores, 4);
  EXPECT_EQ(topology.threads, 4);
  EXPECT_EQ(topology.threads_per_core, 1);
}

// A machine with large and small cores: what is blocked for its caches must fit in each.
TEST(TopologyTest, TakesTheSmallestCacheOfALevel) {
  absl::StatusOr<std::string> xml =
      SyntheticTopologyXml("pack:1 l2:2(size=2097152) l1d:1(size=49152) core:1 pu:1", "");
  ASSERT_THAT(xml, IsOk());
  const size_t second = xml->rfind("cache_size=\"49152\"");
  ASSERT_NE(second, std::string::npos);
  xml->replace(second, 18, "cache_size=\"32768\"");
  ASSERT_OK_AND_ASSIGN(const CpuTopology topology, ParseTopologyXml(*xml));
  EXPECT_EQ(topology.l1_data_bytes, 32768);
  EXPECT_EQ(topology.cpu_model, "");
}

TEST(TopologyTest, RejectsWhatIsNoTopology) {
  for (const char* text : {"", "nonsense", "<?xml version=\"1.0\"?><topology version=\"9.0\"/>"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ParseTopologyXml(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("lstopo --of xml")));
  }
}

TEST(TopologyTest, ThisMachineReadsBack) {
  ASSERT_OK_AND_ASSIGN(const std::string xml, ExportTopologyXml());
  ASSERT_OK_AND_ASSIGN(const CpuTopology topology, ParseTopologyXml(xml));
  EXPECT_GE(topology.cores, 1);
  EXPECT_GE(topology.threads, topology.cores);
  EXPECT_GE(topology.threads_per_core, 1);
}

}  // namespace
}  // namespace seedtune
