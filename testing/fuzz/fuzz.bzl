"""One entry function, run two ways: over a small corpus as a test, and by libFuzzer."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

def fuzz_target(name, corpus, deps):
    """Makes `<name>_corpus_test`, which needs no fuzzer, and `<name>_fuzzer`, for --config=fuzz only.

    Args:
      name: `<name>_entry.cc` defines LLVMFuzzerTestOneInput.
      corpus: Files, each an input.
      deps: What the entry function needs.
    """
    cc_library(
        name = name + "_entry",
        testonly = True,
        srcs = [name + "_entry.cc"],
        visibility = ["//visibility:private"],
        deps = deps,
    )
    cc_test(
        name = name + "_corpus_test",
        size = "small",
        srcs = ["corpus_main.cc"],
        args = ["$(rootpath %s)" % file for file in corpus],
        data = corpus,
        deps = [":%s_entry" % name],
    )
    cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer"],
        tags = ["manual"],
        deps = [":%s_entry" % name],
    )
