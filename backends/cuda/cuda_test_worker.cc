// The worker process of tests: what `seedtune` is to itself.
#include "backends/cuda/cuda_measurer.h"
#include "backends/worker/worker_loop.h"
#include "backends/worker/worker_process.h"

int main() { return seedtune::RunWorker(seedtune::kWorkerSocket, seedtune::MakeCudaWorkerBackend); }
