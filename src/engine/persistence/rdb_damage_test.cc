// SPDX-License-Identifier: Apache-2.0
// Damaged files, from a seed: cut, with flipped bits, spliced from others, with lengths that are
// much too large, with and without a checksum that is right again. Each is refused with the offset,
// or loaded; in little time and memory.
//
// MIKURA_RDB_CASES says how many (10,000 were run in the sanitizers).
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "engine/persistence/crc64.h"
#include "engine/persistence/rdb_file.h"
#include "engine/persistence/rdb_samples.h"

namespace mikura::engine {
namespace {

using testing::HasSubstr;

class TextSink final : public SnapshotSink {
 public:
  Status Write(std::string_view bytes) override {
    text.append(bytes);
    return Ok();
  }
  std::string text;
};

// Knows how much was held at most.
class PeakMemory final : public collections::NodeMemory {
 public:
  void Add(int64_t bytes) override {
    held_ += bytes;
    peak = std::max(peak, held_);
  }
  int64_t peak = 0;

 private:
  int64_t held_ = 0;
};

// Looks at everything that it gets.
class Visitor final : public RdbHandler {
 public:
  Status OnEntry(const RdbEntry& entry) override {
    text_bytes += Describe(entry).size();
    ++entries;
    return Ok();
  }
  void OnAux(std::string_view, std::string_view) override {}
  Status OnFunctionLibrary(std::string_view) override { return Ok(); }
  size_t text_bytes = 0;
  size_t entries = 0;
};

std::unique_ptr<Keyspace> MakeKeyspace() {
  return Keyspace::Create({.database_count = 16, .hash_seed = 1}).value();
}

Status Load(Keyspace& keyspace, std::string_view file) {
  TextSource source(file);
  KeyspaceLoader loader(keyspace, 0);
  loader.SetLibraries([](std::string_view) { return Ok(); });
  return RdbReader(source, loader, keyspace.allocator().collections()).Read();
}

std::string Saved(Keyspace& keyspace, bool compresses) {
  SnapshotSlots slots;
  slots.compresses = compresses;
  auto snapshot = Snapshot::Begin(keyspace, slots);
  TextSink sink;
  EXPECT_TRUE(snapshot.value()->WriteRdb(sink, {{"aof-base", "0"}}).ok());
  return sink.text;
}

// Files that are right: all encodings of others, and our own with and without compression.
std::vector<std::string> GoodFiles() {
  const std::string samples = RdbFileOfSamples();
  const auto keyspace = MakeKeyspace();
  EXPECT_TRUE(Load(*keyspace, samples).ok());
  return {samples, Saved(*keyspace, false), Saved(*keyspace, true)};
}

class Damager {
 public:
  Damager(std::vector<std::string> files, uint32_t seed)
      : files_(std::move(files)), random_(seed) {}

  std::string Next() {
    std::string file = Any();
    for (uint32_t times = 1 + Below(4); times > 0; --times) Damage(file);
    constexpr size_t kEndBytes = 8;
    if (Below(2) == 0 && file.size() > kEndBytes) {
      file.resize(file.size() - kEndBytes);
      const uint64_t checksum = Crc64(0, file);
      file.append(reinterpret_cast<const char*>(&checksum), kEndBytes);
    }
    return file;
  }

 private:
  uint32_t Below(size_t most) { return most == 0 ? 0 : static_cast<uint32_t>(random_() % most); }
  const std::string& Any() { return files_[Below(files_.size())]; }
  size_t Place(const std::string& file) { return Below(file.size()); }

