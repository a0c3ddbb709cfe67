// Facts of matmuls in their short form, for tests of spaces.
#ifndef SEEDTUNE_CONFIG_SPACES_TESTING_KERNELS_H_
#define SEEDTUNE_CONFIG_SPACES_TESTING_KERNELS_H_

#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Of "matmul:16x64x64:f32". A short form that cannot be read fails the test.
inline std::vector<MatmulFact> FactsOf(std::string_view short_form) {
  const auto spec = ParseMatmulShortForm(short_form);
  if (!spec.ok()) {
    ADD_FAILURE() << spec.status();
    return {};
  }
  const auto kernel = BuildMatmul(*spec);
  if (!kernel.ok()) {
    ADD_FAILURE() << kernel.status();
    return {};
  }
  return ExtractMatmulFacts(*kernel);
}

// The device of specs/<name>.textproto.
inline HardwareInfo Device(std::string_view name) {
  const auto device = FindSpec(name);
  if (!device.ok()) {
    ADD_FAILURE() << device.status();
    return {};
  }
  return *device;
}

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_TESTING_KERNELS_H_
