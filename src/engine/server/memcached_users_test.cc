// SPDX-License-Identifier: Apache-2.0
#include "engine/server/memcached_users.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/constant_time.h"

namespace mikura::engine {
namespace {

using Form = MemcachedUsers::Form;

class PasswordFile {
 public:
  explicit PasswordFile(std::string_view text) { Write(text); }
  ~PasswordFile() { std::remove(path_.c_str()); }
  void Write(std::string_view text) { std::ofstream(path_) << text; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_ = testing::TempDir() + "passwords." + std::to_string(getpid());
};

TEST(MemcachedUsers, KnowsThePasswordsOfItsFile) {
  const PasswordFile file("ann:secret\nbob:a:b\r\nlast:line");
  MemcachedUsers users(file.path(), Form::kAuthFile);
  ASSERT_TRUE(users.Load().ok());
  EXPECT_TRUE(users.IsPassword("ann", "secret"));
  EXPECT_TRUE(users.IsPassword("bob", "a:b"));
  EXPECT_TRUE(users.IsPassword("last", "line"));
  EXPECT_FALSE(users.IsPassword("ann", "a:b"));
  EXPECT_FALSE(users.IsPassword("ann", "secre"));
  EXPECT_FALSE(users.IsPassword("ann", "secretsecret"));
  EXPECT_FALSE(users.IsPassword("", ""));
}

TEST(MemcachedUsers, ASecondColonEndsThePasswordOfASaslFile) {
  const PasswordFile file("ann:secret:more\n\nbob:b\n");
  MemcachedUsers users(file.path(), Form::kSasl);
  ASSERT_TRUE(users.Load().ok());
  EXPECT_TRUE(users.IsPassword("ann", "secret"));
  EXPECT_FALSE(users.IsPassword("ann", "secret:more"));
  EXPECT_TRUE(users.IsPassword("bob", "b"));
}

TEST(MemcachedUsers, TakesTheFirstEightOfAnAuthFile) {
  std::string text;
  for (int i = 1; i <= 9; ++i) text += "u" + std::to_string(i) + ":p\n";
  const PasswordFile file(text);
  MemcachedUsers users(file.path(), Form::kAuthFile);
  ASSERT_TRUE(users.Load().ok());
  EXPECT_TRUE(users.IsPassword("u8", "p"));
  EXPECT_FALSE(users.IsPassword("u9", "p"));
}

TEST(MemcachedUsers, KeepsWhatItKnowsWhenTheFileIsDamagedOrGone) {
  PasswordFile file("ann:secret\n");
  MemcachedUsers users(file.path(), Form::kAuthFile);
  ASSERT_TRUE(users.Load().ok());
  file.Write("no colon\n");
  EXPECT_FALSE(users.Load().ok());
  EXPECT_TRUE(users.IsPassword("ann", "secret"));
  file.Write("ann:new\n");
  EXPECT_TRUE(users.Load().ok());
  EXPECT_FALSE(users.IsPassword("ann", "secret"));
  EXPECT_TRUE(users.IsPassword("ann", "new"));
  EXPECT_FALSE(MemcachedUsers("/nonexistent/passwords", Form::kAuthFile).Load().ok());
}

TEST(MemcachedUsers, SaysWhichLineIsWrong) {
  EXPECT_EQ(MemcachedUsers::Parse("a:b\n\n", Form::kAuthFile).error().message,
            "line 2 is not user:password");
  EXPECT_EQ(MemcachedUsers::Parse("a:" + std::string(300, 'x'), Form::kSasl).error().message,
            "line 1 is too long");
}

TEST(EqualInConstantTime, ComparesWholeSecrets) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime("abc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", "abd"));
  EXPECT_FALSE(EqualInConstantTime("abcabc", "abc"));
  EXPECT_FALSE(EqualInConstantTime("", "abc"));
  EXPECT_FALSE(EqualInConstantTime("abc", ""));
}

}  // namespace
}  // namespace mikura::engine
