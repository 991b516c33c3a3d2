// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/append_log_manifest.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/persistence/append_log_folder.h"

namespace mikura::engine {
namespace {

constexpr std::string_view kText =
    "file appendonly.aof.2.base.rdb seq 2 type b\n"
    "file appendonly.aof.1.incr.aof seq 1 type h\n"
    "file appendonly.aof.2.incr.aof seq 2 type i\n"
    "file appendonly.aof.3.incr.aof seq 3 type i\n";

std::string ErrorOf(std::string_view text) {
  const auto parsed = AppendLogManifest::Parse(text, "m");
  return parsed.ok() ? "" : parsed.error().message;
}

TEST(AppendLogManifest, IsReadAndWrittenAsItWas) {
  const auto manifest = AppendLogManifest::Parse(kText, "m");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->base->name, "appendonly.aof.2.base.rdb");
  EXPECT_EQ(manifest->history.size(), 1u);
  EXPECT_EQ(manifest->increments.size(), 2u);
  EXPECT_EQ(manifest->last_increment, 3);
  EXPECT_EQ(manifest->Text(), kText);
}

TEST(AppendLogManifest, NamesFollowTheLastNumbers) {
  const auto manifest = AppendLogManifest::Parse(kText, "m");
  EXPECT_EQ(manifest->NextBase("appendonly.aof").name, "appendonly.aof.3.base.rdb");
  EXPECT_EQ(manifest->NextIncrement("appendonly.aof").name, "appendonly.aof.4.incr.aof");
  EXPECT_EQ(AppendLogManifest().NextBase("x").name, "x.1.base.rdb");
}

TEST(AppendLogManifest, ANewBaseMakesHistoryOfWhatItHolds) {
  auto manifest = AppendLogManifest::Parse(kText, "m");
  manifest->AddIncrement(manifest->NextIncrement("appendonly.aof"));
  manifest->ReplaceBase(manifest->NextBase("appendonly.aof"), 4);
  EXPECT_EQ(manifest->Text(),
            "file appendonly.aof.3.base.rdb seq 3 type b\n"
            "file appendonly.aof.1.incr.aof seq 1 type h\n"
            "file appendonly.aof.2.base.rdb seq 2 type h\n"
            "file appendonly.aof.2.incr.aof seq 2 type h\n"
            "file appendonly.aof.3.incr.aof seq 3 type h\n"
            "file appendonly.aof.4.incr.aof seq 4 type i\n");
}

TEST(AppendLogManifest, CommentsAndFurtherPairsAreSkipped) {
  EXPECT_EQ(ErrorOf("# made by hand\nfile a seq 1 type i startoffset 7\n"), "");
}

TEST(AppendLogManifest, WhatIsMalformedIsRefusedWithFileAndLine) {
  EXPECT_EQ(ErrorOf("file a seq 1 type b\n\n"),
            "m line 2: it is not of the form 'file NAME seq NUMBER type b|h|i'");
  EXPECT_EQ(ErrorOf("file a seq 1 type b"), "m line 1: its end is missing");
  EXPECT_EQ(ErrorOf("file a seq 0 type b\n"), "m line 1: the number behind 'seq' is not positive");
  EXPECT_EQ(ErrorOf("file a seq 99999999999999999999 type b\n"),
            "m line 1: the number behind 'seq' is not positive");
  EXPECT_EQ(ErrorOf("file ../a seq 1 type b\n"), "m line 1: the file has no plain name");
  EXPECT_EQ(ErrorOf("file .. seq 1 type b\n"), "m line 1: the file has no plain name");
  EXPECT_EQ(ErrorOf("file a seq 1 type x\n"), "m line 1: the type is none of b, h, i");
  EXPECT_EQ(ErrorOf("file a seq 1 size 1\n"), "m line 1: it lacks 'file', 'seq' or 'type'");
  EXPECT_EQ(ErrorOf("file a seq 1 type b\nfile b seq 2 type b\n"), "m line 2: a second base");
  EXPECT_EQ(ErrorOf("file a seq 2 type i\nfile b seq 2 type i\n"),
            "m line 2: the numbers of increments do not rise");
  EXPECT_EQ(ErrorOf(std::string(5000, 'x') + "\n"), "m line 1: it is too long");
}

TEST(AppendLogManifest, NoCutOfItIsTakenForAnother) {
  for (size_t size = 0; size < kText.size(); ++size) {
    const auto parsed = AppendLogManifest::Parse(kText.substr(0, size), "m");
    if (parsed.ok()) {
      EXPECT_EQ(parsed->Text(), kText.substr(0, size));
    }
  }
}

class AppendLogFolderTest : public testing::Test {
 protected:
  AppendLogFolderTest() {
    std::string name = std::filesystem::temp_directory_path() / "mikura-folder-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    place_ = name;
    before_ = std::filesystem::current_path();
    std::filesystem::current_path(place_);
  }
  ~AppendLogFolderTest() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(place_);
  }
  static void Write(const std::string& path, std::string_view text) { std::ofstream(path) << text; }