  void Damage(std::string& file) {
    if (file.empty()) return;
    const size_t place = Place(file);
    switch (Below(8)) {
      case 0:
        file.resize(place);
        break;
      case 1:
      case 2:
        for (uint32_t bits = 1 + Below(8); bits > 0; --bits) {
          char& byte = file[Place(file)];
          byte = static_cast<char>(byte ^ (1 << Below(8)));
        }
        break;
      case 3: {
        constexpr unsigned char kBytes[] = {0,    0x7f, 0x80, 0x81, 0xc0, 0xc3,
                                            0xf7, 0xfc, 0xfe, 0xff, 14,   19};
        file[place] = static_cast<char>(kBytes[Below(std::size(kBytes))]);
        break;
      }
      case 4: {
        const std::string& other = Any();
        file.insert(place, other, Place(other), 1 + Below(200));
        break;
      }
      case 5: {
        const std::string& other = Any();
        file.replace(place, Below(200), other, Place(other), 1 + Below(200));
        break;
      }
      case 6:
        file.erase(place, 1 + Below(50));
        break;
      default:
        Oversize(file, place);
    }
  }

  // A length in place of what is there: of 4 or 8 bytes, of a plain or a compressed string.
  void Oversize(std::string& file, size_t place) {
    static const std::string lengths[] = {"\x80\x7f\xff\xff\xff",
                                          std::string("\x81\0\0\0\x01\0\0\0\0", 9),
                                          "\x81\xff\xff\xff\xff\xff\xff\xff\xff",
                                          "\xc3\x80\x7f\xff\xff\xff\x80\x7f\xff\xff\xff",
                                          "\xc3\x05\x80\x1f\xff\xff\xff",
                                          std::string("\xf0\xff\xff\xff\x7f", 5),
                                          "\x7f\xff"};
    const std::string& length = lengths[Below(std::size(lengths))];
    file.replace(place, Below(2) * length.size(), length);
  }

  std::vector<std::string> files_;
  std::mt19937 random_;
};

class RdbDamage : public testing::Test {
 protected:
  static int Cases() {
    const char* wanted = std::getenv("MIKURA_RDB_CASES");
    return wanted == nullptr ? 1500 : std::atoi(wanted);
  }
};

TEST_F(RdbDamage, IsRefusedWithItsOffsetOrLoaded) {
  Damager damager(GoodFiles(), 20261128);
  auto keyspace = MakeKeyspace();
  int refused = 0;
  int loaded = 0;
  for (int i = 0; i < Cases(); ++i) {
    const std::string file = damager.Next();
    const auto begin = std::chrono::steady_clock::now();
    Visitor visitor;
    PeakMemory memory;
    {
      TextSource source(file);
      const Status status = RdbReader(source, visitor, memory).Read();
      if (!status.ok()) {
        ASSERT_THAT(status.error().message, HasSubstr("RDB data, offset ")) << "case " << i;
      }
      ++(status.ok() ? loaded : refused);
    }
    // What expands most are compressed strings: three bytes to 264 at most.
    const auto most = static_cast<int64_t>(file.size()) * 100 + (1 << 20);
    ASSERT_LT(memory.peak, most) << "case " << i;
    ASSERT_LT(static_cast<int64_t>(visitor.text_bytes), most) << "case " << i;
    Effects effects;
    const Status status = Load(*keyspace, file);
    if (!status.ok()) {
      ASSERT_THAT(status.error().message, HasSubstr("RDB data, offset ")) << "case " << i;
    }
    keyspace->FlushAll(effects);
    ASSERT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20)) << "case " << i;
  }
  fmt::print("{} damaged files: {} refused, {} loaded\n", Cases(), refused, loaded);
  EXPECT_GT(refused, Cases() / 2);
  EXPECT_GT(loaded, 0);
}

TEST_F(RdbDamage, TheMessageNamesTheFile) {
  const std::string path = testing::TempDir() + fmt::format("mikura-damage-{}.rdb", getpid());
  std::string file = GoodFiles()[2];
  file[file.size() / 2] ^= 0x10;
  std::ofstream(path, std::ios::binary) << file;
  const auto keyspace = MakeKeyspace();
  const auto loaded = LoadRdb(*keyspace, path, 0);
  std::filesystem::remove(path);
  ASSERT_FALSE(loaded.ok());
  EXPECT_THAT(loaded.error().message, HasSubstr(path));
  EXPECT_THAT(loaded.error().message, HasSubstr("RDB data, offset "));
}

}  // namespace
}  // namespace mikura::engine
