"""@com_google_protobuf from the installed packages: the runtime, the compiler, and what cc_proto_library asks for."""

load(":pkg_config.bzl", "fail_missing", "find_library_file", "require_pkg_config")

_BUILD = """load("@rules_proto//proto:defs.bzl", "proto_library")

package(default_visibility = ["//visibility:public"])

cc_library(
    name = "protobuf",
    srcs = {archives},
    linkopts = ["-pthread"],
    linkstatic = True,
    deps = {deps},
)

sh_binary(
    name = "protoc",
    srcs = ["bin/protoc"],
)

# Objects of any shape; its C++ is part of the runtime.
proto_library(
    name = "struct_proto",
    srcs = ["google/protobuf/struct.proto"],
)

proto_lang_toolchain(
    name = "cc_toolchain",
    blacklisted_protos = [":struct_proto"],
    command_line = "--cpp_out=$(OUT)",
    runtime = ":protobuf",
)
"""

def _protobuf_repository_impl(rctx):
    require_pkg_config(rctx)
    protoc = rctx.which("protoc")
    if not protoc:
        fail_missing("protoc", "protobuf-compiler")
    rctx.symlink(protoc, "bin/protoc")
    include = rctx.execute(["pkg-config", "--variable=includedir", "protobuf"]).stdout.strip()
    rctx.symlink(include + "/google/protobuf/struct.proto", "google/protobuf/struct.proto")

    result = rctx.execute(["pkg-config", "--libs", "--static", "protobuf"])
    if result.return_code != 0:
        fail_missing("Protobuf (pkg-config module \"protobuf\")", "libprotobuf-dev")
    archives, deps = [], []
    for flag in result.stdout.strip().split(" "):
        if flag.startswith("-labsl_"):  # From Protobuf 22 on.
            deps.append("@com_google_absl//:" + flag[2:])
        elif flag.startswith("-l") and flag != "-lpthread":
            archive = find_library_file(rctx, "lib%s.a" % flag[2:])
            if archive:
                rctx.symlink(archive, "lib/lib%s.a" % flag[2:])
                archives.append("lib/lib%s.a" % flag[2:])
            else:
                fail_missing("lib%s.a" % flag[2:], "libprotobuf-dev")
    rctx.file("BUILD.bazel", _BUILD.format(archives = archives, deps = deps))

protobuf_repository = repository_rule(
    implementation = _protobuf_repository_impl,
    configure = True,
    environ = ["CC", "PKG_CONFIG_PATH"],
    local = True,
)
