"""How a program is linked that goes to other machines."""

# Link options of a cc_binary that runs without the C++ runtime of the machine that built it, and that finds what it does
# link dynamically (Highway) beside itself first. Abseil, Protobuf and the like are static everywhere. Sanitizers need
# the shared runtime.
SHIPPED_LINKOPTS = select({
    "//third_party:sanitizer": [],
    "//conditions:default": [
        "-l:libstdc++.a",
        "-static-libgcc",
        "-Wl,-rpath,$$ORIGIN",
        "-Wl,--as-needed",  # Bazel adds -lstdc++ after this.
    ],
})
