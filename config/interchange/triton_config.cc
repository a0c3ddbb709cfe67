#include "config/interchange/triton_config.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kWhere = "triton.Config";

struct Name {
  std::string_view knob;
  std::string_view triton;
  std::string_view alias;  // also read
};
constexpr Name kDictionary[] = {
    {"block_size[m]", "BLOCK_SIZE_M", "BLOCK_M"},
    {"block_size[n]", "BLOCK_SIZE_N", "BLOCK_N"},
    {"block_size[k]", "BLOCK_SIZE_K", "BLOCK_K"},
    {"l2_grouping", "GROUP_SIZE_M", "GROUP_M"},
    {"split_k", "SPLIT_K", ""},
    {"epilogue_subtile", "EPILOGUE_SUBTILE", ""},
    {"waves_per_eu", "waves_per_eu", ""},
    {"matrix_instr_nonkdim", "matrix_instr_nonkdim", ""},
};
constexpr Name kKeywords[] = {
    {"num_warps", "num_warps", ""},
    {"num_stages", "num_stages", ""},
    {"maxnreg", "maxnreg", ""},
};

// What the space's default of a knob without a name is: `knob` or what it begins with.
bool IsNeutral(std::string_view knob, const KnobValue& value) {
  if (const auto* const order = std::get_if<std::vector<int>>(&value)) {
    return std::is_sorted(order->begin(), order->end());
  }
  if (const auto* const flag = std::get_if<bool>(&value)) return !*flag;
  if (const auto* const integer = std::get_if<int64_t>(&value)) {
    return *integer == (knob == "num_sm_multiplier" ? 1 : 0);
  }
  const std::string& name = std::get<std::string>(value);
  return name == "flat" || name == "pointer" || name == "none" || name == "auto";
}

// Of names that are left out where they say nothing.
bool IsLeftOut(std::string_view knob, const KnobValue& value) {
  const auto* const integer = std::get_if<int64_t>(&value);
  if (integer == nullptr) return false;
  if (knob == "split_k" || knob == "epilogue_subtile") return *integer == 1;
  return *integer == 0 &&
         (knob == "maxnreg" || knob == "waves_per_eu" || knob == "matrix_instr_nonkdim");
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  absl::StatusOr<PartialConfig> Read() {
    SkipSpace();
    if (!TryTake("triton.Config") && !TryTake("Config")) {
      return Error("want triton.Config(...)");
    }
    SEEDTUNE_RETURN_IF_ERROR(Expect('('));
    bool has_dictionary = false;
    while (!Peek(')')) {
      SkipSpace();
      if (Peek('{')) {
        if (has_dictionary) return Error("a second dictionary");
        has_dictionary = true;
        SEEDTUNE_RETURN_IF_ERROR(ReadDictionary());
      } else {
        SEEDTUNE_ASSIGN_OR_RETURN(const std::string_view name, ReadName());
        SEEDTUNE_RETURN_IF_ERROR(Expect('='));
        if (name == "kwargs" && Peek('{')) {
          SEEDTUNE_RETURN_IF_ERROR(ReadDictionary());
        } else {
          SEEDTUNE_RETURN_IF_ERROR(ReadKeyword(name));
        }
      }
      if (!Take(',')) break;
    }
    SEEDTUNE_RETURN_IF_ERROR(Expect(')'));
    Take(',');
    SkipSpace();
    if (at_ != text_.size()) return Error("want the end after ')'");
    return std::move(partial_);
  }

 private:
  absl::Status Error(std::string_view problem) const {
    const std::string found =
        at_ < text_.size() ? absl::StrCat("'", std::string(text_.substr(at_, 12)), "'") : "the end";
    return absl::InvalidArgumentError(absl::StrCat(std::string(kWhere), ": offset ", at_, ": ",
                                                   std::string(problem), ", found ", found));
  }

  void SkipSpace() {
    while (at_ < text_.size() && absl::ascii_isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool Peek(char wanted) {
    SkipSpace();
    return at_ < text_.size() && text_[at_] == wanted;
  }
  bool Take(char wanted) {
    if (!Peek(wanted)) return false;
    ++at_;
    return true;
  }
  bool TryTake(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  absl::Status Expect(char wanted) {
    if (Take(wanted)) return absl::OkStatus();
    return Error(absl::StrCat("want '", std::string(1, wanted), "'"));
  }

  absl::StatusOr<std::string_view> ReadName() {
    SkipSpace();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (absl::ascii_isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) {
      ++at_;
    }
    if (at_ == start) return Error("want a name");
    return text_.substr(start, at_ - start);
  }

  // A number, True, False or None; text in quotes is no value of any name here.
  absl::StatusOr<std::string_view> ReadValue() {
    SkipSpace();
    const size_t start = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    while (at_ < text_.size() && (absl::ascii_isalnum(static_cast<unsigned char>(text_[at_])) ||
                                  text_[at_] == '_' || text_[at_] == '.')) {
      ++at_;
    }
    if (at_ == start) return Error("want a number, True, False or None");
    return text_.substr(start, at_ - start);
  }

  absl::Status ReadDictionary() {
    SEEDTUNE_RETURN_IF_ERROR(Expect('{'));
    while (!Peek('}')) {
      SkipSpace();
      const char quote = at_ < text_.size() ? text_[at_] : '\0';
      if (quote != '\'' && quote != '"') return Error("want a name in quotes");
      ++at_;
      SEEDTUNE_ASSIGN_OR_RETURN(const std::string_view name, ReadName());
      SEEDTUNE_RETURN_IF_ERROR(Expect(quote));
      SEEDTUNE_RETURN_IF_ERROR(Expect(':'));
      SEEDTUNE_ASSIGN_OR_RETURN(const std::string_view value, ReadValue());
      SEEDTUNE_RETURN_IF_ERROR(
          Set(std::begin(kDictionary), std::end(kDictionary), name, std::string(value)));
      if (!Take(',')) break;
    }
    return Expect('}');
  }

  absl::Status ReadKeyword(std::string_view name) {
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string_view value, ReadValue());
    if (value == "None" || (name == "num_ctas" && value == "1")) return absl::OkStatus();
    return Set(std::begin(kKeywords), std::end(kKeywords), name, std::string(value));
  }

  absl::Status Set(const Name* begin, const Name* end, std::string_view name,
                   const std::string& value) {
    const Name* const found = std::find_if(
        begin, end, [&](const Name& each) { return each.triton == name || each.alias == name; });
    if (found == end || name.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(std::string(kWhere), ": ", std::string(name), " is ", value,
                       ", which no knob of the triton space stands for"));
    }
    int64_t integer = 0;
    if (found->knob == "epilogue_subtile" && (value == "True" || value == "False")) {
      integer = value == "True" ? 2 : 1;
    } else if (!absl::SimpleAtoi(value, &integer)) {
      return absl::InvalidArgumentError(absl::StrCat(std::string(kWhere), ": ", std::string(name),
                                                     " is ", value, ", want an integer"));
    }
    if (partial_.values.count(found->knob) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(std::string(kWhere), ": ", std::string(name), " is there twice"));
    }
    partial_.Set(found->knob, integer);
    return absl::OkStatus();
  }

  std::string_view text_;
  size_t at_ = 0;
  PartialConfig partial_;
};

}  // namespace

