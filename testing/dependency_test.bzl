"""Tests that say which dependencies must not be. They read the build graph; nothing of the targets is built."""

# A folder may depend only on folders that stand before it, and none of the last row on another of it.
_LAYERS = [
    ["util"],
    ["hardware"],
    ["ir"],
    ["matmul_ops"],
    ["config"],
    ["heuristics"],
    ["autotuner"],
    ["backends"],
    ["benchmarks", "capi", "tools"],
]

# What the order of the folders does not say: the engine is given its heuristics (through //heuristics:registry) and its
# spaces and knows none by name; a backend measures for any search.
_ALSO_FORBIDDEN = {
    "autotuner": [
        "//config/spaces/...",
        "//heuristics/cpu/...",
        "//heuristics/cute/...",
        "//heuristics/triton/...",
        "//heuristics:builtin",
    ],
    "backends": ["//autotuner/search/..."],
}

_CHECKED_KINDS = ["cc_binary", "cc_library", "cc_proto_library", "proto_library"]

def dependency_list(name, targets, **kwargs):
    """Writes the labels of all that `targets` need, themselves included, one a line; tools that only build left out."""
    targets = [str(Label(target)) if target.startswith("@") else target for target in targets]
    native.genquery(
        name = name,
        expression = "deps(set(%s))" % " ".join(targets),
        opts = ["--noimplicit_deps", "--notool_deps"],
        scope = targets,
        testonly = True,
        visibility = ["//visibility:private"],
        **kwargs
    )

def assert_no_dep(name, target, forbidden, **kwargs):
    """A test that fails if something is needed that must not be.

    Args:
      name: The test.
      target: An absolute label ("//autotuner:tuner"), or a list of them.
      forbidden: An absolute label, or "//folder/..." for a folder with all below it, or a list of such. `target` itself
        is not held against it.
      **kwargs: As of sh_test.
    """
    targets = [target] if type(target) == "string" else target
    dependency_list(name + "_deps", targets)
    native.sh_test(
        name = name,
        size = "small",
        srcs = ["//testing:no_dependency.sh"],
        args = ["$(rootpath :%s_deps)" % name] + ([forbidden] if type(forbidden) == "string" else forbidden),
        data = [":%s_deps" % name],
        tags = kwargs.pop("tags", []) + ["layering"],
        **kwargs
    )

def forbidden_to(folder):
    """What the layers of DESIGN.md forbid to what stands in `folder`, as assert_no_dep takes it."""
    forbidden = []
    reached = False
    for layer in _LAYERS:
        if reached or folder in layer:
            reached = True
            forbidden += ["//%s/..." % other for other in layer if other != folder]
    if not reached:
        fail("%s is in no layer of testing/dependency_test.bzl" % folder)
    return forbidden + _ALSO_FORBIDDEN.get(folder, [])

def layering_test(name = "layering_test"):
    """Tests that the libraries and programs above it in this BUILD file depend only on lower layers.

    Call it at the end. Targets that are testonly are free to use everything.
    """
    package = native.package_name()
    targets = [
        "//%s:%s" % (package, rule["name"])
        for rule in native.existing_rules().values()
        if rule["kind"] in _CHECKED_KINDS and not rule.get("testonly")
    ]
    assert_no_dep(name = name, forbidden = forbidden_to(package.split("/")[0]), target = targets)
