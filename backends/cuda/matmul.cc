#include "backends/cuda/matmul.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "autotuner/record_key.h"
#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/kernels/generate.h"
#include "backends/cuda/nvrtc.h"
#include "config/config_io.h"
#include "config/spaces/spaces.h"
#include "hardware/cuda_detector.h"
#include "hardware/real_system_reader.h"
#include "heuristics/default_config.h"
#include "ir/fingerprint.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<CudaMatmulAnswer> AnswerCudaMatmul(const Kernel& kernel, const MeasurerInfo& info,
                                                  const HeuristicRegistry& heuristics,
                                                  Database* database) {
  if (database != nullptr) {
    const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
    SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const ConfigSpace> space,
                              BuildConfigSpace(info.backend, facts, info.device));
    SEEDTUNE_ASSIGN_OR_RETURN(const LookupResult found,
                              database->Lookup(MakeRecordKey(kernel, *space, info)));
    if (found.record) {
      // The key holds the space's id, so the record is of this very space.
      SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig partial,
                                PartialConfigFromJson(found.record->config_json));
      SEEDTUNE_ASSIGN_OR_RETURN(Config config, space->Normalize(partial, NormalizeMode::kReject));
      return CudaMatmulAnswer{std::move(config), "database"};
    }
  }
  SEEDTUNE_ASSIGN_OR_RETURN(UntunedConfig untuned,
                            DefaultConfig(heuristics, info.backend, kernel, info.device));
  return CudaMatmulAnswer{std::move(untuned.config), std::move(untuned.origin)};
}

absl::Status CudaMatmul::Run(std::span<const CuDevicePointer> tensors, CuStream stream) {
  if (tensors.size() != kernel_.tensors.size()) {
    return absl::InvalidArgumentError(absl::StrCat("kernel \"", kernel_.name,
                                                   "\": ", tensors.size(),
                                                   " addresses, want one for each "
                                                   "of its ",
                                                   kernel_.tensors.size(), " tensors"));
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  auto found = streams_.find(stream);
  if (found == streams_.end()) {
    SEEDTUNE_ASSIGN_OR_RETURN(CudaCandidate candidate,
                              CudaCandidate::Load(device_, kernel_, compiled_, tensors));
    SEEDTUNE_RETURN_IF_ERROR(device_.Synchronize());  // the workspace was cleared on another stream
    found =
        streams_.emplace(stream, OnStream{std::move(candidate), {tensors.begin(), tensors.end()}})
            .first;
  }
  OnStream& here = found->second;
  if (!std::equal(tensors.begin(), tensors.end(), here.tensors.begin(), here.tensors.end())) {
    SEEDTUNE_RETURN_IF_ERROR(here.candidate.Bind(tensors));
    here.tensors.assign(tensors.begin(), tensors.end());
  }
  return here.candidate.Launch(stream);
}

absl::StatusOr<std::unique_ptr<CudaMatmuls>> CudaMatmuls::Create(
    const HeuristicRegistry& heuristics, CudaMatmulsOptions options) {
  std::unique_ptr<CudaMatmuls> matmuls(new CudaMatmuls(heuristics));
  const DetectedHardware detected = DetectCuda(*NewRealSystemReader());
  if (options.device < 0 || options.device >= static_cast<int>(detected.devices.size())) {
    return absl::NotFoundError(absl::StrCat(
        "no CUDA device ", options.device, " here, there are ", detected.devices.size(),
        detected.notes.empty() ? "" : absl::StrCat(" (", detected.notes[0], ")")));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<const Nvrtc> nvrtc, Nvrtc::Open());
  CubinCache::Options cache;
  cache.folder = std::move(options.cache_folder);
  matmuls->compiler_ = std::make_unique<const CudaCompiler>(std::move(nvrtc), std::move(cache));
  matmuls->info_ =
      CudaMeasurerInfo(detected.devices[options.device], matmuls->compiler_->version());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::Open());
  int driver_version = 0;
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check("cuDriverGetVersion", driver->functions().driver_get_version(&driver_version)));
  SEEDTUNE_RETURN_IF_ERROR(matmuls->compiler_->CheckDriver(driver_version));
  SEEDTUNE_ASSIGN_OR_RETURN(matmuls->device_, CudaDevice::Open(driver, options.device));
  if (!options.database_path.empty()) {
    absl::StatusOr<std::unique_ptr<Database>> database =
        Database::Open(options.database_path, {.mode = Database::Mode::kReadOnly});
    if (!database.ok() && !absl::IsNotFound(database.status())) return database.status();
    if (database.ok()) matmuls->database_ = *std::move(database);
  }
  return matmuls;
}

absl::StatusOr<CudaMatmul*> CudaMatmuls::Find(const Kernel& kernel) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string fingerprint = KernelFingerprint(kernel);
  if (const auto found = matmuls_.find(fingerprint); found != matmuls_.end()) {
    return found->second.get();
  }
  SEEDTUNE_RETURN_IF_ERROR(SupportsCudaKernel(kernel, info_.device));
  SEEDTUNE_ASSIGN_OR_RETURN(CudaMatmulAnswer answer,
                            AnswerCudaMatmul(kernel, info_, heuristics_, database_.get()));
  SEEDTUNE_ASSIGN_OR_RETURN(CompiledCudaProgram compiled,
                            CompileCudaCandidate(*compiler_, kernel, answer.config, info_.device));
  auto& made = matmuls_[fingerprint];
  made = std::make_unique<CudaMatmul>(*device_, kernel, std::move(answer), std::move(compiled));
  return made.get();
}

}  // namespace seedtune
