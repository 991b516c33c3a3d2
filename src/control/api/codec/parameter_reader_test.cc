// SPDX-License-Identifier: Apache-2.0
#include "control/api/codec/parameter_reader.h"

#include <gtest/gtest.h>

namespace mikura::control {
namespace {

struct Pair {
  std::string key;
  std::optional<std::string> value;
};

void ReadParameters(ParameterReader& in, Pair& out) {
  in.RequireValue("Key", out.key);
  in.Value("Value", out.value);
}

struct Sample {
  std::string name;
  std::optional<int32_t> port;
  std::optional<bool> enabled;
  std::optional<std::string> mode;
  std::vector<Pair> tags;
  std::optional<Pair> nested;
};

void ReadParameters(ParameterReader& in, Sample& out) {
  in.RequireValue("Name", out.name);
  in.Value("Port", out.port);
  in.Value("Enabled", out.enabled);
  in.Enum("Mode", out.mode, {"a", "b"});
  in.List("Tags", "Tag", out.tags);
  in.Struct("Nested", out.nested);
}

Result<Sample, DecodeError> Decode(std::string_view form,
                                   ListSpelling spelling = ListSpelling::kNamed) {
  ASSIGN_OR_RETURN(ParameterNode root, BuildParameterTree(*ParseForm(form)));
  ParameterReader reader(root, spelling);
  Sample sample;
  ReadParameters(reader, sample);
  if (auto error = reader.Finish()) return *error;
  return sample;
}

DecodeError ErrorOf(std::string_view form) {
  auto result = Decode(form);
  EXPECT_FALSE(result.ok()) << form;
  return result.ok() ? DecodeError{} : result.error();
}

TEST(ParameterReader, ReadsMembersOfEveryType) {
  const auto sample = Decode("Name=n&Port=-1&Enabled=True&Mode=b&Nested.Key=k");
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->name, "n");
  EXPECT_EQ(sample->port, -1);
  EXPECT_EQ(sample->enabled, true);
  EXPECT_EQ(sample->mode, "b");
  EXPECT_EQ(sample->nested->key, "k");
}

TEST(ParameterReader, ListsAreInTheOrderOfTheirNumbers) {
  const auto sample = Decode("Name=n&Tags.Tag.10.Key=ten&Tags.Tag.2.Key=two&Tags.Tag.2.Value=v");
  ASSERT_TRUE(sample.ok());
  ASSERT_EQ(sample->tags.size(), 2u);
  EXPECT_EQ(sample->tags[0].key, "two");
  EXPECT_EQ(sample->tags[0].value, "v");
  EXPECT_EQ(sample->tags[1].key, "ten");
}

TEST(ParameterReader, FlatListsHaveNoWordBeforeTheNumber) {
  const auto sample = Decode("Name=n&Tags.1.Key=k", ListSpelling::kFlat);
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->tags.at(0).key, "k");
}

TEST(ParameterReader, ThePlainSpellingOfAListWorksToo) {
  const auto sample = Decode("Name=n&Tags.member.1.Key=k");
  ASSERT_TRUE(sample.ok());
  EXPECT_EQ(sample->tags.at(0).key, "k");
}

TEST(ParameterReader, AnEmptyListIsSentAsAnEmptyValue) {
  const auto sample = Decode("Name=n&Tags=");
  ASSERT_TRUE(sample.ok());
  EXPECT_TRUE(sample->tags.empty());
}

TEST(ParameterReader, AMissingMemberIsNamedWithItsPath) {
  EXPECT_EQ(ErrorOf("Port=1").kind, DecodeError::Kind::kMissing);
  EXPECT_EQ(ErrorOf("Port=1").parameter, "Name");
  EXPECT_EQ(ErrorOf("Name=n&Tags.Tag.1.Value=v").parameter, "Tags.Tag.1.Key");
}

TEST(ParameterReader, WrongTypesAreInvalid) {
  for (const char* form :
       {"Name=n&Port=abc", "Name=n&Port=2147483648", "Name=n&Port=", "Name=n&Port=1.0",
        "Name=n&Enabled=yes", "Name=n&Enabled=", "Name=n&Mode=c"}) {
    EXPECT_EQ(ErrorOf(form).kind, DecodeError::Kind::kInvalid) << form;
  }
  EXPECT_EQ(ErrorOf("Name=n&Mode=c").expected, "one of: a, b");
}

TEST(ParameterReader, AParameterThatNoMemberTookIsUnknown) {
  for (const char* form : {"Name=n&Nmae=x", "Name=n&Tags.Tag.0.Key=k", "Name=n&Tags.Tag.x.Key=k",
                           "Name=n&Name.1=x", "Name=n&Tags.Tga.1.Key=k", "Name=n&Tags=x"}) {
    EXPECT_EQ(ErrorOf(form).kind, DecodeError::Kind::kUnknown) << form;
  }
  EXPECT_EQ(ErrorOf("Name=n&Tags.Tag.1.Key=k&Tags.Tag.1.Kye=k").parameter, "Tags.Tag.1.Kye");
}

TEST(ParameterReader, TheFirstErrorWins) {
  EXPECT_EQ(ErrorOf("Port=abc&Foo=x").kind, DecodeError::Kind::kMissing);
}

TEST(ParameterReader, AParameterSentTwiceIsRefused) {
  EXPECT_EQ(ErrorOf("Name=a&Name=b").kind, DecodeError::Kind::kDuplicate);
}

TEST(ParameterReader, NamesWithEmptyPartsOrWithoutEndAreRefused) {
  EXPECT_EQ(ErrorOf("Name=a&a..b=1").kind, DecodeError::Kind::kMalformed);
  EXPECT_EQ(ErrorOf("Name=a&.a=1").kind, DecodeError::Kind::kMalformed);
  EXPECT_EQ(ErrorOf("Name=a&a.b.c.d.e.f.g.h.i.j.k.l.m=1").kind, DecodeError::Kind::kMalformed);
}

}  // namespace
}  // namespace mikura::control
