"""Finds installed libraries with pkg-config and makes each an external repository of cc_library targets.

Everything comes from the distribution's packages (debian-packages.txt): nothing is downloaded. Headers that stand in
the compiler's own search path are left there, so they never warn. Static archives are preferred.
"""

# Parts of the C and C++ runtimes: always linked by name, dynamically.
_RUNTIME_LIBRARIES = ["atomic", "c", "dl", "gcc_s", "gfortran", "m", "pthread", "rt", "stdc++"]

_SYSTEM_INCLUDE_DIRS = ["/usr/include", "/usr/local/include"]

def execute(rctx, command):
    """Runs `command`; returns its standard output without blanks at the ends, or None if it failed."""
    if not rctx.which(command[0]):
        return None
    result = rctx.execute(command)
    return result.stdout.strip() if result.return_code == 0 else None

def fail_missing(what, debian_package):
    fail("%s is not installed; install the Debian package \"%s\" (./bazelw does)" % (what, debian_package))

def compiler(rctx):
    """The C compiler that Bazel's toolchain uses too."""
    return rctx.os.environ.get("CC", "gcc")

def find_library_file(rctx, file_name, directories = []):
    """The path of `file_name` (such as "libz.a") in `directories` or where the compiler looks, or None."""
    for directory in directories:
        candidate = rctx.path(directory + "/" + file_name)
        if candidate.exists:
            return str(candidate)
    found = execute(rctx, [compiler(rctx), "-print-file-name=" + file_name])
    return found if found and found.startswith("/") else None

def require_pkg_config(rctx):
    if not rctx.which("pkg-config"):
        fail_missing("pkg-config", "pkg-config")

def _pkg_config(rctx, modules, debian_package):
    """The flags of `modules` as a struct: defines, include_dirs, library_dirs, libraries."""
    require_pkg_config(rctx)
    static = [] if rctx.attr.shared else ["--static"]  # adds what the archives themselves need
    result = rctx.execute(["pkg-config", "--cflags", "--libs"] + static + modules)
    if result.return_code != 0:
        fail_missing("pkg-config module \"%s\"" % " ".join(modules), debian_package)
    flags = struct(defines = [], include_dirs = [], library_dirs = [], libraries = [])
    for flag in result.stdout.split(" "):
        flag = flag.strip()
        if flag.startswith("-D"):
            flags.defines.append(flag[2:])
        elif flag.startswith("-I"):
            flags.include_dirs.append(flag[2:].rstrip("/"))
        elif flag.startswith("-L"):
            flags.library_dirs.append(flag[2:].rstrip("/"))
        elif flag.startswith("-l"):
            flags.libraries.append(flag[2:])
        elif flag == "-pthread":
            flags.libraries.append("pthread")
    return flags

def _unique(items):
    return {item: None for item in items}.keys()

def _target(rctx, name, modules, libraries):
    """The text of one cc_library, its archives symlinked into the repository."""
    defines, include_dirs, library_dirs = [], [], []
    if modules:
        flags = _pkg_config(rctx, modules, rctx.attr.debian_package)
        defines = flags.defines
        include_dirs = flags.include_dirs
        library_dirs = flags.library_dirs
        libraries = flags.libraries + libraries
    defines = [define for define in defines if define not in rctx.attr.drop_defines]

    srcs, linkopts = [], []
    for library in _unique(libraries):
        if library in rctx.attr.drop_libraries:
            continue
        archive = None
        if library not in _RUNTIME_LIBRARIES and not rctx.attr.shared:
            archive = find_library_file(rctx, "lib%s.a" % library, library_dirs)
        if archive:
            link = "lib/lib%s.a" % library
            if not rctx.path(link).exists:
                rctx.symlink(archive, link)
            srcs.append(link)
        else:
            shared = find_library_file(rctx, "lib%s.so" % library, library_dirs)
            if not shared and library not in _RUNTIME_LIBRARIES:
                fail_missing("lib%s" % library, rctx.attr.debian_package)
            linkopts.append("-l" + library)
    linkopts = ["-L" + d for d in _unique(library_dirs) if linkopts and not d.startswith("/usr/lib/")] + linkopts

    includes, hdrs = [], []
    for directory in _unique(include_dirs):
        if directory not in _SYSTEM_INCLUDE_DIRS:
            link = "include%d" % len(includes)
            if not rctx.path(link).exists:
                rctx.symlink(directory, link)
            includes.append(link)
            hdrs.append(link + "/**")

    return """
cc_library(
    name = "{name}",
    srcs = {srcs},
    hdrs = glob({hdrs}),
    defines = {defines},
    includes = {includes},
    linkopts = {linkopts},
    linkstatic = True,
    deps = {deps},
)
""".format(
        name = name,
        srcs = srcs,
        hdrs = hdrs,
        defines = _unique(defines + rctx.attr.defines),
        includes = includes,
        linkopts = linkopts,
        deps = rctx.attr.deps.get(name, []),
    )

def _pkg_config_repository_impl(rctx):
    if rctx.attr.header and not rctx.path(rctx.attr.header).exists:
        fail_missing(rctx.attr.header, rctx.attr.debian_package)
    build = "package(default_visibility = [\"//visibility:public\"])\n"
    for name in _unique(rctx.attr.modules.keys() + rctx.attr.libraries.keys()):
        build += _target(rctx, name, rctx.attr.modules.get(name, []), rctx.attr.libraries.get(name, []))
    rctx.file("BUILD.bazel", build)

pkg_config_repository = repository_rule(
    implementation = _pkg_config_repository_impl,
    attrs = {
        "debian_package": attr.string(mandatory = True, doc = "What to install when something is missing."),
        "defines": attr.string_list(doc = "Defines for every user of the library."),
        "deps": attr.string_list_dict(doc = "Target name -> labels that it depends on."),
        "drop_defines": attr.string_list(doc = "Defines of the .pc file to leave out."),
        "drop_libraries": attr.string_list(doc = "Libraries of the .pc file to leave out."),
        "header": attr.string(doc = "A file that must exist, for packages without a .pc file."),
        "libraries": attr.string_list_dict(doc = "Target name -> libraries that no .pc file names."),
        "modules": attr.string_list_dict(doc = "Target name -> pkg-config modules."),
        "shared": attr.bool(doc = "Link shared libraries even where static archives exist."),
    },
    configure = True,
    environ = ["CC", "PKG_CONFIG_PATH"],
    local = True,
)
