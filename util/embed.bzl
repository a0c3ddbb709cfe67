"""Textproto files compiled into the program, so that nothing is opened when it runs."""

load("@rules_cc//cc:defs.bzl", "cc_library")

def embed_textproto(name, srcs, function, validator = None, visibility = None, testonly = None):
    """Makes the cc_library `name` and its header <name>.h, which declares, in namespace seedtune,

        std::span<const EmbeddedFile> <function>();

    over `srcs`, sorted by name (the file's name without ".textproto"; util/embedded_file.h). No two may share a name.

    Args:
      name: The library and the header, such as "embedded_specs".
      srcs: Textproto files, usually glob(["*.textproto"]); may be none.
      function: The C++ function, such as "EmbeddedSpecs".
      validator: Optionally the label of a program. It is called with the paths of all files, before anything is made of
        them; the build fails, and shows what it printed, unless it exits with 0.
      visibility: As usual.
      testonly: As usual.
    """
    header = name + ".h"
    source = name + ".cc"
    check = "$(execpath %s) $(SRCS) && " % validator if validator else ""
    native.genrule(
        name = name + "_source",
        testonly = testonly,
        srcs = srcs,
        outs = [header, source],
        cmd = check + "$(execpath //util:embed_files) $(execpath %s) $(execpath %s) %s/%s %s $(SRCS)" % (
            header,
            source,
            native.package_name(),
            header,
            function,
        ),
        tools = ["//util:embed_files"] + ([validator] if validator else []),
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        testonly = testonly,
        srcs = [source],
        hdrs = [header],
        visibility = visibility,
        deps = ["//util:embedded_file"],
    )
