#include "util/table.h"

#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(TableTest, AlignsColumnsAndTrimsLines) {
  Table table({{"kernel", Align::kLeft}, {"best", Align::kRight}, {"from", Align::kLeft}});
  table.AddRow({"attention_qkv", "1.9 ms", "search"});
  table.AddRow({"o", "12.3 ms", "x"});
  EXPECT_EQ(table.ToString(),
            "kernel            best  from\n"
            "-------------  -------  ------\n"
            "attention_qkv   1.9 ms  search\n"
            "o              12.3 ms  x\n");
}

TEST(TableTest, WithoutRowsIsItsHeadings) {
  EXPECT_EQ(Table({{"kernel", Align::kLeft}}).ToString(), "kernel\n------\n");
}

}  // namespace
}  // namespace seedtune
