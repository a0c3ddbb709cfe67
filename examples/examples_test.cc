// Derives every kernel of every example again, from the dimensions that its model was published
// with, and checks those against what else is published of it: the number of its parameters.
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "matmul_ops/simple_matmul.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

constexpr char kFolder[] = "examples";

struct Expected {
  MatmulSpec spec;
  int64_t count = 1;
};

MatmulSpec Matmul(const std::string& name, int64_t m, int64_t n, int64_t k) {
  MatmulSpec spec;
  spec.name = name;
  spec.m = Extent::Static(m);
  spec.n = Extent::Static(n);
  spec.k = Extent::Static(k);
  return spec;
}

// Times a weight that is stored as [outputs, inputs].
MatmulSpec Linear(const std::string& name, int64_t rows, int64_t outputs, int64_t inputs) {
  MatmulSpec spec = Matmul(name, rows, outputs, inputs);
  spec.rhs_layout = MatrixLayout::kColumnMajor;
  return spec;
}

MatmulSpec Batched(int64_t batch, MatmulSpec spec) {
  spec.batch = batch;
  return spec;
}

MatmulSpec WithBias(MatmulSpec spec) {
  spec.bias = true;
  return spec;
}

MatmulSpec WithActivation(Activation activation, MatmulSpec spec) {
  spec.activation = activation;
  return spec;
}

MatmulSpec WithResidual(MatmulSpec spec) {
  spec.residual = true;
  return spec;
}

// Of Llama 3 8B.
struct Llama {
  int64_t layers = 32;
  int64_t hidden = 4096;
  int64_t query_heads = 32;
  int64_t key_value_heads = 8;
  int64_t ffn = 14336;
  int64_t vocabulary = 128256;
  int64_t head_dimension() const { return hidden / query_heads; }
};

std::vector<Expected> LlamaKernels(int64_t rows, int64_t prompt, int64_t logit_rows) {
  const Llama d;
  const int64_t heads = d.query_heads + 2 * d.key_value_heads;
  std::vector<Expected> kernels;
  kernels.push_back(
      {Linear("attention_qkv", rows, heads * d.head_dimension(), d.hidden), d.layers});
  if (prompt > 0) {
    const int64_t group = d.query_heads / d.key_value_heads;
    kernels.push_back({Batched(d.key_value_heads, Linear("attention_scores", group * prompt, prompt,
                                                         d.head_dimension())),
                       d.layers});
    kernels.push_back({Batched(d.key_value_heads, Matmul("attention_values", group * prompt,
                                                         d.head_dimension(), prompt)),
                       d.layers});
  }
  kernels.push_back(
      {WithResidual(Linear("attention_output", rows, d.hidden, d.query_heads * d.head_dimension())),
       d.layers});
  kernels.push_back({Linear("ffn_gate_up", rows, 2 * d.ffn, d.hidden), d.layers});
  kernels.push_back({WithResidual(Linear("ffn_down", rows, d.hidden, d.ffn)), d.layers});
  kernels.push_back({Linear("lm_head", logit_rows, d.vocabulary, d.hidden), 1});
  return kernels;
}

std::vector<Expected> BertKernels() {
  constexpr int64_t kTokens = 384;
  constexpr int64_t kLayers = 12;
  constexpr int64_t kHidden = 768;
  constexpr int64_t kHeads = 12;
  constexpr int64_t kHeadDimension = kHidden / kHeads;
  constexpr int64_t kFfn = 4 * kHidden;
  return {
      {WithBias(Linear("attention_qkv", kTokens, 3 * kHidden, kHidden)), kLayers},
      {Batched(kHeads, Linear("attention_scores", kTokens, kTokens, kHeadDimension)), kLayers},
      {Batched(kHeads, Matmul("attention_values", kTokens, kHeadDimension, kTokens)), kLayers},
      {WithResidual(WithBias(Linear("attention_output", kTokens, kHidden, kHidden))), kLayers},
      {WithActivation(Activation::kGelu, WithBias(Linear("ffn_up", kTokens, kFfn, kHidden))),
       kLayers},
      {WithResidual(WithBias(Linear("ffn_down", kTokens, kHidden, kFfn))), kLayers},
      {WithBias(Linear("answer_span", kTokens, 2, kHidden)), 1},
  };
}

