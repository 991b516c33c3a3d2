// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/xml_writer.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

struct Point {
  int32_t x = 0;
};

void WriteXml(XmlWriter& out, const Point& point) { out.Value("x", std::optional(point.x)); }

TEST(XmlWriter, MarkupInTextsIsEscaped) {
  XmlWriter xml;
  xml.Text("a", "<b> & \"c\"\r");
  EXPECT_EQ(xml.text(), "<a>&lt;b&gt; &amp; &quot;c&quot;&#xD;</a>");
}

TEST(XmlWriter, WhatXmlCannotHoldBecomesTheReplacementCharacter) {
  XmlWriter xml;
  xml.Text("a", std::string("\x01\xC0\x80\xED\xA0\x80ok", 8));
  EXPECT_EQ(xml.text(),
            "<a>\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDok</a>");
}

TEST(XmlWriter, CharactersOfEveryLengthStay) {
  XmlWriter xml;
  xml.Text("a", "a\xC3\xA9\xE3\x81\x82\xF0\x9F\x98\x80");
  EXPECT_EQ(xml.text(), "<a>a\xC3\xA9\xE3\x81\x82\xF0\x9F\x98\x80</a>");
}

TEST(XmlWriter, ACharacterCutOffAtTheEndIsReplaced) {
  XmlWriter xml;
  xml.Text("a", "\xF0\x9F");
  EXPECT_EQ(xml.text(), "<a>\xEF\xBF\xBD\xEF\xBF\xBD</a>");
}

TEST(XmlWriter, AbsentValuesWriteNothing) {
  XmlWriter xml;
  xml.Value("a", std::optional<bool>());
  xml.Timestamp("b", std::nullopt);
  xml.Struct("c", std::optional<Point>());
  EXPECT_EQ(xml.text(), "");
}

TEST(XmlWriter, ListsNameTheirElements) {
  XmlWriter xml;
  xml.List("Points", "Point", std::vector<Point>{{1}, {2}});
  xml.List("names", "item", std::vector<std::string>{"a"});
  EXPECT_EQ(xml.text(),
            "<Points><Point><x>1</x></Point><Point><x>2</x></Point></Points>"
            "<names><item>a</item></names>");
}

TEST(XmlWriter, AnEmptyListIsAnEmptyElementUnlessAwsLeavesItOut) {
  XmlWriter xml;
  xml.List("a", "item", std::vector<std::string>{});
  xml.ListUnlessEmpty("b", "item", std::vector<std::string>{});
  EXPECT_EQ(xml.text(), "<a></a>");
}

TEST(XmlWriter, TimesAreIso8601) {
  XmlWriter xml;
  xml.Timestamp("t", 1'000);
  EXPECT_EQ(xml.text(), "<t>1970-01-01T00:00:01.000Z</t>");
}

}  // namespace
}  // namespace mikura::control
