#include "backends/cuda/cuda_libraries.h"

#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace seedtune {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What `pattern` matches, later releases (longer and greater names) first.
void AddMatches(const std::string& pattern, std::vector<std::string>& to) {
  glob_t found = {};
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
    std::sort(paths.begin(), paths.end(), [](const std::string& a, const std::string& b) {
      return strverscmp(a.c_str(), b.c_str()) > 0;
    });
    to.insert(to.end(), paths.begin(), paths.end());
  }
  globfree(&found);
}

// The prefix ("/opt/venv") of the python3 on the PATH, symbolic links left alone: a virtual
// environment's python is a link to another one's. "": none.
std::string PythonPrefix() {
  for (const absl::string_view folder : absl::StrSplit(Environment("PATH"), ':')) {
    if (!absl::EndsWith(folder, "/bin")) continue;
    if (access(absl::StrCat(folder, "/python3").c_str(), X_OK) == 0) {
      return std::string(folder.substr(0, folder.size() - std::strlen("/bin")));
    }
  }
  return "";
}

}  // namespace

std::vector<std::string> CudaLibraryCandidates(std::string_view library) {
  const std::string file = absl::StrCat("lib", std::string(library), ".so");
  // libnvrtc.so.13, but neither libnvrtc.so.13.0.48 (the same library) nor libnvrtc.alt.so.
  const std::string versioned = file + ".[0-9][0-9]";
  std::vector<std::string> candidates;
  for (const char* variable : {"CUDA_HOME", "CUDA_PATH"}) {
    const std::string home = Environment(variable);
    if (home.empty()) continue;
    AddMatches(absl::StrCat(home, "/lib64/", versioned), candidates);
    AddMatches(absl::StrCat(home, "/lib/", versioned), candidates);
  }
  for (const char* version : {".13", ".12", ".11.2", ".11", ""}) {
    candidates.push_back(absl::StrCat(file, version));
  }
  AddMatches(absl::StrCat("/usr/local/cuda/lib64/", versioned), candidates);
  AddMatches(absl::StrCat("/usr/local/cuda-*/lib64/", versioned), candidates);
  for (const std::string& prefix :
       {Environment("VIRTUAL_ENV"), PythonPrefix(), Environment("HOME") + "/.local"}) {
    if (prefix.empty()) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {
      AddMatches(absl::StrCat(prefix, "/lib/python3*/", packages, "/nvidia/*/lib/", versioned),
                 candidates);
    }
  }
  return candidates;
}

}  // namespace seedtune
