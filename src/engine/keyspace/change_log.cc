// SPDX-License-Identifier: Apache-2.0
#include "engine/keyspace/change_log.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/logging.h"
#include "base/mutex.h"
#include "base/thread_index.h"

namespace mikura::engine {
namespace {

using std::chrono::microseconds;

// The flusher's naps while nothing is written: short after the last record, then longer.
constexpr microseconds kBusySleep{200};
constexpr microseconds kIdleSleep{10'000};
constexpr microseconds kInactiveSleep{1'000'000};
// Slices are handed to the readers in groups of at most this many bytes and records.
constexpr size_t kGroupBytes = 1024 * 1024;
constexpr size_t kGroupSlices = 256;
// A reservation that stays unpublished for longer than this deserves a line in the log.
constexpr MonotonicNanos kLongHole = 10'000'000;

// The head of the log: a position, and in the low bits the selected database. Databases beyond
// those that fit are selected anew each time.
using Head = uint64_t;
constexpr int kDatabaseBits = 7;
constexpr Head kDatabaseMask = (Head{1} << kDatabaseBits) - 1;
constexpr Head kNoneSelected = kDatabaseMask;
constexpr size_t kSelectBytesMax = 40;

Head Selected(int database) {
  return database >= 0 && static_cast<Head>(database) < kNoneSelected ? static_cast<Head>(database)
                                                                      : kNoneSelected;
}
Lsn PositionOf(Head head) { return static_cast<Lsn>(head >> kDatabaseBits); }
Head MakeHead(Lsn position, Head selected) {
  return static_cast<Head>(position) << kDatabaseBits | selected;
}
bool NeedsSelect(const LogRecord& record, Head head) {
  if (record.first_database == LogRecord::kNoDatabase) return false;
  const Head selected = head & kDatabaseMask;
  return selected == kNoneSelected || selected != Selected(record.first_database);
}

// One thread's records, in the order it wrote them.
struct alignas(64) Chain {
  // ---- The writing thread's (ThreadIndex hands it to the thread that gets the number next).
  LogChunk* tail = nullptr;
  // Publishes the first chunk to the flusher.
  std::atomic<LogChunk*> first{nullptr};
  // ---- The flusher's, under flush_mutex.
  alignas(64) LogChunk* head = nullptr;
  uint32_t taken = 0;  // records of `head` that were passed on
};

// The next record of `chain`, when it is published already.
struct Peeked {
  LogChunk* chunk;
  Lsn lsn;
  std::string_view bytes;
};

std::optional<Peeked> Peek(Chain& chain) {
  if (chain.head == nullptr) {
    chain.head = chain.first.load(std::memory_order_acquire);
    if (chain.head == nullptr) return std::nullopt;
  }
  while (chain.taken == chain.head->committed()) {
    LogChunk* const next = chain.head->next();
    if (next == nullptr) return std::nullopt;
    // The chunk got its successor after its last record: only now is the count final.
    if (chain.taken != chain.head->committed()) break;
    chain.head->Release();
    chain.head = next;
    chain.taken = 0;
  }
  return Peeked{chain.head, chain.head->RecordLsn(chain.taken),
                chain.head->RecordBytes(chain.taken)};
}

}  // namespace

struct ChangeLog::Impl {
  explicit Impl(const std::atomic<uint8_t>& log_uses) : uses(log_uses) {
    group.reserve(kGroupSlices);
  }

  const std::atomic<uint8_t>& uses;
  // Only places are taken here; what is written is published by each chunk's `committed`, and what
  // the gate must see by the shard locks.
  alignas(64) std::atomic<Head> head{MakeHead(0, kNoneSelected)};
  // Publishes to Drain() and others how far the readers have been served.
  alignas(64) std::atomic<Lsn> flushed{0};
  // Tells appending threads that the flusher sleeps; see Wake().
  std::atomic<bool> sleeping{false};
  // Tells the flusher how many chains it has to look at: raised by the first record of a thread.
  std::atomic<uint32_t> chain_count{0};
  std::unique_ptr<Chain[]> chains{new Chain[kThreadsMax]};

  Mutex wake_mutex;
  CondVar wake;
  bool wake_requested GUARDED_BY(wake_mutex) = false;
  bool stopping GUARDED_BY(wake_mutex) = false;

  Mutex readers_mutex;  // held by the flusher while it calls the readers
  std::vector<LogReader*> readers GUARDED_BY(readers_mutex);

