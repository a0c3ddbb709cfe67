#include "ir/proto_convert.h"

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "gtest/gtest.h"
#include "ir/dtype.h"
#include "ir/dtype.pb.h"
#include "ir/ir.pb.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

template <typename Proto>
Proto Parse(const std::string& text) {
  Proto proto;
  EXPECT_THAT(ParseTextProto(text, "test", &proto), IsOk());
  return proto;
}

TEST(ProtoConvertTest, DTypesHaveTheSameNumbersAndNames) {
  const auto& values = *DTypeProto_descriptor();
  EXPECT_EQ(values.value_count(), std::ssize(AllDTypes()) + 1);
  for (const DType dtype : AllDTypes()) {
    EXPECT_THAT(DTypeFromProto(DTypeToProto(dtype), "x"), IsOkAndHolds(dtype));
    std::string name = DTypeProto_Name(DTypeToProto(dtype));
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(name, DTypeName(dtype));
  }
  EXPECT_THAT(
      DTypeFromProto(DTYPE_UNSPECIFIED, "when.dtype"),
      StatusIs(absl::StatusCode::kInvalidArgument, "when.dtype is not set, want a dtype, as F32"));
  EXPECT_THAT(
      DTypeFromProto(static_cast<DTypeProto>(77), "when.dtype"),
      StatusIs(absl::StatusCode::kInvalidArgument, "when.dtype is 77, want a dtype, as F32"));
}

TEST(ProtoConvertTest, RichKernelComesBack) {
  EXPECT_THAT(KernelFromProto(KernelToProto(RichKernel())), IsOkAndHolds(RichKernel()));
}

TEST(ProtoConvertTest, DenseStridesAreLeftOut) {
  const KernelProto proto = KernelToProto(RichKernel());
  ASSERT_EQ(proto.tensors_size(), 4);
  for (const TensorProto::Dim& dim : proto.tensors(0).dims()) {
    EXPECT_EQ(dim.stride_kind_case(), TensorProto::Dim::STRIDE_KIND_NOT_SET);
  }
  EXPECT_TRUE(proto.tensors(1).dims(0).dynamic_stride());
  EXPECT_EQ(proto.tensors(1).dims(1).stride(), 40);
}

// A matmul as a person would write it.
constexpr char kMatmulText[] = R"pb(
  name: "by_hand"
  symbols { name: "M" hint: 16 min: 1 max: 64 }
  axes {
    name: "m"
    kind: PARALLEL
    extent { symbol: "M" }
  }
  axes {
    name: "n"
    kind: PARALLEL
    extent { static: 32 }
  }
  axes {
    name: "k"
    kind: REDUCTION
    extent { static: 8 }
  }
  tensors {
    name: "lhs"
    dtype: F32
    dims { size { symbol: "M" } }
    dims { size { static: 8 } }
  }
  tensors {
    name: "rhs"
    dtype: F32
    dims { size { static: 8 } }
    dims { size { static: 32 } }
  }
  tensors {
    name: "out"
    dtype: F32
    dims { size { symbol: "M" } }
    dims { size { static: 32 } }
  }
  ops {
    name: "x"
    load {
      tensor: "lhs"
      index: [ "m", "k" ]
    }
  }
  ops {
    load {
      tensor: "rhs"
      index: [ "k", "n" ]
    }
  }
  ops { dot { lhs: "x" rhs: "load1" m: "m" n: "n" k: "k" accumulator: F32 } }
  ops {
    store {
      tensor: "out"
      index: [ "m", "n" ]
      value: "dot2"
    }
  }
)pb";

TEST(ProtoConvertTest, ReadsAKernelWrittenByHand) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, KernelFromProto(Parse<KernelProto>(kMatmulText)));
  EXPECT_EQ(kernel.axes[0].extent, Extent::Symbolic("M", 16, 1, 64));
  EXPECT_TRUE(kernel.axes[0].tunable);
  EXPECT_EQ(kernel.tensors[0].dims[0].stride, 8);
  EXPECT_EQ(kernel.ops[0].name, "x");
  EXPECT_EQ(kernel.ops[1].name, "load1");
  EXPECT_EQ(kernel.ops[3].name, "store3");
  EXPECT_THAT(kernel.ops[2].operands, ElementsAre(0, 1));
}

