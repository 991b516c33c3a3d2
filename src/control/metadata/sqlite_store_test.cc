// SPDX-License-Identifier: Apache-2.0
#include "control/metadata/sqlite_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mikura::control {
namespace {

using ::testing::HasSubstr;

class SqliteFile : public ::testing::Test {
 protected:
  SqliteFile() {
    directory_ = ::testing::TempDir() + "mikura-sqlite-XXXXXX";
    CHECK(mkdtemp(directory_.data()) != nullptr);
    path_ = directory_ + "/metadata.sqlite";
  }
  ~SqliteFile() override { std::filesystem::remove_all(directory_); }

  std::string OpenFailure() {
    auto store = SqliteStore::Open(path_);
    return store.ok() ? "opened" : store.error().message;
  }

  std::string directory_;
  std::string path_;
};

TEST_F(SqliteFile, KeepsKeysAndRevisionsWhenOpenedAgain) {
  Revision before = 0;
  {
    auto store = SqliteStore::Open(path_).value();
    before = **store->Transact({}, {Write::Put("/a", "1")});
  }
  auto store = SqliteStore::Open(path_).value();
  EXPECT_EQ((*store->Get("/a"))->value, "1");
  EXPECT_EQ(**store->Transact({}, {Write::Put("/b", "2")}), before + 1);
}

TEST_F(SqliteFile, WhatWasAnsweredSurvivesAKill) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    auto store = SqliteStore::Open(path_);
    for (int i = 0; store.ok(); ++i) {
      if (!(*store)->Transact({}, {Write::Put("/n", std::to_string(i))}).ok()) break;
      [[maybe_unused]] const ssize_t sent = write(ready[1], &i, sizeof i);
    }
    _exit(1);
  }
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(read(ready[0], &answered, sizeof answered), static_cast<ssize_t>(sizeof answered));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  auto store = SqliteStore::Open(path_).value();
  EXPECT_GE(std::stoi((*store->Get("/n"))->value), answered);
}

TEST_F(SqliteFile, RefusesAFileThatIsNotSqlite) {
  std::ofstream(path_) << std::string(4096, 'x');
  EXPECT_THAT(OpenFailure(), HasSubstr("is not a SQLite file"));
}

TEST_F(SqliteFile, RefusesTheFileOfAnotherProgramAndLeavesItAlone) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE t (x)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  EXPECT_THAT(OpenFailure(), HasSubstr("another program"));
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal"));
}

TEST_F(SqliteFile, RefusesANewerFormat) {
  { auto store = SqliteStore::Open(path_).value(); }
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "PRAGMA user_version = 9", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_THAT(OpenFailure(), HasSubstr("format 9"));
}

TEST_F(SqliteFile, SaysThatAFileIsDamaged) {
  {
    auto store = SqliteStore::Open(path_).value();
    for (int i = 0; i < 200; ++i) {
      const std::string key = "/k" + std::to_string(i);
      ASSERT_TRUE(store->Transact({}, {Write::Put(key, std::string(500, 'v'))}).ok());
    }
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(16384, '\xee');
  file.close();
  EXPECT_THAT(OpenFailure(), HasSubstr("is damaged"));
}

TEST_F(SqliteFile, SaysWhichDirectoryIsMissing) {
  path_ = directory_ + "/absent/metadata.sqlite";
  EXPECT_THAT(OpenFailure(), HasSubstr("No such file or directory"));
}

// A file-size limit stands in for the full disk: both fail the write in the middle.
TEST_F(SqliteFile, AWriteThatDoesNotFitIsAnErrorAndChangesNothing) {
  auto store = SqliteStore::Open(path_).value();
  ASSERT_TRUE(store->Transact({}, {Write::Put("/a", "old")}).ok());

  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small{64 << 10, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused =
      store->Transact({}, {Write::Put("/a", "new"), Write::Put("/big", std::string(1 << 20, 'x'))});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  signal(SIGXFSZ, old_handler);

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ((*store->Get("/a"))->value, "old");
  EXPECT_TRUE(store->Transact({}, {Write::Put("/a", "later")}).ok());
}

}  // namespace
}  // namespace mikura::control