  SystemClock clock;
  Mutex flush_mutex;  // held by who flushes; before readers_mutex
  MonotonicNanos hole_since GUARDED_BY(flush_mutex) = 0;
  uint32_t last_chain GUARDED_BY(flush_mutex) = 0;  // where the last record was
  std::vector<LogSlice> group GUARDED_BY(flush_mutex);
  std::thread flusher;

  void Run();
  // True when something was passed on.
  bool FlushGroup() REQUIRES(flush_mutex);
  std::optional<Peeked> FindRecord(Lsn lsn) REQUIRES(flush_mutex);
  // The calling thread's chunk, with room for so many bytes in one record.
  LogChunk& TailWithRoom(size_t bytes);
  void NoteHole(bool open) REQUIRES(flush_mutex);
  // Returns false when the flusher has to end.
  bool Sleep(microseconds nap);
};

std::optional<Peeked> ChangeLog::Impl::FindRecord(Lsn lsn) {
  const uint32_t count = chain_count.load(std::memory_order_acquire);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t index = last_chain + i < count ? last_chain + i : last_chain + i - count;
    const std::optional<Peeked> record = Peek(chains[index]);
    if (record.has_value() && record->lsn == lsn) {
      last_chain = index;
      return record;
    }
  }
  return std::nullopt;
}

bool ChangeLog::Impl::FlushGroup() {
  const Lsn begin = flushed.load(std::memory_order_relaxed);
  Lsn next = begin;
  group.clear();
  while (static_cast<size_t>(next - begin) < kGroupBytes && group.size() < kGroupSlices) {
    const std::optional<Peeked> record = FindRecord(next);
    if (!record.has_value()) break;
    if (group.empty() || !group.back().Extend(record->chunk, next, record->bytes)) {
      group.emplace_back(record->chunk, next, record->bytes);
    }
    ++chains[last_chain].taken;
    next += static_cast<Lsn>(record->bytes.size());
  }
  NoteHole(next == begin && PositionOf(head.load(std::memory_order_relaxed)) != begin);
  if (next == begin) return false;
  {
    MutexLock lock(readers_mutex);
    for (LogReader* reader : readers) reader->OnBytes(group);
  }
  group.clear();
  flushed.store(next, std::memory_order_release);
  return true;
}

void ChangeLog::Impl::NoteHole(bool open) {
  if (open == (hole_since != 0)) return;
  const MonotonicNanos now = clock.NowNanos();
  if (open) {
    hole_since = now;
    return;
  }
  if (now - hole_since > kLongHole) {
    Log(LogLevel::kWarning, "change-log", "a record was {} us late after its place was taken",
        (now - hole_since) / 1000);
  }
  hole_since = 0;
}

bool ChangeLog::Impl::Sleep(microseconds nap) {
  MutexLock lock(wake_mutex);
  sleeping.store(true, std::memory_order_seq_cst);
  // Looks again after announcing the sleep, so that a Wake() before it is not lost.
  if (!wake_requested && !stopping &&
      PositionOf(head.load(std::memory_order_seq_cst)) == flushed.load(std::memory_order_relaxed)) {
    wake.WaitFor(wake_mutex, uses.load(std::memory_order_seq_cst) != 0 ? nap : kInactiveSleep);
  }
  sleeping.store(false, std::memory_order_relaxed);
  wake_requested = false;
  return !stopping;
}

void ChangeLog::Impl::Run() {
  microseconds nap = kBusySleep;
  bool running = true;
  while (running) {
    bool has_flushed = false;
    bool has_hole = false;
    {
      MutexLock lock(flush_mutex);
      has_flushed = FlushGroup();
      has_hole = hole_since != 0;
    }
    if (has_flushed) {
      nap = kBusySleep;
      continue;
    }
    if (has_hole) std::this_thread::sleep_for(microseconds{20});
    running = Sleep(nap);
    nap = std::min(nap * 2, kIdleSleep);
  }
  MutexLock lock(flush_mutex);
  while (FlushGroup()) {
  }
}

ChangeLog::ChangeLog() : impl_(std::make_unique<Impl>(uses_)) {}

ChangeLog::~ChangeLog() {
  Stop();
  for (uint32_t i = 0; i < kThreadsMax; ++i) {
    Chain& chain = impl_->chains[i];
    LogChunk* chunk = chain.head != nullptr ? chain.head : chain.first.load();
    while (chunk != nullptr) {
      LogChunk* const next = chunk->next();
      chunk->Release();
      chunk = next;
    }
  }
}

LogChunk& ChangeLog::Impl::TailWithRoom(size_t bytes) {
  const uint32_t index = ThreadIndex();
  Chain& chain = chains[index];
  if (chain.tail == nullptr) {
    chain.tail = LogChunk::Create(bytes);
    chain.first.store(chain.tail, std::memory_order_release);
    uint32_t count = chain_count.load(std::memory_order_relaxed);
    while (count <= index &&
           !chain_count.compare_exchange_weak(count, index + 1, std::memory_order_release)) {
    }
  } else if (!chain.tail->HasRoomFor(bytes)) {
    LogChunk* const chunk = LogChunk::Create(bytes);
    chain.tail->set_next(chunk);
    chain.tail = chunk;
  }
  return *chain.tail;
}

Lsn ChangeLog::Append(const LogRecord& record) {
  DCHECK(!record.bytes.empty());
  LogChunk& chunk = impl_->TailWithRoom(record.bytes.size() + kSelectBytesMax);
  Head head = impl_->head.load(std::memory_order_relaxed);
  bool selects = NeedsSelect(record, head);
  std::string select;
  if (selects) AppendSelect(select, record.first_database);
  chunk.Write(select, record.bytes);
  while (true) {
    const Lsn end = PositionOf(head) + static_cast<Lsn>(select.size() + record.bytes.size());
    const Head selected = record.last_database == LogRecord::kNoDatabase
                              ? head & kDatabaseMask
                              : Selected(record.last_database);
    if (impl_->head.compare_exchange_weak(head, MakeHead(end, selected),
                                          std::memory_order_seq_cst)) {
      chunk.Publish(PositionOf(head));
      return end;
    }
    if (selects == NeedsSelect(record, head)) continue;
    // Another thread selected or left the record's database meanwhile.
    selects = !selects;
    select.clear();
    if (selects) AppendSelect(select, record.first_database);
    chunk.Unwrite();
    chunk.Write(select, record.bytes);
  }
}

Lsn ChangeLog::AppendOwn(const LogRecord& record) {
  if (!follows()) [[likely]]
    return Append(record);
  if (!has_own_changes()) has_own_changes_.store(true, std::memory_order_relaxed);
  return 0;
}

void ChangeLog::Wake() {
  if (!impl_->sleeping.load(std::memory_order_seq_cst)) return;
  MutexLock lock(impl_->wake_mutex);
  impl_->wake_requested = true;
  impl_->wake.NotifyOne();
}

void ChangeLog::Pump() {
  if (!impl_->flush_mutex.TryLock()) return;
  const Lsn end = head();  // no further: others may go on writing
  while (flushed() < end && impl_->FlushGroup()) {
  }
  impl_->flush_mutex.Unlock();
}

Lsn ChangeLog::head() const { return PositionOf(impl_->head.load(std::memory_order_seq_cst)); }
Lsn ChangeLog::flushed() const { return impl_->flushed.load(std::memory_order_acquire); }

void ChangeLog::AddReader(LogReader& reader) {
  MutexLock lock(impl_->readers_mutex);
  impl_->readers.push_back(&reader);
  if (!impl_->flusher.joinable()) {
    impl_->flusher = std::thread([impl = impl_.get()] { impl->Run(); });
  }
}

void ChangeLog::RemoveReader(LogReader& reader) {
  MutexLock lock(impl_->readers_mutex);
  std::erase(impl_->readers, &reader);
}

void ChangeLog::ForgetDatabase() { impl_->head.fetch_or(kNoneSelected, std::memory_order_seq_cst); }

void ChangeLog::SetActive(bool active, LogUse use) {
  if (active) ForgetDatabase();
  // Sequentially consistent for the flusher's look before a long sleep; see Sleep() and Wake().
  if (active) {
    uses_.fetch_or(static_cast<uint8_t>(use), std::memory_order_seq_cst);
  } else {
    uses_.fetch_and(static_cast<uint8_t>(~static_cast<uint8_t>(use)), std::memory_order_seq_cst);
  }
}

void ChangeLog::SetHead(Lsn lsn) {
  CHECK(!active() && flushed() == head());
  impl_->head.store(MakeHead(lsn, kNoneSelected), std::memory_order_seq_cst);
  impl_->flushed.store(lsn, std::memory_order_release);
}

void ChangeLog::Drain() {
  const Lsn target = head();
  while (flushed() < target) {
    Wake();
    std::this_thread::sleep_for(microseconds{50});
  }
}

void ChangeLog::Stop() {
  if (!impl_->flusher.joinable()) return;
  {
    MutexLock lock(impl_->wake_mutex);
    impl_->stopping = true;
    impl_->wake.NotifyOne();
  }
  impl_->flusher.join();
}

}  // namespace mikura::engine