// The access that `index` means, where "a" and "b" are axes 0 and 1.
absl::StatusOr<AffineIndex> ReadIndex(const std::string& index) {
  KernelProto proto = Parse<KernelProto>(R"pb(
    name: "index"
    axes {
      name: "a"
      kind: PARALLEL
      extent { static: 4 }
    }
    axes {
      name: "b"
      kind: PARALLEL
      extent { static: 4 }
    }
    tensors {
      name: "in"
      dtype: F32
      dims { size { static: 1000 } }
    }
    tensors {
      name: "more"
      dtype: F32
      dims { size { static: 4 } }
      dims { size { static: 4 } }
    }
    tensors {
      name: "out"
      dtype: F32
      dims { size { static: 4 } }
      dims { size { static: 4 } }
    }
    ops {
      name: "x"
      load { tensor: "in" }
    }
    ops {
      name: "y"
      load {
        tensor: "more"
        index: [ "a", "b" ]
      }
    }
    ops {
      name: "z"
      pointwise {
        kind: ADD
        values: [ "x", "y" ]
      }
    }
    ops {
      name: "s"
      store {
        tensor: "out"
        index: [ "a", "b" ]
        value: "z"
      }
    }
  )pb");
  proto.mutable_ops(0)->mutable_load()->add_index(index);
  const absl::StatusOr<Kernel> kernel = KernelFromProto(proto);
  if (!kernel.ok()) return kernel.status();
  return kernel->ops[0].access[0];
}

TEST(ProtoConvertTest, ReadsIndices) {
  const struct {
    const char* text;
    AffineIndex want;
    const char* printed;
  } kCases[] = {
      {"a", {{{0, 1}}, 0}, "a"},
      {"0", {{}, 0}, "0"},
      {"17", {{}, 17}, "17"},
      {"2*a+b", {{{0, 2}, {1, 1}}, 0}, "2*a + b"},
      {" 2 * a + b + 3 ", {{{0, 2}, {1, 1}}, 3}, "2*a + b + 3"},
      {"b + a", {{{0, 1}, {1, 1}}, 0}, "a + b"},
      {"a + a", {{{0, 2}}, 0}, "2*a"},
      {"a + 0*b", {{{0, 1}}, 0}, "a"},
      {"7 - a", {{{0, -1}}, 7}, "-a + 7"},
      {"-2*a + 6", {{{0, -2}}, 6}, "-2*a + 6"},
      {"5 - 2*a + 3 - b + 4", {{{0, -2}, {1, -1}}, 12}, "-2*a - b + 12"},
      {"1*a + 3 - 2", {{{0, 1}}, 1}, "a + 1"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const AffineIndex index, ReadIndex(c.text));
    EXPECT_EQ(index, c.want);
    EXPECT_THAT(ReadIndex(c.printed), IsOkAndHolds(c.want));
  }
}

