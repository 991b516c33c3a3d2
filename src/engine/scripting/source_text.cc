// SPDX-License-Identifier: Apache-2.0
#include "engine/scripting/source_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <vector>

#include "engine/scripting/source_scanner.h"

namespace mikura::engine::scripting {
namespace {

// Names that a program gives to functions: "function a.b:name(", "name = function".
std::set<std::string_view> WrittenFunctions(std::string_view code) {
  std::set<std::string_view> names;
  SourceScanner scanner(code);
  std::string_view last_name;
  bool is_header = false;    // behind "function"
  bool is_assigned = false;  // behind "name ="
  for (SourceWord word; (word = scanner.Next()) != SourceWord::kEnd;) {
    const std::string_view text = scanner.text();
    if (word == SourceWord::kName && text == "function") {
      if (is_assigned) names.insert(last_name);
      is_header = true;
      is_assigned = false;
      last_name = {};
    } else if (word == SourceWord::kName) {
      last_name = text;
      is_assigned = false;
    } else {
      if (is_header && text == "(" && !last_name.empty()) names.insert(last_name);
      if (is_header && text == "(") is_header = false;
      is_assigned = text == "=" && !last_name.empty();
    }
  }
  return names;
}

bool IsOperator(SourceWord word, std::string_view text) {
  if (word == SourceWord::kName) return text == "and" || text == "or" || text == "not";
  return word == SourceWord::kSymbol &&
         std::string_view("+-*/%^#=~<>,").find(text) != std::string_view::npos;
}

bool OpensBlock(std::string_view name) {
  return name == "function" || name == "if" || name == "do" || name == "repeat";
}

bool EndsReturn(SourceWord word, std::string_view text) {
  if (word == SourceWord::kEnd) return true;
  if (word == SourceWord::kSymbol) return text == ";";
  return word == SourceWord::kName &&
         (text == "end" || text == "else" || text == "elseif" || text == "until");
}

// What follows a "return", up to where it ends. Functions written inside of it have returns of
// their own: those are read first.
class ReturnReader {
 public:
  struct Place {
    size_t at;
    bool is_begin;
  };

  ReturnReader(SourceScanner& scanner, const std::set<std::string_view>& written,
               std::vector<Place>& places)
      : scanner_(scanner), written_(written), places_(places) {}

  // Reads to the end of the program.
  void Read();

 private:
  struct Open {
    size_t begin = 0;
    size_t end = 0;
    int brackets = 0;
    int blocks = 0;
    bool is_plain = true;  // no operator and no comma so far
    bool is_first = true;
    SourceWord last_word = SourceWord::kEnd;
    std::string_view last_text;
    std::string_view name;  // the last name outside of brackets
  };

  void Add(Open& open, SourceWord word);
  void Close();

  SourceScanner& scanner_;
  const std::set<std::string_view>& written_;
  std::vector<Place>& places_;
  std::vector<Open> open_;
};

void ReturnReader::Read() {
  SourceWord word = SourceWord::kEnd;
  do {
    word = scanner_.Next();
    const std::string_view text = scanner_.text();
    while (!open_.empty() && open_.back().blocks == 0 &&
           (open_.back().brackets == 0 || text != ";") && EndsReturn(word, text)) {
      Close();
    }
    // A return inside of another is balanced: the outer one need not see its words.
    if (!open_.empty()) Add(open_.back(), word);
    if (word == SourceWord::kName && text == "return") open_.emplace_back();
  } while (word != SourceWord::kEnd);
}

void ReturnReader::Add(Open& open, SourceWord word) {
  const std::string_view text = scanner_.text();
  if (open.is_first) open.begin = scanner_.begin();
  if (word == SourceWord::kName && OpensBlock(text)) ++open.blocks;
  if (open.blocks == 0 && open.brackets == 0) {
    // ".." begins with a dot that another one follows; a dot alone is part of a name.
    const bool is_concatenation =
        text == "." && open.last_text == "." && open.end == scanner_.begin();
    if (IsOperator(word, text) || is_concatenation) open.is_plain = false;
    if (word == SourceWord::kName) open.name = text;
  }
  if (word == SourceWord::kName && (text == "end" || text == "until")) --open.blocks;
  if (text == "(" || text == "{" || text == "[") ++open.brackets;
  if (text == ")" || text == "}" || text == "]") --open.brackets;
  open.is_first = false;
  open.last_word = word;
  open.last_text = text;
  open.end = scanner_.end();
}

void ReturnReader::Close() {
  const Open open = open_.back();
  open_.pop_back();
  if (open.is_first || !open.is_plain || open.name.empty()) return;
  const bool may_be_call = open.last_text == ")" || open.last_text == "}" ||
                           (open.last_word == SourceWord::kString && open.end != open.begin);
  if (!may_be_call || open.name == "function" || written_.contains(open.name)) return;
  places_.push_back({open.begin, true});
  places_.push_back({open.end, false});
}

}  // namespace

std::optional<std::string> PlainEscapes(std::string_view code) {
  constexpr std::string_view kKnown = "abfnrtv\\\"'\n\r0123456789";
  std::string changed;
  size_t done = 0;
  SourceScanner scanner(code);
  for (SourceWord word; (word = scanner.Next()) != SourceWord::kEnd;) {
    const std::string_view text = scanner.text();
    if (word != SourceWord::kString || text.front() == '[') continue;
    for (size_t at = text.find('\\'); at < text.size(); at = text.find('\\', at + 2)) {
      if (at + 1 == text.size()) break;
      if (kKnown.find(text[at + 1]) != std::string_view::npos) continue;
      const size_t place = scanner.begin() + at;
      changed += code.substr(done, place - done);
      done = place + 1;
    }
  }
  if (done == 0) return std::nullopt;
  changed += code.substr(done);
  return changed;
}

std::optional<std::string> FindForeignNumber(std::string_view code, std::string_view chunk) {
  SourceScanner scanner(code);
  for (SourceWord word; (word = scanner.Next()) != SourceWord::kEnd;) {
    if (word != SourceWord::kNumber) continue;
    const std::string_view text = scanner.text();
    const char last = text.back();
    const bool is_binary = text.starts_with("0b") || text.starts_with("0B");
    if (last != 'l' && last != 'L' && last != 'i' && last != 'I' && !is_binary) continue;
    const std::string_view before = code.substr(0, scanner.begin());
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    return fmt::format("{}:{}: malformed number near '{}'", chunk, line,
                       scanner.text().substr(0, 80));
  }
  return std::nullopt;
}

std::optional<std::string> KeepCallers(std::string_view code) {
  const std::set<std::string_view> written = WrittenFunctions(code);
  std::vector<ReturnReader::Place> places;
  SourceScanner scanner(code);
  ReturnReader(scanner, written, places).Read();
  if (places.empty()) return std::nullopt;
  std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  std::string changed;
  size_t done = 0;
  for (const ReturnReader::Place& place : places) {
    changed += code.substr(done, place.at - done);
    if (place.is_begin) {
      changed += ' ';
      changed += kPassThrough;
      changed += '(';
    } else {
      changed += ')';
    }
    done = place.at;
  }
  changed += code.substr(done);
  return changed;
}

}  // namespace mikura::engine::scripting
