"""@cuda: the CUDA toolkit's headers, where there is one.

Nothing of Seedtune needs them: what it calls of NVIDIA's libraries is declared in backends/cuda/*_abi.h, and the
libraries are opened when the program runs, so that every build has the cuda backend. A test compares those declarations
with the toolkit's own where there is one: `load("@cuda//:toolkit.bzl", "HAS_TOOLKIT")`.
"""

_FOLDERS = ["/usr/local/cuda/include", "/opt/cuda/include"]

_NEEDED = ["cuda.h", "nvrtc.h", "cublasLt.h"]

# Older ones lack some of what is declared.
_OLDEST_RELEASE = 12

def _release(rctx, folder):
    """The major release of the toolkit with headers in `folder`; 0: there is none."""
    for header in _NEEDED:
        if not rctx.path(folder + "/" + header).exists:
            return 0
    for line in rctx.read(folder + "/cuda.h").split("\n"):
        words = [word for word in line.split(" ") if word]
        if words[:2] == ["#define", "CUDA_VERSION"]:
            return int(words[2]) // 1000
    return 0

def _cuda_repository_impl(rctx):
    folders = list(_FOLDERS)
    for variable in ["CUDA_PATH", "CUDA_HOME"]:
        if rctx.os.environ.get(variable):
            folders.insert(0, rctx.os.environ[variable] + "/include")
    found = ""
    for folder in folders + ["/usr/include"]:  # the last: Debian's nvidia-cuda-toolkit
        if _release(rctx, folder) >= _OLDEST_RELEASE:
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
