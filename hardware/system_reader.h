// All that detection may look at. Detectors take one, so that tests replay recorded machines;
// main() makes the real one (real_system_reader.h) and passes it down.
#ifndef SEEDTUNE_HARDWARE_SYSTEM_READER_H_
#define SEEDTUNE_HARDWARE_SYSTEM_READER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hardware/cuda_api.h"
#include "hardware/hip_api.h"

namespace seedtune {

// What a processor says of itself. 0 and "" mean: not told.
struct CpuIdentity {
  std::string vendor;  // x86: "GenuineIntel", "AuthenticAMD"; Arm: "arm"
  std::string brand;   // "AMD EPYC 9654 96-Core Processor"

  // x86: as CPUID leaf 1 gives them, extended parts added in.
  int family = 0;
  int model = 0;
  int stepping = 0;

  // Arm: fields of MIDR_EL1.
  int implementer = 0;
  int part = 0;

  // Instruction sets that the processor has and the operating system lets processes use, by
  // cpu_features' names ("avx2", "avx512vnni") or Linux's.
  std::vector<std::string> features;
};

// Thread-safe implementations are expected: all is const.
class SystemReader {
 public:
  virtual ~SystemReader() = default;

  // The whole of a file, by its absolute path. kNotFound: there is none.
  virtual absl::StatusOr<std::string> ReadFile(std::string_view path) const = 0;
  // The names in a folder, sorted, without "." and "..". kNotFound: there is none.
  virtual absl::StatusOr<std::vector<std::string>> ListFolder(std::string_view path) const = 0;

  // The topology that this process may run on as hwloc writes it in XML: processors that its cpuset
  // or its CPU affinity forbid are left out.
  virtual absl::StatusOr<std::string> TopologyXml() const = 0;
  // kUnimplemented: no way to ask this kind of processor.
  virtual absl::StatusOr<CpuIdentity> ReadCpuIdentity() const = 0;

  // Open and initialise a vendor's library. kNotFound: it is not installed. kUnavailable: it is and
  // finds no device or no driver. The message is one line and fit for people.
  virtual absl::StatusOr<std::unique_ptr<CudaApi>> OpenCuda() const = 0;
  virtual absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvml() const = 0;
  virtual absl::StatusOr<std::unique_ptr<HipApi>> OpenHip() const = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_SYSTEM_READER_H_