TEST(ProtoConvertTest, SaysWhatIsWrongWithAnIndex) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"", "ops[0] (x).load.index[0] is \"\", want an axis or a number at the end"},
      {"  ", "want an axis or a number at the end"},
      {"a +", "is \"a +\", want an axis or a number at the end"},
      {"+ a", "want an axis or a number at \"+ a\""},
      {"a - - b", "want an axis or a number at \"- b\""},
      {"a b", "want \"+\" or \"-\" at \"b\""},
      {"a * 2", "want \"+\" or \"-\" at \"* 2\""},
      {"2 * ", "want an axis after \"*\" at the end"},
      {"2 a", "want \"+\" or \"-\" at \"a\""},
      {"(a)", "want an axis or a number at \"(a)\""},
      {"c", "is \"c\", no axis; known: a, b"},
      {"3*aa", "is \"aa\", no axis"},
      {"9223372036854775808", "want a number that fits 64 bits"},
      {"9223372036854775807 + 1", "want numbers whose sum fits 64 bits"},
      {"2x*a", "want a number that fits 64 bits at \"2x*a\""},
      {"a - 1", "reaches element -1"},
      {"999 + a", "can pass the end"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ReadIndex(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

// All messages inside `message`, with the path that leads to each, `message` itself first.
void ForEachMessage(Message& message, const std::string& path,
                    const std::function<void(Message&, const std::string&)>& visit) {
  visit(message, path);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      ForEachMessage(*reflection.MutableMessage(&message, field),
                     absl::StrCat(path, ".", field->name()), visit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      ForEachMessage(*reflection.MutableRepeatedMessage(&message, field, i),
                     absl::StrCat(path, ".", field->name(), "[", i, "]"), visit);
    }
  }
}

// Every field that is set, as "axes[0].kind".
std::vector<std::string> SetFields(KernelProto proto) {
  std::vector<std::string> all;
  ForEachMessage(proto, "", [&](Message& message, const std::string& path) {
    std::vector<const FieldDescriptor*> fields;
    message.GetReflection()->ListFields(message, &fields);
    for (const FieldDescriptor* field : fields) {
      all.push_back(absl::StrCat(path, ".", field->name()));
    }
  });
  return all;
}

TEST(ProtoConvertTest, NamesEachFieldThatIsMissing) {
  // What may be left out, and then has a default.
  const std::set<std::string> optional = {
      "tunable", "alignment_bytes", "stride", "dynamic_stride", "hint", "min", "max"};
  const KernelProto rich = KernelToProto(RichKernel());
  int cleared = 0;
  for (const std::string& path : SetFields(rich)) {
    SCOPED_TRACE(path);
    KernelProto proto = rich;
    std::string name;
    ForEachMessage(proto, "", [&](Message& message, const std::string& at) {
      const Descriptor& type = *message.GetDescriptor();
      for (int i = 0; i < type.field_count(); ++i) {
        if (absl::StrCat(at, ".", type.field(i)->name()) != path) continue;
        name = type.field(i)->name();
        message.GetReflection()->ClearField(&message, type.field(i));
      }
    });
    ASSERT_NE(name, "");
    ++cleared;
    const auto kernel = KernelFromProto(proto);
    if (optional.count(name) != 0) continue;
    // An op without a name gets one, here the one that it had.
    if (name == "name" && path.substr(0, 5) == ".ops[" && path != ".ops[0].name") {
      EXPECT_THAT(kernel, IsOkAndHolds(RichKernel()));
      continue;
    }
    // A constant of 0 is a constant.
    if (name == "value" && absl::StrCat(path).find(".constant.") != std::string::npos) continue;
    EXPECT_THAT(kernel, StatusIs(absl::StatusCode::kInvalidArgument,
                                 AnyOf(HasSubstr(name), HasSubstr("is not set"),
                                       HasSubstr("want one of load, store, dot"),
                                       HasSubstr("no op before it"), HasSubstr("no axis"),
                                       HasSubstr("no tensor"), HasSubstr("no symbol"),
                                       HasSubstr("operands"), HasSubstr("access has"))));
  }
  EXPECT_GT(cleared, 80);
}

TEST(ProtoConvertTest, NamesEachNameThatRefersToNothing) {
  const KernelProto rich = KernelToProto(RichKernel());
  int broken = 0;
  KernelProto counted = rich;
  int strings = 0;
  const auto for_each_string = [](KernelProto& proto, auto visit) {
    ForEachMessage(proto, "", [&](Message& message, const std::string&) {
      const Reflection& reflection = *message.GetReflection();
      std::vector<const FieldDescriptor*> fields;
      reflection.ListFields(message, &fields);
      for (const FieldDescriptor* field : fields) {
        if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING || field->name() == "name")
          continue;
        if (!field->is_repeated()) {
          visit([&] { reflection.SetString(&message, field, "nobody"); });
          continue;
        }
        for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
          visit([&, i] { reflection.SetRepeatedString(&message, field, i, "nobody"); });
        }
      }
    });
  };
  for_each_string(counted, [&](auto) { ++strings; });
  ASSERT_GT(strings, 25);
  for (int target = 0; target < strings; ++target) {
    KernelProto proto = rich;
    int at = 0;
    for_each_string(proto, [&](auto corrupt) {
      if (at++ == target) corrupt();
    });
    SCOPED_TRACE(target);
    EXPECT_THAT(KernelFromProto(proto), StatusIs(absl::StatusCode::kInvalidArgument,
                                                 AnyOf(HasSubstr("is \"nobody\", no axis"),
                                                       HasSubstr("is \"nobody\", no tensor"),
                                                       HasSubstr("is \"nobody\", no op before it"),
                                                       HasSubstr("is \"nobody\", no symbol"))));
    ++broken;
  }
  EXPECT_EQ(broken, strings);
}

