// A machine made up or recorded, for tests.
#ifndef SEEDTUNE_HARDWARE_FAKE_SYSTEM_READER_H_
#define SEEDTUNE_HARDWARE_FAKE_SYSTEM_READER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hardware/cuda_api.h"
#include "hardware/hip_api.h"
#include "hardware/recorded_machine.pb.h"
#include "hardware/system_reader.h"

namespace seedtune {

// Begins as a machine with nothing: no file, no topology, no library. Thread-compatible.
class FakeSystemReader : public SystemReader {
 public:
  FakeSystemReader() = default;

  // The machine recorded in `folder`: machine.textproto, and if they are there topology.xml and the
  // files under root/. Errors: of reading or parsing them.
  static absl::StatusOr<FakeSystemReader> Load(std::string_view folder);

  void SetFile(std::string_view path, std::string_view contents);
  void RemoveFile(std::string_view path);
  // Reading `path` fails so, as a file does that one may see and not open.
  void SetFileError(std::string_view path, absl::Status error);
  void SetTopologyXml(std::string_view xml);
  // Its members that are unset are not there.
  RecordedMachine& machine() { return machine_; }
  // What opening the libraries gives instead of what the recording says.
  void SetCudaError(absl::Status error) { cuda_error_ = std::move(error); }
  void SetHipError(absl::Status error) { hip_error_ = std::move(error); }

  absl::StatusOr<std::string> ReadFile(std::string_view path) const override;
  absl::StatusOr<std::vector<std::string>> ListFolder(std::string_view path) const override;
  absl::StatusOr<std::string> TopologyXml() const override;
  absl::StatusOr<CpuIdentity> ReadCpuIdentity() const override;
  // The APIs hold copies: the reader may change or go.
  absl::StatusOr<std::unique_ptr<CudaApi>> OpenCuda() const override;
  absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvml() const override;
  absl::StatusOr<std::unique_ptr<HipApi>> OpenHip() const override;

 private:
  std::map<std::string, absl::StatusOr<std::string>, std::less<>> files_;
  std::string topology_xml_;
  RecordedMachine machine_;
  absl::Status cuda_error_;
  absl::Status hip_error_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_FAKE_SYSTEM_READER_H_
