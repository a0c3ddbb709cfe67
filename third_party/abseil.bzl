"""@com_google_absl from the installed package: upstream's labels, made from the installed absl_*.pc files."""

load(":pkg_config.bzl", "execute", "fail_missing", "find_library_file", "require_pkg_config")

_DEBIAN_PACKAGE = "libabsl-dev"

# Upstream's packages and their public targets. A target is made if this release of Abseil has it; its .pc file is
# absl_<target>.pc unless _MODULES says otherwise.
_PACKAGES = {
    "algorithm": ["algorithm", "container"],
    "base": ["base", "config", "core_headers", "dynamic_annotations", "endian", "log_severity", "no_destructor", "nullability", "prefetch"],
    "cleanup": ["cleanup"],
    "container": ["btree", "fixed_array", "flat_hash_map", "flat_hash_set", "inlined_vector", "node_hash_map", "node_hash_set"],
    "debugging": ["failure_signal_handler", "leak_check", "stacktrace", "symbolize"],
    "flags": ["config", "flag", "marshalling", "parse", "reflection", "usage"],
    "functional": ["any_invocable", "bind_front", "function_ref", "overload"],
    "hash": ["hash"],
    "log": ["absl_check", "absl_log", "check", "globals", "initialize", "log", "log_sink"],
    "memory": ["memory"],
    "meta": ["type_traits"],
    "numeric": ["bits", "int128"],
    "random": ["bit_gen_ref", "distributions", "random", "seed_sequences"],
    "status": ["status", "statusor"],
    "strings": ["cord", "str_format", "string_view", "strings"],
    "synchronization": ["synchronization"],
    "time": ["time"],
    "types": ["any", "compare", "optional", "span", "variant"],
    "utility": ["utility"],
}

_MODULES = {
    "algorithm:container": "absl_algorithm_container",
    "flags:config": "absl_flags_config",
    "flags:flag": "absl_flags",
    "flags:marshalling": "absl_flags_marshalling",
    "flags:parse": "absl_flags_parse",
    "flags:reflection": "absl_flags_reflection",
    "flags:usage": "absl_flags_usage",
    "log:globals": "absl_log_globals",
    "log:initialize": "absl_log_initialize",
    "random:bit_gen_ref": "absl_random_bit_gen_ref",
    "random:distributions": "absl_random_distributions",
    "random:random": "absl_random_random",
    "random:seed_sequences": "absl_random_seed_sequences",
}

def _field(text, name):
    """The value of the line "<name>: value" of a .pc file."""
    for line in text.split("\n"):
        if line.startswith(name + ":"):
            return line[len(name) + 1:].strip()
    return ""

def _module_target(rctx, module, text, library_dir):
    deps = [":system"]
    for requirement in _field(text, "Requires").split(","):
        words = requirement.strip().split(" ")
        if words[0].startswith("absl_"):
            deps.append(":" + words[0])
    srcs = []
    for flag in _field(text, "Libs").split(" "):
        if flag.startswith("-labsl_"):
            archive = find_library_file(rctx, "lib%s.a" % flag[2:], [library_dir])
            if not archive:
                fail_missing("lib%s.a" % flag[2:], _DEBIAN_PACKAGE)
            rctx.symlink(archive, "lib/lib%s.a" % flag[2:])
            srcs.append("lib/lib%s.a" % flag[2:])
    return """
cc_library(
    name = "{name}",
    srcs = {srcs},
    linkstatic = True,
    deps = {deps},
)
""".format(name = module, srcs = srcs, deps = deps)

def _abseil_repository_impl(rctx):
    require_pkg_config(rctx)
    pc_dir = execute(rctx, ["pkg-config", "--variable=pcfiledir", "absl_base"])
    library_dir = execute(rctx, ["pkg-config", "--variable=libdir", "absl_base"])
    if not pc_dir:
        fail_missing("Abseil (pkg-config module \"absl_base\")", _DEBIAN_PACKAGE)

    build = """package(default_visibility = ["//visibility:public"])

cc_library(
    name = "system",
    linkopts = [
        "-Wl,--push-state,--as-needed",
        "-latomic",
        "-lrt",
        "-Wl,--pop-state",
        "-pthread",
    ],
)
"""
    modules = {}
    for path in rctx.path(pc_dir).readdir():
        module = path.basename[:-len(".pc")]
        if module.startswith("absl_") and path.basename.endswith(".pc"):
            modules[module] = None
            build += _module_target(rctx, module, rctx.read(path), library_dir)
    rctx.file("BUILD.bazel", build)

    for package, targets in _PACKAGES.items():
        build = "package(default_visibility = [\"//visibility:public\"])\n"
        for target in targets:
            module = _MODULES.get("%s:%s" % (package, target), "absl_" + target)
            if module in modules:
                build += "\nalias(\n    name = \"%s\",\n    actual = \"//:%s\",\n)\n" % (target, module)
        rctx.file("absl/%s/BUILD.bazel" % package, build)

abseil_repository = repository_rule(
    implementation = _abseil_repository_impl,
    configure = True,
    environ = ["CC", "PKG_CONFIG_PATH"],
    local = True,
)
