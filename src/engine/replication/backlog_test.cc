// SPDX-License-Identifier: Apache-2.0
#include "engine/replication/backlog.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <string>

namespace mikura::engine {
namespace {

using namespace std::chrono_literals;

// A log whose only reader is the backlog under test.
class BacklogTest : public testing::Test {
 protected:
  static constexpr size_t kSize = 1000;
  static constexpr size_t kLagMax = 200'000;
  static constexpr size_t kSoft = 50'000;
  static constexpr MonotonicNanos kSecond = 1'000'000'000;

  void SetUp() override {
    log_.AddReader(backlog_);
    log_.SetActive(true);
  }
  void TearDown() override { log_.Stop(); }

  void Append(const std::string& record) {
    log_.Append(record);
    log_.Drain();
  }
  std::string Read(Backlog::Cursor& cursor, size_t bytes_max = SIZE_MAX) {
    std::vector<LogSlice> slices;
    if (!backlog_.Read(cursor, bytes_max, slices)) return "(cut)";
    std::string text;
    for (const LogSlice& slice : slices) text.append(slice.bytes());
    return text;
  }
  static bool IsReadable(const Backlog::Cursor& cursor) {
    pollfd event{cursor.event_fd(), POLLIN, 0};
    return poll(&event, 1, 0) == 1;
  }

  Backlog backlog_{kSize, {.hard_bytes = kLagMax, .soft_bytes = kSoft, .soft_time = 2s}};
  ChangeLog log_;
};

TEST_F(BacklogTest, ACursorReadsWhatFollowsItsPlaceInPieces) {
  Append("before");
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  EXPECT_EQ(Read(cursor), "");
  Append("0123456789");
  Append("abc");
  EXPECT_EQ(Read(cursor, 4), "0123");
  EXPECT_EQ(Read(cursor), "456789abc");
  EXPECT_EQ(Read(cursor), "");
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, ACursorComesBackWhereItWasWhileThatIsKept) {
  Append("0123456789");
  Backlog::Cursor cursor;
  ASSERT_TRUE(backlog_.AttachAt(cursor, 7));
  EXPECT_EQ(Read(cursor), "789");
  backlog_.Detach(cursor);
  Backlog::Cursor ahead;
  EXPECT_FALSE(backlog_.AttachAt(ahead, 11));
  // Whole chunks are dropped, so this fills several.
  for (int i = 0; i < 10; ++i) Append(std::string(LogChunk::kBytes, 'x'));
  Backlog::Cursor behind;
  EXPECT_FALSE(backlog_.AttachAt(behind, 7));
}

TEST_F(BacklogTest, WhatACursorNeedsStaysBeyondTheSize) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  for (int i = 0; i < 2; ++i) Append(std::string(LogChunk::kBytes, 'x'));
  EXPECT_EQ(backlog_.extent().begin, 0);
  EXPECT_EQ(Read(cursor).size(), 2 * LogChunk::kBytes);
  Append("y");
  EXPECT_GT(backlog_.extent().begin, 0);
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, ACursorTooFarBehindIsCutAndKeepsNothing) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  ASSERT_TRUE(backlog_.Await(cursor));
  for (int i = 0; i < 5; ++i) Append(std::string(LogChunk::kBytes, 'x'));
  EXPECT_TRUE(IsReadable(cursor));
  EXPECT_EQ(Read(cursor), "(cut)");
  const Backlog::Extent extent = backlog_.extent();
  EXPECT_LT(extent.end - extent.begin, static_cast<Lsn>(3 * LogChunk::kBytes));
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, ACursorAboveTheSoftLimitIsCutWhenItsTimeIsOver) {
  Backlog::Cursor slow;
  Backlog::Cursor quick;
  backlog_.AttachAtEnd(slow);
  backlog_.AttachAtEnd(quick);
  Append(std::string(kSoft, 'x'));
  Read(quick);
  backlog_.CutSlow(1 * kSecond);
  backlog_.CutSlow(3 * kSecond);
  EXPECT_FALSE(backlog_.IsCut(slow));
  backlog_.CutSlow(3 * kSecond + 1);
  EXPECT_TRUE(backlog_.IsCut(slow));
  EXPECT_FALSE(backlog_.IsCut(quick));
  EXPECT_EQ(Read(slow), "(cut)");
  backlog_.Detach(slow);
  backlog_.Detach(quick);
}

TEST_F(BacklogTest, ACursorThatCaughtUpHasTheWholeTimeAgain) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  Append(std::string(kSoft, 'x'));
  backlog_.CutSlow(1 * kSecond);
  Read(cursor);
  backlog_.CutSlow(2 * kSecond);
  Append(std::string(kSoft, 'x'));
  backlog_.CutSlow(4 * kSecond);
  EXPECT_FALSE(backlog_.IsCut(cursor));
  backlog_.CutSlow(7 * kSecond);
  EXPECT_TRUE(backlog_.IsCut(cursor));
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, ALoweredHardLimitCutsAtOnce) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  Append(std::string(kSoft, 'x'));
  EXPECT_FALSE(backlog_.IsCut(cursor));
  backlog_.set_limits({.hard_bytes = kSoft, .soft_bytes = 0});
  EXPECT_EQ(Read(cursor), "(cut)");
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, WithoutLimitsNothingIsCut) {
  backlog_.set_limits({.hard_bytes = 0, .soft_bytes = 0});
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  Append(std::string(2 * kLagMax, 'x'));
  backlog_.CutSlow(kSecond);
  backlog_.CutSlow(1000 * kSecond);
  EXPECT_EQ(Read(cursor).size(), 2 * kLagMax);
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, AHardLimitBelowTheSizeOfTheBacklogCutsNobodyWhomTheBacklogHolds) {
  backlog_.set_size(kLagMax);
  backlog_.set_limits({.hard_bytes = 1000, .soft_bytes = 0});
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  Append(std::string(kLagMax - 1, 'x'));
  EXPECT_FALSE(backlog_.IsCut(cursor));
  Append("y");
  EXPECT_TRUE(backlog_.IsCut(cursor));
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, AWaitingCursorIsWokenOnce) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  ASSERT_TRUE(backlog_.Await(cursor));
  EXPECT_FALSE(IsReadable(cursor));
  Append("a");
  EXPECT_TRUE(IsReadable(cursor));
  EXPECT_FALSE(backlog_.Await(cursor));  // there is something to read
  EXPECT_EQ(Read(cursor), "a");
  ASSERT_TRUE(backlog_.Await(cursor));
  EXPECT_FALSE(IsReadable(cursor));
  backlog_.Detach(cursor);
}

TEST_F(BacklogTest, ACursorAheadOfTheFlusherWaitsForIt) {
  Backlog::Cursor cursor;
  backlog_.AttachAtEnd(cursor);
  backlog_.Seek(cursor, 4);
  Append("01");
  EXPECT_EQ(Read(cursor), "");
  Append("2345");
  EXPECT_EQ(Read(cursor), "45");
  backlog_.Detach(cursor);
}

}  // namespace
}  // namespace mikura::engine