TEST(ProtoConvertTest, SaysWhatIsWrongWithAKernel) {
  const struct {
    const char* name;
    std::function<void(KernelProto&)> change;
    const char* error;
  } kCases[] = {
      {"no name", [](KernelProto& p) { p.clear_name(); }, "kernel \"\": name is empty"},
      {"axis misspelt", [](KernelProto& p) { p.mutable_ops(0)->mutable_load()->set_index(0, "M"); },
       "kernel \"by_hand\": ops[0] (x).load.index[0] is \"M\", no axis, did you mean \"m\"; known: "
       "k, m, n"},
      {"tensor misspelt",
       [](KernelProto& p) { p.mutable_ops(0)->mutable_load()->set_tensor("lsh"); },
       "ops[0] (x).load.tensor is \"lsh\", no tensor, did you mean \"lhs\"; known: lhs, out, rhs"},
      {"op later", [](KernelProto& p) { p.mutable_ops(2)->mutable_dot()->set_rhs("store3"); },
       "ops[2].dot.rhs is \"store3\", no op before it"},
      {"symbol twice", [](KernelProto& p) { *p.add_symbols() = p.symbols(0); },
       "symbols[1].name is \"M\", which an earlier symbol has already"},
      {"symbol without name", [](KernelProto& p) { p.add_symbols(); },
       "symbols[1].name is not set, want a name"},
      {"symbol unused", [](KernelProto& p) { p.add_symbols()->set_name("N"); },
       "symbol \"N\" is used by no axis and no tensor; leave it out"},
      {"no extent", [](KernelProto& p) { p.mutable_axes(1)->clear_extent(); },
       "axes[1] (n).extent is not set, want static or symbol"},
      {"no kind", [](KernelProto& p) { p.mutable_axes(1)->clear_kind(); },
       "axes[1] (n).kind is not set, want PARALLEL, REDUCTION or BATCH"},
      {"kind of a later version",
       [](KernelProto& p) { p.mutable_axes(1)->set_kind(static_cast<AxisProto::Kind>(9)); },
       "axes[1] (n).kind is 9, want parallel, reduction or batch"},
      {"no accumulator",
       [](KernelProto& p) { p.mutable_ops(2)->mutable_dot()->clear_accumulator(); },
       "ops[2].dot.accumulator is not set, want a dtype, as F32"},
      {"negative stride",
       [](KernelProto& p) { p.mutable_tensors(0)->mutable_dims(0)->set_stride(-1); },
       "tensors[0] (lhs).dims[0].stride is -1, want at least 0"},
      {"no dynamic stride",
       [](KernelProto& p) { p.mutable_tensors(0)->mutable_dims(0)->set_dynamic_stride(false); },
       "tensors[0] (lhs).dims[0].dynamic_stride is false, want true, or a stride"},
      {"extent 0", [](KernelProto& p) { p.mutable_axes(1)->mutable_extent()->set_static_(0); },
       "axes[1] (n).extent is 0, want at least 1"},
      {"size overflows",
       [](KernelProto& p) {
         p.mutable_tensors(1)->mutable_dims(1)->mutable_size()->set_static_(INT64_MAX);
         p.mutable_tensors(1)->mutable_dims(1)->set_stride(2);
       },
       "tensors[1] (rhs).dims[0].stride overflows 64 bits"},
      {"op without kind", [](KernelProto& p) { p.mutable_ops(2)->clear_dot(); },
       "ops[2] is empty, want one of load, store, dot, reduce, pointwise, cast, constant"},
      {"no tensors", [](KernelProto& p) { p.clear_tensors(); },
       "ops[0] (x).load.tensor is \"lhs\", no tensor; known: none"},
      {"name twice", [](KernelProto& p) { p.mutable_ops(1)->set_name("x"); }, "\"load1\", no op"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    KernelProto proto = Parse<KernelProto>(kMatmulText);
    c.change(proto);
    const auto kernel = KernelFromProto(proto);
    EXPECT_THAT(kernel, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_THAT(std::string(kernel.status().message()), StartsWith("kernel \""));
  }
}

TEST(ProtoConvertTest, MatmulsComeBack) {
  for (const char* text :
       {"matmul:16x32x64:f32", "matmul:16x32x64:bf16:out=f32:nt:bias:gelu:residual",
        "matmul:16x32x64:f8e4m3:batch=7:rhs=f8e5m2:out=bf16:acc=f16:tt:silu",
        "matmul:M=16[1,64]xN=?x_k=64[8,?]:i8:out=i32:tn:relu"}) {
    ASSERT_OK_AND_ASSIGN(const MatmulSpec spec, ParseMatmulShortForm(text));
    EXPECT_THAT(MatmulFromProto(MatmulToProto(spec)), IsOkAndHolds(spec)) << text;
  }
}

TEST(ProtoConvertTest, MatmulDefaultsAreThoseOfTheShortForm) {
  const struct {
    const char* proto;
    const char* short_form;
  } kCases[] = {
      {"m: 16 n: 32 k: 64 dtype: F32", "matmul:16x32x64:f32"},
      {"m: 16 n: 32 k: 64 dtype: I8", "matmul:16x32x64:i8"},
      {"m: 16 n: 32 k: 64 dtype: BF16 out_dtype: F32", "matmul:16x32x64:bf16:out=f32"},
      {"m: 16 n: 32 k: 64 lhs_dtype: F16 rhs_dtype: F16 out_dtype: F16", "matmul:16x32x64:f16"},
      {"symbolic_m { name: 'M' hint: 16 min: 1 max: 64 } n: 32 k: 64 dtype: F32",
       "matmul:M=16[1,64]x32x64:f32"},
      {"m: 16 symbolic_n { name: 'N' } symbolic_k { name: 'K' min: 8 } dtype: F32",
       "matmul:16xN=?xK=?[8,?]:f32"},
      {"m: 16 n: 32 k: 64 dtype: F32 lhs_layout: COLUMN_MAJOR rhs_layout: ROW_MAJOR",
       "matmul:16x32x64:f32:tn"},
      {"m: 16 n: 32 k: 64 dtype: F32 batch: 3 bias: true activation: SILU residual: true",
       "matmul:16x32x64:f32:batch=3:bias:silu:residual"},
  };
  for (const auto& c : kCases) {
    ASSERT_OK_AND_ASSIGN(const MatmulSpec want, ParseMatmulShortForm(c.short_form));
    EXPECT_THAT(MatmulFromProto(Parse<MatmulProto>(c.proto)), IsOkAndHolds(want)) << c.proto;
  }
}

TEST(ProtoConvertTest, SaysWhatIsWrongWithAMatmul) {
  const struct {
    const char* proto;
    const char* error;
  } kCases[] = {
      {"n: 32 k: 64 dtype: F32", "m is not set, want m or symbolic_m"},
      {"m: 16 k: 64 dtype: F32", "n is not set, want n or symbolic_n"},
      {"m: 16 n: 32 dtype: F32", "k is not set, want k or symbolic_k"},
      {"m: 16 n: 32 k: 64", "dtype is not set, want a dtype, as F32"},
      {"m: 16 n: 32 k: 64 lhs_dtype: F32", "dtype is not set"},
      {"m: 0 n: 32 k: 64 dtype: F32", "m is 0, want at least 1"},
      {"m: 16 n: -5 k: 64 dtype: F32", "n is -5, want at least 1"},
      {"m: 16 n: 32 k: 0 dtype: F32", "k is 0, want at least 1"},
      {"symbolic_m {} n: 32 k: 64 dtype: F32", "symbolic_m.name is not set, want a name"},
      {"m: 16 n: 32 k: 64 dtype: 99", "dtype is 99, want a dtype"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(MatmulFromProto(Parse<MatmulProto>(c.proto)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.proto;
  }
}

TEST(ProtoConvertTest, WorkloadsComeBack) {
  Workload workload;
  workload.name = "two";
  workload.description = "for a test";
  ASSERT_OK_AND_ASSIGN(Kernel matmul, BuildMatmul({.name = "matmul",
                                                   .m = Extent::Static(4),
                                                   .n = Extent::Static(5),
                                                   .k = Extent::Static(6)}));
  workload.entries = {{RichKernel(), 32}, {matmul, 1}};
  ASSERT_OK_AND_ASSIGN(const Workload back, WorkloadFromProto(WorkloadToProto(workload)));
  EXPECT_EQ(back.name, "two");
  EXPECT_EQ(back.description, "for a test");
  EXPECT_EQ(back.entries, workload.entries);
}

TEST(ProtoConvertTest, SaysWhatIsWrongWithAWorkload) {
  const std::string good = "m: 16 n: 32 k: 64 dtype: F32";
  const struct {
    std::string proto;
    const char* error;
  } cases[] = {
      {"kernels { name: 'a' matmul { " + good + " } }",
       "name is not set, want a name for the workload"},
      {"name: 'w'", "kernels is empty, want at least one"},
      {"name: 'w' kernels { matmul { " + good + " } }", "kernels[0].name is not set, want a name"},
      {"name: 'w' kernels { name: 'a' }",
       "kernels[0] (\"a\"): no kernel is set, want matmul { ... } or ir { ... }"},
      {"name: 'w' kernels { name: 'a' count: 0 matmul { " + good + " } }",
       "kernels[0] (\"a\").count is 0, want at least 1"},
      {"name: 'w' kernels { name: 'a' count: -3 matmul { " + good + " } }",
       "kernels[0] (\"a\").count is -3, want at least 1"},
      {"name: 'w' kernels { name: 'a' matmul { " + good + " } } kernels { name: 'a' matmul { " +
           good + " } }",
       "kernels[1].name is \"a\", which kernels[0] has already; want a unique name"},
      {"name: 'w' kernels { name: 'a' matmul { m: 16 n: 32 k: 64 } }",
       "kernels[0] (\"a\"): dtype is not set"},
      {"name: 'w' kernels { name: 'a' matmul { " + good + " batch: 0 } }",
       "kernels[0] (\"a\"): kernel \"a\": batch is 0, want at least 1"},
      {"name: 'w' kernels { name: 'a' ir { name: 'b' } }",
       "kernels[0] (\"a\"): ir.name is \"b\", want it left out or the same"},
      {"name: 'w' kernels { name: 'a' ir { } }",
       "kernels[0] (\"a\"): kernel \"a\": ops hold no store"},
  };
  for (const auto& c : cases) {
    const auto workload = WorkloadFromProto(Parse<WorkloadProto>(c.proto));
    EXPECT_THAT(workload, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.proto;
  }
}

// Kernels print so that people can read them.
TEST(ProtoConvertTest, PrintsReadably) {
  const std::string text = PrintTextProto(KernelToProto(RichKernel()));
  EXPECT_THAT(text, HasSubstr("index: \"2*k + 3\""));
  EXPECT_THAT(text, HasSubstr("symbol: \"M\""));
  EXPECT_THAT(text, Not(HasSubstr("\\")));
}

}  // namespace
}  // namespace seedtune