  std::filesystem::path place_;
  std::filesystem::path before_;
  AppendLogFolder folder_{"logs", "a.aof"};
};

TEST_F(AppendLogFolderTest, StoresAndReadsTheManifest) {
  ASSERT_TRUE(folder_.Create().ok());
  ASSERT_TRUE(folder_.Create().ok());  // it is there already
  EXPECT_TRUE(folder_.Read()->empty());
  ASSERT_TRUE(folder_.Store(*AppendLogManifest::Parse(kText, "m")).ok());
  EXPECT_EQ(folder_.Read()->Text(), kText);
}

TEST_F(AppendLogFolderTest, ErrorsNameTheFile) {
  ASSERT_TRUE(folder_.Create().ok());
  Write("logs/a.aof.manifest", "nonsense\n");
  EXPECT_EQ(folder_.Read().error().message.substr(0, 27), "logs/a.aof.manifest line 1:");
  const auto manifest = AppendLogManifest::Parse("file absent seq 1 type i\n", "m");
  EXPECT_EQ(folder_.Size(*manifest).error().message,
            "cannot find logs/absent: No such file or directory");
}

TEST_F(AppendLogFolderTest, DeletesHistoryAndLeftovers) {
  ASSERT_TRUE(folder_.Create().ok());
  for (const char* file : {"old", "base", "temp-a.aof.incr", "a.aof.7.base.rdb.12-0x1.tmp"}) {
    Write(folder_.PathOf(std::string(file)), "x");
  }
  auto manifest = AppendLogManifest::Parse("file base seq 2 type b\nfile old seq 1 type h\n", "m");
  ASSERT_TRUE(folder_.DeleteHistory(*manifest).ok());
  folder_.DeleteLeftovers();
  EXPECT_EQ(folder_.Read()->Text(), "file base seq 2 type b\n");
  EXPECT_FALSE(std::filesystem::exists("logs/old"));
  EXPECT_FALSE(std::filesystem::exists("logs/temp-a.aof.incr"));
  EXPECT_FALSE(std::filesystem::exists("logs/a.aof.7.base.rdb.12-0x1.tmp"));
  EXPECT_TRUE(std::filesystem::exists("logs/base"));
}

TEST_F(AppendLogFolderTest, ASingleFileBecomesTheBaseAlsoAfterAnInterruption) {
  Write("a.aof", "x");
  AppendLogManifest manifest;
  ASSERT_TRUE(folder_.AdoptSingleFile(manifest).ok());
  EXPECT_EQ(folder_.Read()->Text(), "file a.aof seq 1 type b\n");
  EXPECT_TRUE(std::filesystem::exists("logs/a.aof"));

  std::filesystem::rename("logs/a.aof", "a.aof");  // as if it had ended before the move
  ASSERT_TRUE(folder_.AdoptSingleFile(manifest).ok());
  EXPECT_TRUE(std::filesystem::exists("logs/a.aof"));

  Write("a.aof", "another");  // there is a log: it is not looked at
  ASSERT_TRUE(folder_.AdoptSingleFile(manifest).ok());
  EXPECT_TRUE(std::filesystem::exists("a.aof"));
}

}  // namespace
}  // namespace mikura::engine
