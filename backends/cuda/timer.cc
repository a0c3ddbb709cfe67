#include "backends/cuda/timer.h"

#include <cstdint>
#include <string>
#include <utility>

#include "backends/cuda/compiler.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/embedded_flush.h"
#include "util/embedded_file.h"
#include "util/status_macros.h"

namespace seedtune {

namespace {

constexpr int64_t kChunkBytes = 16;
constexpr int64_t kThreads = 256;  // flush.cu
constexpr int64_t kBlocks = 1024;  // enough to have memory busy

}  // namespace

absl::StatusOr<CudaTimer> CudaTimer::Create(const CudaDevice& device, const CudaCompiler& compiler,
                                            const Options& options) {
  CudaTimer timer(device);
  timer.dirty_ = options.dirty;
  SEEDTUNE_ASSIGN_OR_RETURN(
      const CompiledCuda compiled,
      compiler.Compile(std::string(EmbeddedFlush()[0].contents), options.arch));
  SEEDTUNE_ASSIGN_OR_RETURN(timer.module_, device.Load(compiled.cubin));
  SEEDTUNE_ASSIGN_OR_RETURN(timer.read_all_, timer.module_.Function("read_all"));
  SEEDTUNE_ASSIGN_OR_RETURN(timer.buffer_, device.Allocate(options.flush_bytes));
  SEEDTUNE_RETURN_IF_ERROR(device.Fill(timer.buffer_.address(), 0, timer.buffer_.bytes()));
  return timer;
}

absl::Status CudaTimer::Flush() {
  if (dirty_) return device_->Fill(buffer_.address(), 0, buffer_.bytes());
  return Read(buffer_.address(), buffer_.bytes(), device_->stream());
}

absl::Status CudaTimer::Read(CuDevicePointer data, int64_t bytes, CuStream stream) const {
  int64_t chunks = bytes / kChunkBytes;
  void* parameters[] = {&data, &chunks};
  CudaLaunchShape shape;
  shape.grid = {kBlocks, 1, 1};
  shape.block = {kThreads, 1, 1};
  return device_->Launch(read_all_, shape, parameters, stream);
}

absl::Status CudaTimer::NeedEvents(size_t count) {
  while (events_.size() < count) {
    SEEDTUNE_ASSIGN_OR_RETURN(CudaEvent event, device_->NewEvent());
    events_.push_back(std::move(event));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> CudaTimer::Time(const LaunchFunction& launch, int runs,
                                                    double timeout_ns) {
  SEEDTUNE_RETURN_IF_ERROR(NeedEvents(2 * static_cast<size_t>(runs)));
  for (int i = 0; i < runs; ++i) {
    SEEDTUNE_RETURN_IF_ERROR(Flush());
    SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[2 * i]));
    SEEDTUNE_RETURN_IF_ERROR(launch(device_->stream()));
    SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[2 * i + 1]));
  }
  SEEDTUNE_RETURN_IF_ERROR(device_->Wait(events_[2 * runs - 1], timeout_ns));
  std::vector<double> times_ns;
  for (int i = 0; i < runs; ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(const double took_ns,
                              device_->ElapsedNs(events_[2 * i], events_[2 * i + 1]));
    times_ns.push_back(took_ns);
  }
  return times_ns;
}

absl::StatusOr<double> CudaTimer::TimeWarm(const LaunchFunction& launch, double timeout_ns) {
  SEEDTUNE_RETURN_IF_ERROR(NeedEvents(2));
  SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[0]));
  SEEDTUNE_RETURN_IF_ERROR(launch(device_->stream()));
  SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[1]));
  SEEDTUNE_RETURN_IF_ERROR(device_->Wait(events_[1], timeout_ns));
  return device_->ElapsedNs(events_[0], events_[1]);
}

}  // namespace seedtune