// Walks through the network as it is defined, one convolution after the other.
std::vector<Expected> ResNetKernels() {
  std::vector<Expected> kernels;
  std::map<std::string, size_t> seen;
  const auto add = [&](const MatmulSpec& spec) {
    const auto [it, inserted] = seen.emplace(spec.name, kernels.size());
    if (inserted) {
      kernels.push_back({spec, 1});
    } else {
      // The name of a kernel stands for one matmul.
      EXPECT_EQ(kernels[it->second].spec, spec);
      ++kernels[it->second].count;
    }
  };
  struct Image {
    int64_t side;
    int64_t channels;
  };
  const auto convolve = [](const std::string& name, Image in, int64_t kernel, int64_t stride,
                           int64_t channels) {
    const int64_t padding = kernel / 2;
    const int64_t side = (in.side + 2 * padding - kernel) / stride + 1;
    return WithBias(Linear(name, side * side, channels, in.channels * kernel * kernel));
  };
  const auto relu = [](const MatmulSpec& spec) { return WithActivation(Activation::kRelu, spec); };

  add(relu(convolve("conv1_7x7", {224, 3}, 7, 2, 64)));
  Image image = {56, 64};  // after 112 x 112 and a pooling of stride 2
  const int64_t blocks[] = {3, 4, 6, 3};
  for (int stage = 2; stage <= 5; ++stage) {
    const std::string prefix = "stage" + std::to_string(stage);
    const int64_t width = int64_t{64} << (stage - 2);
    for (int64_t block = 0; block < blocks[stage - 2]; ++block) {
      const bool first = block == 0;
      const int64_t stride = first && stage > 2 ? 2 : 1;
      add(relu(convolve(prefix + (first ? "_first_1x1" : "_1x1_reduce"), image, 1, 1, width)));
      add(relu(convolve(prefix + "_3x3", {image.side, width}, 3, stride, width)));
      const Image result = {image.side / stride, 4 * width};
      add(WithResidual(
          convolve(prefix + "_1x1_expand", {result.side, width}, 1, 1, result.channels)));
      if (first) add(convolve(prefix + "_shortcut", image, 1, stride, result.channels));
      image = result;
    }
  }
  EXPECT_EQ(image.side, 7);
  add(WithBias(Linear("classifier", 1, 1000, image.channels)));
  return kernels;
}

struct Example {
  const char* name;
  std::vector<Expected> kernels;
};

std::vector<Example> Examples() {
  return {
      {"llama3_8b_decode", LlamaKernels(/*rows=*/16, /*prompt=*/0, /*logit_rows=*/16)},
      {"llama3_8b_prefill128", LlamaKernels(/*rows=*/128, /*prompt=*/128, /*logit_rows=*/1)},
      {"bert_base_384", BertKernels()},
      {"resnet50", ResNetKernels()},
  };
}

absl::StatusOr<Workload> LoadExample(const std::string& name) {
  return LoadWorkload(std::string(kFolder) + "/" + name + ".textproto");
}

TEST(ExamplesTest, EveryFileIsListedHere) {
  std::set<std::string> listed;
  for (const Example& example : Examples()) listed.insert(example.name);
  std::set<std::string> there;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".textproto") there.insert(entry.path().stem());
  }
  EXPECT_EQ(there, listed);
}

TEST(ExamplesTest, KernelsFollowFromTheDimensions) {
  for (const Example& example : Examples()) {
    SCOPED_TRACE(example.name);
    ASSERT_OK_AND_ASSIGN(const Workload workload, LoadExample(example.name));
    EXPECT_EQ(workload.name, example.name);
    EXPECT_FALSE(workload.description.empty());
    std::map<std::string, Workload::Entry> entries;
    for (const Workload::Entry& entry : workload.entries) {
      EXPECT_TRUE(entries.emplace(entry.kernel.name, entry).second) << entry.kernel.name;
    }
    EXPECT_EQ(entries.size(), example.kernels.size());
    for (const Expected& expected : example.kernels) {
      SCOPED_TRACE(expected.spec.name);
      ASSERT_TRUE(entries.count(expected.spec.name) == 1);
      const Workload::Entry& entry = entries.at(expected.spec.name);
      EXPECT_EQ(entry.count, expected.count);
      EXPECT_THAT(BuildMatmul(expected.spec), IsOkAndHolds(entry.kernel));
    }
  }
}

