// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/xml_writer.h"

#include <fmt/format.h>

#include "control/api/codec/iso_time.h"
#include "control/api/codec/utf8.h"

namespace mikura::control {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

bool IsXmlCharacter(uint32_t code) {
  return code == 0x9 || code == 0xA || code == 0xD || (code >= 0x20 && code <= 0xD7FF) ||
         (code >= 0xE000 && code <= 0xFFFD) || code >= 0x10000;
}

// The length in bytes of the UTF-8 character at the front of `text` when XML can hold it, else 0.
size_t CharacterLength(std::string_view text) {
  const Utf8Character character = FirstCharacter(text);
  return IsXmlCharacter(character.code) ? character.length : 0;
}

void AppendEscaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    switch (length == 1 ? text[0] : '\0') {
      case '&':
        out.append("&amp;");
        break;
      case '<':
        out.append("&lt;");
        break;
      case '>':
        out.append("&gt;");
        break;
      case '"':
        out.append("&quot;");
        break;
      case '\r':  // a reader would turn a bare one into a line feed
        out.append("&#xD;");
        break;
      default:
        out.append(length == 0 ? kReplacement : text.substr(0, length));
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
}

}  // namespace

void XmlWriter::Open(std::string_view name) {
  out_.push_back('<');
  out_.append(name);
  out_.push_back('>');
}

void XmlWriter::OpenRoot(std::string_view name, std::string_view xml_namespace) {
  out_.push_back('<');
  out_.append(name);
  out_.append(" xmlns=\"");
  AppendEscaped(out_, xml_namespace);
  out_.append("\">");
}

void XmlWriter::Close(std::string_view name) {
  out_.append("</");
  out_.append(name);
  out_.push_back('>');
}

void XmlWriter::Text(std::string_view name, std::string_view text) {
  Open(name);
  AppendEscaped(out_, text);
  Close(name);
}

void XmlWriter::Value(std::string_view name, const std::optional<std::string>& value) {
  if (value) Text(name, *value);
}

void XmlWriter::Value(std::string_view name, const std::optional<int32_t>& value) {
  if (value) Text(name, fmt::to_string(*value));
}

void XmlWriter::Value(std::string_view name, const std::optional<int64_t>& value) {
  if (value) Text(name, fmt::to_string(*value));
}

void XmlWriter::Value(std::string_view name, const std::optional<double>& value) {
  if (value) Text(name, fmt::to_string(*value));
}

void XmlWriter::Value(std::string_view name, const std::optional<bool>& value) {
  if (value) Text(name, *value ? "true" : "false");
}

void XmlWriter::Timestamp(std::string_view name, const std::optional<UnixMillis>& value) {
  if (value) Text(name, FormatIsoTime(*value));
}

}  // namespace mikura::control