absl::StatusOr<PartialConfig> PartialConfigFromTriton(std::string_view text) {
  return Reader(text).Read();
}

absl::StatusOr<std::string> PartialConfigToTriton(const PartialConfig& partial) {
  std::vector<std::string> dictionary, keywords;
  for (const Name& name : kDictionary) {
    const auto found = partial.values.find(name.knob);
    if (found == partial.values.end() || IsLeftOut(name.knob, found->second)) continue;
    std::string value = KnobValueToString(found->second);
    if (name.knob == "epilogue_subtile") {
      if (value != "2") {
        return absl::InvalidArgumentError(
            absl::StrCat(std::string(kWhere), ": epilogue_subtile is ", value, ", want 1 or 2"));
      }
      value = "True";
    }
    dictionary.push_back(absl::StrCat("'", std::string(name.triton), "': ", value));
  }
  for (const Name& name : kKeywords) {
    const auto found = partial.values.find(name.knob);
    if (found == partial.values.end() || IsLeftOut(name.knob, found->second)) continue;
    keywords.push_back(
        absl::StrCat(", ", std::string(name.triton), "=", KnobValueToString(found->second)));
  }
  const auto is_named = [](std::string_view knob) {
    const auto is = [&](const Name& name) { return name.knob == knob; };
    return std::any_of(std::begin(kDictionary), std::end(kDictionary), is) ||
           std::any_of(std::begin(kKeywords), std::end(kKeywords), is);
  };
  for (const auto& [knob, value] : partial.values) {
    if (!is_named(knob) && (knob.substr(0, 11) == "block_size[" || !IsNeutral(knob, value))) {
      return absl::InvalidArgumentError(absl::StrCat(std::string(kWhere), ": no name for knob ",
                                                     knob, " (", KnobValueToString(value), ")"));
    }
  }
  return absl::StrCat("triton.Config({", absl::StrJoin(dictionary, ", "), "}",
                      absl::StrJoin(keywords, ""), ")");
}

}  // namespace seedtune
