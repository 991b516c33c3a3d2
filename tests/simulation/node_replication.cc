// SPDX-License-Identifier: Apache-2.0
// The engine of a node: what it answers as a primary, what it sends, and how it follows.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "tests/simulation/node.h"

namespace mikura::simulation {

using engine::LogSlice;

// ---- As primary.

void Node::Promote(int64_t epoch) {
  if (epoch <= epoch_ && is_primary_) return;
  if (epoch < epoch_) return;
  LeaveUpstream();
  upstream_node_ = -1;
  for (const auto& link : std::vector(replicas_)) DropLink(link);
  is_primary_ = true;
  epoch_ = epoch;
  if (around_.scenario.mutant != Mutant::kKeepsId || epoch == 1) {
    ids_.GoOnAs(fmt::format("{:020}{:020}", epoch, index_ + 1), head_);
  }
  WriteIds();
  around_.history.NoteData(ids_.current, head_, data_.digest, index_);
  // What is here may have been acknowledged by nobody.
  for (int key = 0; key < kKeys; ++key) last_lsn_[key] = head_;
  ConfigureSync(around_.scenario.is_sync);
  ++around_.outcome.promotions;
}

void Node::StepDown() {
  for (Held& held : held_) held.answer(false, 0);
  held_.clear();
  for (const auto& link : std::vector(replicas_)) DropLink(link);
  is_primary_ = false;
  ConfigureSync(false);
}

void Node::ConfigureSync(bool enabled) {
  in_sync_->Configure({.enabled = enabled,
                       .lag_max = std::chrono::milliseconds(kSilenceMax / kMillisecond),
                       .needed = kInSyncNeeded - 1,
                       .needs_agreement = around_.scenario.mutant != Mutant::kDropWithoutStore},
                      Nanos(), enabled);
}

bool Node::FenceIsOpen() const { return fence_.epoch == epoch_ && LocalNow() < fence_.deadline; }

bool Node::MayAnswer() const {
  const Mutant mutant = around_.scenario.mutant;
  return mutant == Mutant::kNoCheckBeforeReply || mutant == Mutant::kNoFence || FenceIsOpen();
}

void Node::Serve(ClientRequest request) {
  When(kEngine, life_, [this, request = std::move(request)] {
    const Mutant mutant = around_.scenario.mutant;
    const bool is_open = FenceIsOpen() || mutant == Mutant::kNoFence;
    if (!is_primary_ || !is_open || sync_.lacks) return request.answer(false, -1);
    Held held{last_lsn_[request.key], epoch_, request.is_write, 0, request.answer};
    if (request.is_write) {
      const std::string key = std::to_string(request.key);
      const std::string value = std::to_string(request.value);
      const std::string record = fmt::format("*3\r\n$3\r\nSET\r\n${}\r\n{}\r\n${}\r\n{}\r\n",
                                             key.size(), key, value.size(), value);
      const std::string_view words[] = {"SET", key, value};
      const engine::CommandWords command(words);
      Append(record);
      Execute(record, {&command, 1});
      around_.history.NoteData(ids_.current, head_, data_.digest, index_);
      held.tag = last_lsn_[request.key] = head_;
    }
    held.value = request.is_write ? request.value : data_.current[request.key];
    held_.push_back(std::move(held));
    const Micros freeze = std::exchange(freeze_after_request_, 0);
    if (freeze > 0) {
      // The requests of the same moment, and what replicas are to get, are on their way already.
      PumpAll();
      Freeze(true, true, around_.world.now() + freeze);
    }
    Later(kEngine, around_.world.Between(10, 200), [this] {
      PumpAll();
      Flush();
    });
  });
}

// Up to where all that is waited for have the log.
Lsn Node::Durable() const {
  if (!around_.scenario.is_sync || around_.scenario.mutant == Mutant::kReplyBeforeAcks) {
    return INT64_MAX;
  }
  if (!around_.scenario.syncs_disk) return sync_.durable;
  return std::min(sync_.durable, disk_.base_lsn + static_cast<Lsn>(disk_.synced));
}

void Node::Flush() {
  const Lsn durable = Durable();
  const bool reads_wait = around_.scenario.mutant != Mutant::kReadsDoNotWait;
  for (auto held = held_.begin(); held != held_.end();) {
    if (held->tag > durable && (held->is_write || reads_wait)) {
      ++held;
      continue;
    }
    const bool may = held->epoch == epoch_ && is_primary_ && MayAnswer();
    if (may) around_.history.NoteReply(epoch_, index_, around_.world.now());
    held->answer(may, held->value);
    held = held_.erase(held);
  }
}

void Node::Accept(const std::shared_ptr<Link>& link, const std::string& id, Lsn wanted,
                  int64_t life) {
  if (!is_primary_ || link->epoch != epoch_ || !link->is_alive) {
    link->is_alive = false;
    link->is_closed[1] = true;
    return;
  }
  for (const auto& other : std::vector(replicas_)) {
    if (other->replica == link->replica) DropLink(other);
  }
  link->heard_at = around_.world.now();
  replicas_.push_back(link);
  in_sync_->Add(link.get(), NameOf(link->replica, life), 0, Nanos());
  const bool is_covered =
      around_.scenario.mutant == Mutant::kContinuesAnything || ids_.Covers(id, wanted);
  if (is_covered && backlog_->AttachAt(link->cursor, wanted)) {
    ++around_.outcome.partial_syncs;
    Deliver(link, false, [id = ids_.current](Node& replica) { replica.Continue(id); });
  } else {
    ++around_.outcome.full_syncs;
    backlog_->AttachAtEnd(link->cursor);
    Deliver(link, false, [id = ids_.current, lsn = head_, data = data_](Node& replica) {
      replica.Copy(id, lsn, data);
    });
  }
  link->is_attached = link->is_streaming = true;
  Pump(link);
}

void Node::Pump(const std::shared_ptr<Link>& link) {
  if (!link->is_alive || !link->is_streaming) return;
  std::vector<LogSlice> slices;
  if (!backlog_->Read(link->cursor, SIZE_MAX, slices)) return DropLink(link);
  std::string bytes;
  for (const LogSlice& slice : slices) bytes.append(slice.bytes());
  if (bytes.empty()) return;
  // In pieces, cut anywhere.
  const auto size = static_cast<int64_t>(bytes.size());
  const auto cut = static_cast<size_t>(around_.world.Between(0, size));
  for (const std::string& piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
    if (piece.empty()) continue;
    Deliver(link, false, [piece](Node& replica) { replica.Receive(piece); });
  }
}

void Node::PumpAll() {
  for (const auto& link : std::vector(replicas_)) Pump(link);
}

void Node::TakeAck(const std::shared_ptr<Link>& link, Lsn lsn) {
  if (!is_primary_ || link->epoch != epoch_) return;
  link->heard_at = around_.world.now();
  in_sync_->Acknowledge(link.get(), lsn, Nanos());
  Flush();
}

void Node::DropLink(const std::shared_ptr<Link>& link) {
  link->is_alive = false;
  link->is_closed[1] = true;
  if (link->is_attached) backlog_->Detach(link->cursor);
  link->is_attached = link->is_streaming = false;
  std::erase(replicas_, link);
  in_sync_->Remove(link.get(), Nanos());
}

void Node::BreakLinks() {
  for (const auto& link : replicas_) link->is_alive = false;
  if (upstream_ != nullptr) upstream_->is_alive = false;
}

// ---- As replica.

void Node::Follow(int primary, int64_t epoch) {
  if (epoch < epoch_ || (epoch == epoch_ && (is_primary_ || upstream_node_ == primary))) return;
  StepDown();
  LeaveUpstream();
  epoch_ = epoch;
  upstream_node_ = primary;
  Connect();
}

void Node::LeaveUpstream() {
  if (upstream_ != nullptr) {
    upstream_->is_alive = false;
    upstream_->is_closed[0] = true;
  }
  upstream_.reset();
}

void Node::Connect() {
  LeaveUpstream();
  upstream_ = std::make_shared<Link>();
  upstream_->primary = upstream_node_;
  upstream_->replica = index_;
  upstream_->epoch = epoch_;
  upstream_heard_ = around_.world.now();
  reader_.reset();
  Deliver(upstream_, true,
          [link = upstream_, id = ids_.current, wanted = head_, life = life_](Node& primary) {
            primary.Accept(link, id, wanted, life);
          });
}

void Node::Continue(const std::string& id) {
  upstream_heard_ = around_.world.now();
  reader_ = std::make_unique<engine::RecordReader>();
  if (ids_.GoOnAs(id, head_)) WriteIds();
  around_.history.NoteData(ids_.current, head_, data_.digest, index_);
  SendAck();
}

void Node::Copy(const std::string& id, Lsn lsn, const Data& data) {
  upstream_heard_ = around_.world.now();
  reader_ = std::make_unique<engine::RecordReader>();
  Reset(data, lsn, id);
  SendAck();
}

void Node::Receive(const std::string& bytes) {
  upstream_heard_ = around_.world.now();
  if (reader_ == nullptr) return;
  reader_->Append(bytes);
  engine::RecordReader::Record record;
  while (true) {
    const auto more = reader_->Next(record);
    if (!more.ok()) {
      around_.history.Fail("a replica was sent something malformed");
      return;
    }
    if (!more.value()) break;
    const std::string text(record.bytes);
    Append(text);
    Execute(text, record.commands);
    around_.history.NoteData(ids_.current, head_, data_.digest, index_);
  }
  SendAck();
}

void Node::SendAck() {
  if (upstream_ == nullptr || reader_ == nullptr) return;
  const Lsn lsn =
      around_.scenario.syncs_disk ? disk_.base_lsn + static_cast<Lsn>(disk_.synced) : head_;
  Deliver(upstream_, true, [link = upstream_, lsn](Node& primary) { primary.TakeAck(link, lsn); });
}

void Node::Deliver(const std::shared_ptr<Link>& link, bool to_primary,
                   std::function<void(Node&)> action) {
  const int from = to_primary ? link->replica : link->primary;
  const int to = to_primary ? link->primary : link->replica;
  Micros& arrival = link->arrival[to_primary ? 0 : 1];
  arrival = std::max(arrival + 1, around_.world.now() + around_.network.Delay());
  Node& receiver = *around_.nodes[static_cast<size_t>(to)];
  around_.world.After(arrival - around_.world.now(), [this, link, from, to, to_primary, &receiver,
                                                      action = std::move(action)]() mutable {
    // A message that does not come breaks the connection, and nobody is told.
    if (around_.network.IsCut(from, to)) link->is_alive = false;
    if (!link->is_alive) return;
    // What has arrived is read, also when the other side has closed the connection meanwhile.
    receiver.When(kEngine, receiver.life_,
                  [link, to_primary, &receiver, action = std::move(action)] {
                    if (!link->is_closed[to_primary ? 1 : 0]) action(receiver);
                  });
  });
}

void Node::AskPosition(std::function<void(Position)> answer) {
  When(kEngine, life_, [this, answer = std::move(answer)] {
    const bool forgets = around_.scenario.mutant == Mutant::kForgetsCrash;
    answer({epoch_, head_, forgets ? -1 : life_});
  });
}

}  // namespace mikura::simulation
