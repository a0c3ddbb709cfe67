// An NVRTC for tests of faults: a shared library that does to each program what the file
// $FAULTY_NVRTC names says, by its first word:
//
//   ok               compile it as it stands
//   crash, hang      of the compiler itself
//   illegal_address, misaligned_address, launch_failure, endless, wrong_result
//                    of the kernel: every one of them starts with it
//   mixed            an illegal address in about one program of forty, by its text; else ok
//
// It hands on to the library $REAL_NVRTC names; without one, it "compiles" to the word itself. The
// reference's program is never touched.
#include <dlfcn.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <string>

namespace {

struct Program {
  void* real = nullptr;
  std::string log = "ptxas info    : Compiling entry function 'faulty' for 'sm_90a'\n";
};

std::string Mode() {
  std::string word = "ok";
  if (const char* path = std::getenv("FAULTY_NVRTC")) std::ifstream(path) >> word;
  return word;
}

void* Real(const char* symbol) {
  const char* path = std::getenv("REAL_NVRTC");
  if (path == nullptr || *path == '\0') return nullptr;
  static void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return library == nullptr ? nullptr : dlsym(library, symbol);
}

// What goes before the program, and what goes first into each kernel.
std::string Preamble() { return "__device__ int faulty_words[4];\n"; }

std::string Fault(const std::string& mode) {
  if (mode == "illegal_address") return "*(volatile int*)16 = 1;";
  if (mode == "misaligned_address") return "*(volatile int*)((char*)faulty_words + 1) = 1;";
  if (mode == "launch_failure") return "asm volatile(\"trap;\");";
  if (mode == "endless") return "while (*(volatile int*)faulty_words == 0) __nanosleep(1000);";
  if (mode == "wrong_result") return "if (blockIdx.x + blockIdx.y + blockIdx.z == 0) return;";
  return "";
}

std::string WithFault(std::string source, const std::string& mode) {
  const bool chosen = mode == "mixed" && std::hash<std::string>()(source) % 40 == 0;
  const std::string fault = Fault(chosen ? "illegal_address" : mode);
  if (fault.empty()) return source;
  size_t at = 0;
  while ((at = source.find("__global__", at)) != std::string::npos) {
    // The kernel's body begins at the first brace behind its list of parameters.
    size_t open = source.find('{', at);
    while (open != std::string::npos && source.find(')', at) > open) {
      open = source.find('{', open + 1);
    }
    if (open == std::string::npos) break;
    source.insert(open + 1, fault);
    at = open;
  }
  return Preamble() + source;
}

}  // namespace

extern "C" {

int nvrtcVersion(int* major, int* minor) {
  if (void* real = Real("nvrtcVersion"))
    return reinterpret_cast<int (*)(int*, int*)>(real)(major, minor);
  *major = 99;
  *minor = 0;
  return 0;
}

const char* nvrtcGetErrorString(int) { return "FAULTY_NVRTC_ERROR"; }

int nvrtcCreateProgram(void** program, const char* source, const char* name, int headers,
                       const char* const* header_sources, const char* const* header_names) {
  auto* made = new Program;
  *program = made;
  void* real = Real("nvrtcCreateProgram");
  if (real == nullptr) return 0;
  std::string text = source;
  // Not what the backend checks and flushes with.
  const bool is_candidate = text.find("namespace matmul_parts") != std::string::npos;
  if (is_candidate) text = WithFault(std::move(text), Mode());
  using Create =
      int (*)(void**, const char*, const char*, int, const char* const*, const char* const*);
  return reinterpret_cast<Create>(real)(&made->real, text.c_str(), name, headers, header_sources,
                                        header_names);
}

int nvrtcDestroyProgram(void** program) {
  auto* made = static_cast<Program*>(*program);
  if (void* real = Real("nvrtcDestroyProgram")) {
    reinterpret_cast<int (*)(void**)>(real)(&made->real);
  }
  delete made;
  *program = nullptr;
  return 0;
}

int nvrtcCompileProgram(void* program, int options, const char* const* values) {
  const std::string mode = Mode();
  if (mode == "crash") abort();
  if (mode == "hang") {
    while (true) pause();
  }
  void* real = Real("nvrtcCompileProgram");
  if (real == nullptr) return 0;
  return reinterpret_cast<int (*)(void*, int, const char* const*)>(real)(
      static_cast<Program*>(program)->real, options, values);
}

int nvrtcGetCUBINSize(void* program, size_t* bytes) {
  if (void* real = Real("nvrtcGetCUBINSize")) {
    return reinterpret_cast<int (*)(void*, size_t*)>(real)(static_cast<Program*>(program)->real,
                                                           bytes);
  }
  *bytes = std::strlen("cubin");
  return 0;
}

int nvrtcGetCUBIN(void* program, char* cubin) {
  if (void* real = Real("nvrtcGetCUBIN")) {
    return reinterpret_cast<int (*)(void*, char*)>(real)(static_cast<Program*>(program)->real,
                                                         cubin);
  }
  std::memcpy(cubin, "cubin", std::strlen("cubin"));
  return 0;
}

int nvrtcGetProgramLogSize(void* program, size_t* bytes) {
  auto* made = static_cast<Program*>(program);
  if (void* real = Real("nvrtcGetProgramLogSize")) {
    return reinterpret_cast<int (*)(void*, size_t*)>(real)(made->real, bytes);
  }
  *bytes = made->log.size();
  return 0;
}

int nvrtcGetProgramLog(void* program, char* log) {
  auto* made = static_cast<Program*>(program);
  if (void* real = Real("nvrtcGetProgramLog")) {
    return reinterpret_cast<int (*)(void*, char*)>(real)(made->real, log);
  }
  std::memcpy(log, made->log.data(), made->log.size());
  return 0;
}

}  // extern "C"