// A GEMM library, and so the CPU backend, can run them all.
TEST(ExamplesTest, KernelsAreSimpleMatmuls) {
  for (const Example& example : Examples()) {
    ASSERT_OK_AND_ASSIGN(const Workload workload, LoadExample(example.name));
    for (const Workload::Entry& entry : workload.entries) {
      EXPECT_THAT(MatchSimpleMatmul(entry.kernel), IsOk()) << entry.kernel.name;
      EXPECT_EQ(ExtractMatmulFacts(entry.kernel).size(), 1u) << entry.kernel.name;
    }
  }
}

// Weights and biases of a file's matmuls; those without a weight of their own are left out by name.
int64_t Parameters(const Workload& workload) {
  int64_t parameters = 0;
  for (const Workload::Entry& entry : workload.entries) {
    if (entry.kernel.name == "attention_scores" || entry.kernel.name == "attention_values")
      continue;
    const auto matmul = MatchSimpleMatmul(entry.kernel);
    EXPECT_THAT(matmul, IsOk());
    parameters += entry.count * (matmul->n * matmul->k + (matmul->bias ? matmul->n : 0));
  }
  return parameters;
}

// Multiplications, each with an addition.
int64_t Multiplications(const Workload& workload) {
  int64_t flops = 0;
  for (const Workload::Entry& entry : workload.entries) {
    flops += entry.count * ExtractMatmulFacts(entry.kernel)[0].flops;
  }
  return flops / 2;
}

TEST(ExamplesTest, Llama3HasItsPublishedNumberOfParameters) {
  // The checkpoint's index (model.safetensors.index.json): 16060522496 bytes of bf16.
  constexpr int64_t kPublished = 16060522496 / 2;
  const Llama d;
  const int64_t embedding = d.vocabulary * d.hidden;
  const int64_t norms = (2 * d.layers + 1) * d.hidden;
  for (const char* name : {"llama3_8b_decode", "llama3_8b_prefill128"}) {
    ASSERT_OK_AND_ASSIGN(const Workload workload, LoadExample(name));
    EXPECT_EQ(Parameters(workload) + embedding + norms, kPublished) << name;
  }
}

TEST(ExamplesTest, BertBaseHasItsPublishedNumberOfParameters) {
  // bert-base-uncased without a head: 109482240. What is not in the file: embeddings of 30522
  // words, 512 positions and 2 segments, 25 layer normalisations, and the pooler; what is in
  // excess: the answer's head.
  constexpr int64_t kPublished = 109482240;
  constexpr int64_t kHidden = 768;
  const int64_t embeddings = (30522 + 512 + 2) * kHidden;
  const int64_t norms = 25 * 2 * kHidden;
  const int64_t pooler = kHidden * kHidden + kHidden;
  const int64_t answer_span = 2 * kHidden + 2;
  ASSERT_OK_AND_ASSIGN(const Workload workload, LoadExample("bert_base_384"));
  EXPECT_EQ(Parameters(workload) - answer_span + embeddings + norms + pooler, kPublished);
}

TEST(ExamplesTest, ResNet50HasItsPublishedNumberOfParametersAndOperations) {
  // torchvision's table of resnet50: 25557032 parameters, 4.09 GFLOPS (a multiplication with its
  // addition counted once). Batch normalisation has a scale beside the bias for each channel of
  // each convolution.
  ASSERT_OK_AND_ASSIGN(const Workload workload, LoadExample("resnet50"));
  int64_t convolutions = 0;
  int64_t scales = 0;
  for (const Workload::Entry& entry : workload.entries) {
    if (entry.kernel.name == "classifier") continue;
    convolutions += entry.count;
    scales += entry.count * ExtractMatmulFacts(entry.kernel)[0].n.static_extent.value();
  }
  EXPECT_EQ(convolutions, 53);
  EXPECT_EQ(Parameters(workload) + scales, 25557032);
  EXPECT_NEAR(static_cast<double>(Multiplications(workload)) / 1e9, 4.09, 0.005);
}

}  // namespace
}  // namespace seedtune
