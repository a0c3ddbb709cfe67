"""The parts of Bazel's own world that would otherwise be downloaded, made from the distribution's packages or here."""

load(":pkg_config.bzl", "fail_missing")

def _installed_folder_impl(rctx):
    folder = rctx.path(rctx.attr.path)
    if not folder.exists:
        fail_missing(rctx.attr.path, rctx.attr.debian_package)
    for entry in folder.readdir():
        rctx.symlink(entry, entry.basename)

# An installed Bazel repository, as it stands.
installed_folder = repository_rule(
    implementation = _installed_folder_impl,
    attrs = {
        "debian_package": attr.string(mandatory = True),
        "path": attr.string(mandatory = True),
    },
    local = True,
)

def _generated_files_impl(rctx):
    for path, content in rctx.attr.files.items():
        rctx.file(path, content)

# A repository of a few small files.
generated_files = repository_rule(
    implementation = _generated_files_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

# Debian's bazel-rules-cc does not load under its own Bazel; the native rules do the work anyway.
RULES_CC_FILES = {
    "cc/BUILD.bazel": "exports_files([\"defs.bzl\"])\n",
    "cc/defs.bzl": "".join([
        "%s = native.%s\n" % (rule, rule)
        for rule in [
            "cc_binary",
            "cc_import",
            "cc_library",
            "cc_proto_library",
            "cc_test",
            "cc_toolchain",
            "cc_toolchain_suite",
        ]
    ]),
}

# bazel test asks for this by name, also when no coverage is wanted.
COVERAGE_TOOLS_FILES = {
    "BUILD.bazel": "filegroup(name = \"coverage_report_generator\", visibility = [\"//visibility:public\"])\n",
}
