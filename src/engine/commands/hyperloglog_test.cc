// SPDX-License-Identifier: Apache-2.0
// The bytes of a HyperLogLog. That they are those of redis-server is in
// tests/protocol/hyperloglog.test and tests/differential/hyperloglog_generator.py.
#include "engine/commands/hyperloglog.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/commands/hyperloglog_editor.h"

namespace mikura::engine {
namespace {

constexpr int64_t kAnySize = 1 << 30;

std::string Sparse(std::string_view runs) {
  std::string value(kHyperLogLogHeaderBytes, '\0');
  WriteHeader(value.data(), HyperLogLogForm::kSparse);
  return value + std::string(runs);
}

// In memory that ends where the value does, so that a sanitizer sees what reads behind it.
class Exact {
 public:
  explicit Exact(std::string_view value) : bytes_(new char[value.size()]), size_(value.size()) {
    std::copy(value.begin(), value.end(), bytes_.get());
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

bool IsSound(std::string_view value) {
  const Exact exact(value);
  HyperLogLogArray registers{};
  HyperLogLogEditor editor(kAnySize);
  const bool merges = MergeInto(exact.view(), registers);
  EXPECT_EQ(HistogramOf(exact.view()).has_value(), merges);
  EXPECT_EQ(editor.Load(exact.view()), merges);
  return merges;
}

HyperLogLogArray RegistersOf(std::string_view value) {
  HyperLogLogArray registers{};
  EXPECT_TRUE(MergeInto(value, registers));
  return registers;
}

TEST(HyperLogLog, IsKnownByItsHeader) {
  EXPECT_EQ(FormOf(Sparse("\x7f\xff")), HyperLogLogForm::kSparse);
  EXPECT_EQ(FormOf(Sparse("")), HyperLogLogForm::kSparse);
  EXPECT_EQ(FormOf(Sparse("").substr(0, 15)), HyperLogLogForm::kNone);
  EXPECT_EQ(FormOf(""), HyperLogLogForm::kNone);
  std::string dense(kHyperLogLogDenseBytes, '\0');
  WriteHeader(dense.data(), HyperLogLogForm::kDense);
  EXPECT_EQ(FormOf(dense), HyperLogLogForm::kDense);
  EXPECT_EQ(FormOf(dense + "x"), HyperLogLogForm::kNone);
  EXPECT_EQ(FormOf(dense.substr(1)), HyperLogLogForm::kNone);
  dense[4] = 2;
  EXPECT_EQ(FormOf(dense), HyperLogLogForm::kNone);
}

TEST(HyperLogLog, RunsThatAreNotAsLongAsThereAreRegistersAreRefused) {
  EXPECT_TRUE(IsSound(Sparse("\x7f\xff")));
  EXPECT_FALSE(IsSound(Sparse("")));
  EXPECT_FALSE(IsSound(Sparse("\x7f")));      // half a run
  EXPECT_FALSE(IsSound(Sparse("\x7f\xfe")));  // a register too few
  EXPECT_TRUE(IsSound(Sparse("\x7f\xfe\x80")));
  EXPECT_FALSE(IsSound(Sparse("\x7f\xfe\x81")));  // one too many
  EXPECT_FALSE(IsSound(Sparse("\x7f\xff\x80")));  // behind the last
  EXPECT_FALSE(IsSound(Sparse("\x7f\xffhello")));
  EXPECT_FALSE(IsSound(Sparse("\x7f\xfe\x7f")));
}

TEST(HyperLogLog, LengthsThatWouldOverflowAreRefused) {
  std::string runs;
  for (int i = 0; i < (1 << 18) + 1000; ++i) runs += "\x7f\xff";  // 2^32 registers and more
  runs += '\xff';
  EXPECT_FALSE(IsSound(Sparse(runs)));
  EXPECT_FALSE(IsSound(Sparse(std::string(1 << 20, '\x3f') + '\xff')));
}

TEST(HyperLogLog, RunsOfOneRegisterEachAreTheLongestSoundValue) {
  std::string runs;
  for (uint32_t i = 0; i < kHyperLogLogRegisters; ++i) runs.append("\x40\0", 2);
  ASSERT_TRUE(IsSound(Sparse(runs)));
  HyperLogLogEditor editor(kAnySize);
  ASSERT_TRUE(editor.Load(Sparse(runs)));
  for (uint32_t i = 0; i < kHyperLogLogRegisters; i += 2) EXPECT_TRUE(editor.Raise({i, 5}));
  EXPECT_TRUE(IsSound(editor.value()));
}

TEST(HyperLogLog, RandomBytesNeverReachBeyondTheValue) {
  std::mt19937_64 random(7);
  size_t sound = 0;
  for (int round = 0; round < 5'000; ++round) {
    std::string runs;
    const size_t size = random() % 40;
    for (size_t i = 0; i < size; ++i) runs += static_cast<char>(random());
    sound += IsSound(Sparse(runs)) ? 1 : 0;
  }
  EXPECT_LT(sound, 5'000u);
}

TEST(HyperLogLog, DamagedValuesAreChangedSoundlyOrNotAtAll) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 400; ++round) {
    HyperLogLogEditor made(kAnySize);
    made.Clear();
    for (size_t i = random() % 300; i > 0; --i) made.Raise(MarkOf(std::to_string(random())));
    std::string value(made.value());
    for (size_t i = random() % 4; i > 0; --i)
      value[16 + random() % (value.size() - 16)] = char(random());
    if (random() % 4 == 0) value.resize(16 + random() % value.size());
    HyperLogLogEditor editor(static_cast<int64_t>(random() % 4000));
    if (FormOf(value) == HyperLogLogForm::kNone || !editor.Load(value)) continue;
    for (size_t i = 0; i < 100; ++i) editor.Raise(MarkOf(std::to_string(random())));
    EXPECT_TRUE(IsSound(editor.value()));
  }
}

// Raises the same registers in an editor, and in an array.
void CheckAgainstArray(HyperLogLogEditor& editor, const std::vector<HyperLogLogMark>& marks) {
  HyperLogLogArray registers{};
  editor.Clear();
  for (const HyperLogLogMark& mark : marks) {
    const bool raises = registers[mark.position] < mark.value;
    registers[mark.position] = std::max(registers[mark.position], mark.value);
    ASSERT_EQ(editor.Raise(mark), raises);
  }
  EXPECT_EQ(RegistersOf(editor.value()), registers);
}

std::vector<HyperLogLogMark> RandomMarks(uint64_t seed, size_t count, uint32_t positions) {
  std::mt19937_64 random(seed);
  std::vector<HyperLogLogMark> marks;
  for (size_t i = 0; i < count; ++i) {
    marks.push_back({static_cast<uint32_t>(random() % positions),
                     static_cast<uint8_t>(1 + random() % (random() % 50 == 0 ? 32 : 3))});
  }
  return marks;
}

TEST(HyperLogLogEditor, KeepsWhatWasRaised) {
  for (uint64_t seed = 0; seed < 8; ++seed) {
    HyperLogLogEditor editor(kAnySize);
    CheckAgainstArray(editor, RandomMarks(seed, 3000, seed % 2 == 0 ? 16384 : 200));
    EXPECT_FALSE(editor.is_dense());
    HyperLogLogEditor small(1000);
    CheckAgainstArray(small, RandomMarks(seed, 3000, 16384));
    EXPECT_TRUE(small.is_dense());
  }
}

TEST(HyperLogLogEditor, AValueThatNoRunCanHoldMakesItDense) {
  HyperLogLogEditor editor(kAnySize);
  CheckAgainstArray(editor, {{5, 32}, {6, 33}, {7, 2}});
  EXPECT_TRUE(editor.is_dense());
  EXPECT_EQ(editor.value().size(), kHyperLogLogDenseBytes);
}

// A search goes on where the last one ended: that must not show.
TEST(HyperLogLogEditor, AscendingPositionsGiveTheSameBytesAsFreshSearches) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    std::vector<HyperLogLogMark> marks = RandomMarks(seed, 1000, seed % 3 == 0 ? 16384 : 700);
    std::sort(marks.begin(), marks.end(),
              [](const auto& a, const auto& b) { return a.position < b.position; });
    HyperLogLogEditor at_once(kAnySize);
    at_once.Clear();
    for (const HyperLogLogMark& mark : marks) at_once.Raise(mark);
    std::string value;
    for (const HyperLogLogMark& mark : marks) {
      HyperLogLogEditor fresh(kAnySize);
      if (value.empty()) {
        fresh.Clear();
      } else {
        ASSERT_TRUE(fresh.Load(value));
      }
      fresh.Raise(mark);
      value = fresh.value();
    }
    ASSERT_EQ(at_once.value(), value) << seed;
  }
}

TEST(HyperLogLogEditor, RememberedRegistersDoNotShow) {
  for (const int64_t limit : {int64_t{500}, kAnySize}) {
    const std::vector<HyperLogLogMark> marks = RandomMarks(3, 5000, 4000);
    HyperLogLogEditor plain(limit);
    HyperLogLogEditor remembering(limit);
    plain.Clear();
    remembering.Clear();
    remembering.RememberRegisters();
    for (const HyperLogLogMark& mark : marks) {
      ASSERT_EQ(plain.Raise(mark), remembering.Raise(mark));
    }
    EXPECT_EQ(plain.value(), remembering.value());
  }
}

TEST(HyperLogLog, EstimatesAreExactForFewElements) {
  HyperLogLogEditor editor(kAnySize);
  editor.Clear();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(Estimate(*HistogramOf(editor.value())), static_cast<uint64_t>(i));
    editor.Raise(MarkOf(std::to_string(i)));
  }
  EXPECT_EQ(Estimate(HistogramOf(RegistersOf(editor.value()))), 10u);
}

TEST(HyperLogLog, AKeptEstimateIsOutOfDateWhenSaidSo) {
  std::string value = Sparse("\x7f\xff");
  EXPECT_EQ(KeptEstimate(value), 0u);
  KeepEstimate(value.data(), 0x123456789a);
  EXPECT_EQ(KeptEstimate(value), 0x123456789au);
  DropEstimate(value.data());
  EXPECT_EQ(KeptEstimate(value), std::nullopt);
}

}  // namespace
}  // namespace mikura::engine
