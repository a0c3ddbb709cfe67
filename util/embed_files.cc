// Turns text files into C++: embed_files HEADER SOURCE HEADER_INCLUDE FUNCTION [FILE...]
//
// Writes HEADER, which declares `std::span<const seedtune::EmbeddedFile> FUNCTION()`, and SOURCE,
// which defines it over the contents of the FILEs, sorted by name. HEADER_INCLUDE is how SOURCE
// includes HEADER. Runs while building; the rule around it is embed_textproto of embed.bzl.

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct File {
  std::string name;
  std::string path;
  std::string contents;
};

// Without the "bazel-out/<configuration>/bin/" before a generated file, so that outputs depend on
// no configuration.
std::string SourcePath(const std::string& path) {
  if (path.rfind("bazel-out/", 0) != 0) return path;
  size_t start = 0;
  for (int folder = 0; folder < 3; ++folder) start = path.find('/', start) + 1;
  return path.substr(start);
}

// "hardware/specs/h100_sxm.textproto" -> "h100_sxm"
std::string Stem(const std::string& path) {
  const std::string base = path.substr(path.rfind('/') + 1);
  return base.substr(0, base.find('.'));
}

// As one string literal a line, which keeps each short.
std::string Literal(const std::string& text) {
  std::string literal = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      literal += "\\n";
      if (i + 1 < text.size()) literal += "\"\n    \"";
    } else if (c == '"' || c == '\\' || c == '?') {
      literal += '\\';
      literal += text[i];
    } else if (c >= 0x20 && c < 0x7f) {
      literal += text[i];
    } else {
      char octal[5];
      std::snprintf(octal, sizeof(octal), "\\%03o", c);
      literal += octal;
    }
  }
  return literal + "\"";
}

std::string Guard(const std::string& include) {
  std::string guard = "SEEDTUNE_";
  for (const char c : include) {
    guard += std::isalnum(static_cast<unsigned char>(c))
                 ? static_cast<char>(std::toupper(static_cast<unsigned char>(c)))
                 : '_';
  }
  return guard + "_";
}

bool Write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  out.close();
  if (!out) std::cerr << path << ": cannot write\n";
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "usage: embed_files HEADER SOURCE HEADER_INCLUDE FUNCTION [FILE...]\n";
    return 2;
  }
  const std::string include = argv[3];
  const std::string function = argv[4];

  std::vector<File> files;
  for (int i = 5; i < argc; ++i) {
    std::ifstream in(argv[i], std::ios::binary);
    File file = {Stem(argv[i]), SourcePath(argv[i]), {}};
    file.contents.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    if (!in.good() && !in.eof()) {
      std::cerr << argv[i] << ": cannot read\n";
      return 1;
    }
    files.push_back(std::move(file));
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.name < b.name; });
  for (size_t i = 1; i < files.size(); ++i) {
    if (files[i].name == files[i - 1].name) {
      std::cerr << files[i].path << ": has the name of " << files[i - 1].path << "; rename one\n";
      return 1;
    }
  }

  const std::string guard = Guard(include);
  const std::string header =
      "// Generated from text files by util/embed.bzl.\n#ifndef " + guard + "\n#define " + guard +
      "\n\n#include <span>\n\n#include \"util/embedded_file.h\"\n\n"
      "namespace seedtune {\n\n// Sorted by name.\n"
      "std::span<const EmbeddedFile> " +
      function + "();\n\n}  // namespace seedtune\n\n#endif  // " + guard + "\n";

  std::string source = "#include \"" + include + "\"\n\nnamespace seedtune {\nnamespace {\n\n";
  std::string table;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string name = "kContents" + std::to_string(i);
    source += "constexpr char " + name + "[] =\n    " + Literal(files[i].contents) + ";\n\n";
    table += "    {" + Literal(files[i].name) + ", " + Literal(files[i].path) + ", {" + name +
             ", sizeof(" + name + ") - 1}},\n";
  }
  if (!files.empty()) source += "constexpr EmbeddedFile kFiles[] = {\n" + table + "};\n\n";
  source += "}  // namespace\n\nstd::span<const EmbeddedFile> " + function + "() { return " +
            (files.empty() ? "{}" : "kFiles") + "; }\n\n}  // namespace seedtune\n";
  return Write(argv[1], header) && Write(argv[2], source) ? 0 : 1;
}
