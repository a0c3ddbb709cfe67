"""Every external repository, each under the name that everyone gives it.

A workspace that defines one of these names before calling seedtune_repositories() keeps its own.
"""

load(":abseil.bzl", "abseil_repository")
load(":bazel_parts.bzl", "COVERAGE_TOOLS_FILES", "RULES_CC_FILES", "generated_files", "installed_folder")
load(":cuda.bzl", "cuda_repository")
load(":pkg_config.bzl", "pkg_config_repository")
load(":protobuf.bzl", "protobuf_repository")

def _maybe(rule, name, **kwargs):
    if not native.existing_rule(name):
        rule(name = name, **kwargs)

def seedtune_repositories():
    _maybe(generated_files, "rules_cc", files = RULES_CC_FILES)
    _maybe(generated_files, "remote_coverage_tools", files = COVERAGE_TOOLS_FILES)
    _maybe(
        installed_folder,
        "rules_proto",
        debian_package = "bazel-rules-proto",
        path = "/usr/share/bazel/rules/proto",
    )
    _maybe(
        installed_folder,
        "rules_java",
        debian_package = "bazel-rules-java",
        path = "/usr/share/bazel/rules/java",
    )
    _maybe(
        installed_folder,
        "bazel_skylib",
        debian_package = "bazel-skylib",
        path = "/usr/share/bazel/tools/skylib",
    )
    _maybe(
        installed_folder,
        "platforms",
        debian_package = "bazel-platforms",
        path = "/usr/share/bazel/platforms",
    )

    _maybe(abseil_repository, "com_google_absl")
    _maybe(cuda_repository, "cuda")
    _maybe(protobuf_repository, "com_google_protobuf")
    _maybe(
        pkg_config_repository,
        "com_google_googletest",
        debian_package = "libgmock-dev",
        deps = {"gtest_main": [":gtest"]},
        libraries = {"gtest_main": ["gmock_main"]},
        modules = {"gtest": ["gmock"]},
    )
    _maybe(
        pkg_config_repository,
        "com_google_benchmark",
        debian_package = "libbenchmark-dev",
        deps = {"benchmark_main": [":benchmark"]},
        libraries = {"benchmark_main": ["benchmark_main"]},
        modules = {"benchmark": ["benchmark"]},
    )
    _maybe(
        pkg_config_repository,
        "cli11",
        debian_package = "libcli11-dev",
        modules = {"cli11": ["CLI11"]},
    )
    _maybe(
        pkg_config_repository,
        "cpu_features",
        debian_package = "libcpu-features-dev",
        header = "/usr/include/cpu_features/cpu_features_macros.h",
        libraries = {"cpu_features": ["cpu_features"]},
    )
    _maybe(
        pkg_config_repository,
        "highway",
        debian_package = "libhwy-dev",
        modules = {"hwy": ["libhwy"]},
    )
    _maybe(
        pkg_config_repository,
        "hwloc",
        debian_package = "libhwloc-dev",
        deps = {"hwloc": ["@seedtune//third_party/hwloc:no_udev"]},
        drop_libraries = ["udev"],
        modules = {"hwloc": ["hwloc"]},
    )
    _maybe(
        pkg_config_repository,
        "nlohmann_json",
        debian_package = "nlohmann-json3-dev",
        modules = {"json": ["nlohmann_json"]},
    )
    _maybe(
        pkg_config_repository,
        "onednn",
        debian_package = "libdnnl-dev",
        header = "/usr/include/oneapi/dnnl/dnnl.hpp",
        libraries = {"onednn": ["dnnl"]},
        shared = True,
    )
    _maybe(
        pkg_config_repository,
        "openblas",
        debian_package = "libopenblas-dev",
        modules = {"openblas": ["openblas"]},
        shared = True,
    )
    _maybe(
        pkg_config_repository,
        "sqlite3",
        debian_package = "libsqlite3-dev",
        modules = {"sqlite3": ["sqlite3"]},
    )
    _maybe(
        pkg_config_repository,
        "xxhash",
        debian_package = "libxxhash-dev",
        defines = ["XXH_INLINE_ALL"],
        drop_libraries = ["xxhash"],
        modules = {"xxhash": ["libxxhash"]},
    )
    _maybe(
        pkg_config_repository,
        "zlib",
        debian_package = "zlib1g-dev",
        modules = {"zlib": ["zlib"]},
    )
