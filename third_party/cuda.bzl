"""@cuda: the CUDA toolkit's headers, where there is one.

Nothing of Seedtune needs them: what it calls of NVIDIA's libraries is declared in backends/cuda/*_abi.h, and the
libraries are opened when the program runs, so that every build has the cuda backend. A test compares those declarations
with the toolkit's own where there is one: `load("@cuda//:toolkit.bzl", "HAS_TOOLKIT")`.
"""

_FOLDERS = ["/usr/local/cuda/include", "/opt/cuda/include"]

_NEEDED = ["cuda.h", "nvrtc.h", "cublasLt.h"]

def _has_all(rctx, folder):
    for header in _NEEDED:
        if not rctx.path(folder + "/" + header).exists:
            return False
    return True

def _cuda_repository_impl(rctx):
    folders = list(_FOLDERS)
    for variable in ["CUDA_PATH", "CUDA_HOME"]:
        if rctx.os.environ.get(variable):
            folders.insert(0, rctx.os.environ[variable] + "/include")
    found = ""
    for folder in folders + ["/usr/include"]:  # the last: Debian's nvidia-cuda-toolkit
        if _has_all(rctx, folder):
            found = folder
            break
    hdrs, includes = [], []
    if found and found != "/usr/include":
        rctx.symlink(found, "include")
        hdrs = ["include/*.h", "include/*.hpp", "include/crt/**", "include/nv/**"]
        includes = ["include"]
    rctx.file("toolkit.bzl", "HAS_TOOLKIT = %s\n" % bool(found))
    rctx.file("BUILD.bazel", """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "headers",
    hdrs = glob({hdrs}),
    includes = {includes},
)
""".format(hdrs = hdrs, includes = includes))

cuda_repository = repository_rule(
    implementation = _cuda_repository_impl,
    configure = True,
    environ = ["CUDA_HOME", "CUDA_PATH"],
    local = True,
)
