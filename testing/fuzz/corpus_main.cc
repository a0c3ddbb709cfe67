// Runs a fuzz target's entry function over the files named as arguments, and over each of them cut
// short and with single bytes changed: what a fuzzer does, little and always the same.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "%s: no files, want a corpus\n", argv[0]);
    return 2;
  }
  for (int i = 1; i < argc; ++i) {
    std::ifstream file(argv[i], std::ios::binary);
    if (!file) {
      std::fprintf(stderr, "%s: cannot read\n", argv[i]);
      return 1;
    }
    std::string input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    RunOne(input);
    const size_t step = input.size() / 400 + 1;
    for (size_t at = 0; at < input.size(); at += step) {
      RunOne(input.substr(0, at));
      const char was = input[at];
      for (const char other : {'0', '9', '"', '(', ']', '-', ' ', '\xff'}) {
        input[at] = other;
        RunOne(input);
      }
      input[at] = was;
    }
  }
  return 0;
}
