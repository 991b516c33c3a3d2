// SPDX-License-Identifier: Apache-2.0
#include "engine/server/pending_output.h"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace mikura::engine {
namespace {

constexpr size_t kPieceBytesMax = 256 << 10;  // a copied piece is freed when all of it was sent
constexpr size_t kPartsPerSend = 64;

// Gathers parts and sends them in order until the socket takes no more.
class GatheredSend {
 public:
  explicit GatheredSend(ConnectedSocket& socket) : socket_(socket) {}

  // False: the socket takes no more for now, or the peer is gone; nothing behind is to be added.
  bool Add(std::string_view part) {
    if (part.empty()) return true;
    parts_[count_++] = {const_cast<char*>(part.data()), part.size()};
    return count_ < kPartsPerSend || Flush();
  }
  bool Flush() {
    size_t first = 0;
    while (first < count_) {
      const ssize_t taken = socket_.SendParts({parts_.data() + first, count_ - first});
      if (taken < 0 && errno == EINTR) continue;
      if (taken < 0) {
        gone_ = errno != EAGAIN && errno != EWOULDBLOCK;
        return false;
      }
      sent_ += static_cast<size_t>(taken);
      first = Skip(first, static_cast<size_t>(taken));
    }
    count_ = 0;
    return true;
  }
  bool gone() const { return gone_; }
  size_t sent() const { return sent_; }

 private:
  size_t Skip(size_t first, size_t taken) {
    while (taken > 0) {
      iovec& part = parts_[first];
      const size_t here = std::min(taken, part.iov_len);
      part = {static_cast<char*>(part.iov_base) + here, part.iov_len - here};
      if (part.iov_len == 0) ++first;
      taken -= here;
    }
    return first;
  }

  ConnectedSocket& socket_;
  std::array<iovec, kPartsPerSend> parts_;
  size_t count_ = 0;
  size_t sent_ = 0;
  bool gone_ = false;
};

bool HasSource(std::span<wire::OutputBuffer::Insertion> insertions) {
  return std::any_of(insertions.begin(), insertions.end(),
                     [](const auto& insertion) { return wire::SourceOf(insertion.bytes); });
}

// Calls visit(text, insertion) for each part of `bytes` in order: a run of its own bytes (insertion
// null), or an insertion. Stops when visit returns false.
template <typename Visit>
bool VisitParts(std::string_view bytes, size_t base,
                std::span<wire::OutputBuffer::Insertion> insertions, Visit visit) {
  size_t at = 0;
  for (wire::OutputBuffer::Insertion& insertion : insertions) {
    const size_t place = insertion.offset - base;
    if (!visit(bytes.substr(at, place - at), nullptr)) return false;
    if (!visit(insertion.bytes.view(), &insertion)) return false;
    at = place;
  }
  return visit(bytes.substr(at), nullptr);
}

}  // namespace

PendingOutput::Piece& PendingOutput::AddPiece() {
  Piece& piece = pieces_.emplace_back();
  piece.until = hold_until_;
  return piece;
}

Lsn PendingOutput::FirstHeld() const {
  for (size_t i = first_; i < pieces_.size(); ++i) {
    if (IsHeld(pieces_[i])) return pieces_[i].until;
  }
  return 0;
}

bool PendingOutput::DropHeld() {
  hold_until_ = 0;
  const size_t before = pieces_.size();
  while (pieces_.size() > first_ && IsHeld(pieces_.back())) {
    const Piece& piece = pieces_.back();
    bytes_ -= piece.source != nullptr ? piece.expected : piece.view().size();
    if (!piece.is_shared) copied_.Add(-static_cast<int64_t>(piece.copied.capacity()));
    pieces_.pop_back();
  }
  const bool dropped = pieces_.size() < before;
  TidyFront();
  return dropped;
}

void PendingOutput::Append(std::string_view bytes) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  const bool fits = first_ < pieces_.size() && !pieces_.back().is_shared &&
                    pieces_.back().source == nullptr && pieces_.back().until >= hold_until_ &&
                    pieces_.back().copied.size() < kPieceBytesMax;
  if (!fits) AddPiece();
  std::string& copied = pieces_.back().copied;
  const size_t before = copied.empty() ? 0 : copied.capacity();
  copied.append(bytes);
  copied_.Add(static_cast<int64_t>(copied.capacity()) - static_cast<int64_t>(before));
}

void PendingOutput::Append(wire::SharedBytes bytes) {
  wire::ReplySource* const source = wire::SourceOf(bytes);
  if (source == nullptr && bytes.view().empty()) return;
  bytes_ += bytes.view().size();
  Piece& piece = AddPiece();
  piece.shared = std::move(bytes);
  piece.is_shared = true;
  piece.source = source;
  if (source != nullptr) CountSource(piece, static_cast<size_t>(source->bytes_left()));
}

// A source counts until it has ended, whatever it expects.
void PendingOutput::CountSource(Piece& piece, size_t expected) {
  expected = std::max(expected, size_t{1});
  bytes_ += expected - piece.expected;
  piece.expected = expected;
}

// `bytes` of the pieces in front of the first source.
void PendingOutput::DropFront(size_t bytes) {
  bytes_ -= bytes;
  while (bytes > 0) {
    Piece& piece = pieces_[first_];
    const size_t here = std::min(bytes, piece.view().size() - sent_);
    sent_ += here;
    bytes -= here;
    if (sent_ < piece.view().size()) break;
    if (!piece.is_shared) copied_.Add(-static_cast<int64_t>(piece.copied.capacity()));
    piece = Piece();
    sent_ = 0;
    ++first_;
  }
  TidyFront();
}

void PendingOutput::DropSource() {
  Piece& piece = pieces_[first_];
  bytes_ -= piece.expected;
  piece = Piece();
  copied_.Add(-static_cast<int64_t>(made_->bytes.capacity()));
  made_.reset();
  ++first_;
  TidyFront();
}

void PendingOutput::TidyFront() {
  if (bytes_ == 0) {
    std::vector<Piece>().swap(pieces_);
    first_ = 0;
    copied_.Set(0);
  } else if (first_ > kPartsPerSend && first_ > pieces_.size() / 2) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

bool PendingOutput::Flush(ConnectedSocket& socket) {
  wants_turn_ = false;
  bool has_made = false;
  std::optional<bool> takes_more = true;
  while (!empty() && takes_more == true) {
    Piece& front = pieces_[first_];
    if (IsHeld(front)) return true;
    if (front.source == nullptr) {
      takes_more = SendUpToSource(socket);
    } else if (made_ == nullptr || (made_->sent == made_->bytes.size() && !made_->is_last)) {
      if (has_made) {
        wants_turn_ = true;
        return true;
      }
      has_made = true;
      MakePiece(front);
      if (!wants_turn_ && made_->bytes.size() == 0 && !made_->is_last) return true;  // kLater
      wants_turn_ = false;
    } else {
      takes_more = SendMade(socket);
    }
  }
  return takes_more.has_value();
}

// Leaves wants_turn_ false when the source has nothing now.
void PendingOutput::MakePiece(Piece& piece) {
  if (made_ == nullptr) made_ = std::make_unique<Made>();
  made_->sent = 0;
  made_->bytes.Clear();
  const size_t before = made_->bytes.capacity();
  const wire::ReplySource::Outcome outcome = piece.source->Produce(made_->bytes);
  wants_turn_ = outcome != wire::ReplySource::Outcome::kLater;
  made_->is_last = outcome == wire::ReplySource::Outcome::kLast;
  made_bytes_ += made_->bytes.size();
  copied_.Add(static_cast<int64_t>(made_->bytes.capacity()) - static_cast<int64_t>(before));
  const uint64_t left = made_->is_last ? 0 : piece.source->bytes_left();
  CountSource(piece, static_cast<size_t>(left) + made_->bytes.size());
}

std::optional<bool> PendingOutput::SendMade(ConnectedSocket& socket) {
  GatheredSend send(socket);
  const bool takes_more = send.Add(made_->bytes.view().substr(made_->sent)) && send.Flush();
  if (send.gone()) return std::nullopt;
  made_->sent += send.sent();
  Piece& piece = pieces_[first_];
  CountSource(piece, piece.expected - std::min(piece.expected, send.sent()));
  if (made_->is_last && made_->sent == made_->bytes.size()) DropSource();
  return takes_more;
}

std::optional<bool> PendingOutput::SendUpToSource(ConnectedSocket& socket) {
  GatheredSend send(socket);
  bool taken = send.Add(pieces_[first_].view().substr(sent_));
  for (size_t i = first_ + 1; i < pieces_.size() && taken && pieces_[i].source == nullptr; ++i) {
    if (IsHeld(pieces_[i])) break;
    taken = send.Add(pieces_[i].view());
  }
  if (taken) taken = send.Flush();
  DropFront(send.sent());
  if (send.gone()) return std::nullopt;
  return taken;
}

void PendingOutput::AppendBehind(size_t skipped, std::string_view bytes, size_t base,
                                 std::span<wire::OutputBuffer::Insertion> insertions) {
  VisitParts(bytes, base, insertions,
             [&](std::string_view part, wire::OutputBuffer::Insertion* insertion) {
               const size_t here = std::min(skipped, part.size());
               skipped -= here;
               if (insertion == nullptr) {
                 Append(part.substr(here));
               } else if (wire::SourceOf(insertion->bytes) != nullptr) {
                 Append(std::move(insertion->bytes));
               } else if (here < part.size()) {
                 insertion->bytes.RemovePrefix(here);
                 Append(std::move(insertion->bytes));
               }
               return true;
             });
}

bool PendingOutput::Send(ConnectedSocket& socket, std::string_view bytes, size_t base,
                         std::span<wire::OutputBuffer::Insertion> insertions) {
  if (!Flush(socket)) return false;
  if (HasSource(insertions)) {
    AppendBehind(0, bytes, base, insertions);
    return Flush(socket);
  }
  GatheredSend send(socket);
  if (empty() && hold_until_ <= released_) {
    const bool taken = VisitParts(bytes, base, insertions,
                                  [&](std::string_view part, const wire::OutputBuffer::Insertion*) {
                                    return send.Add(part);
                                  });
    if (taken) send.Flush();
    if (send.gone()) return false;
  }
  AppendBehind(send.sent(), bytes, base, insertions);
  return true;
}

}  // namespace mikura::engine
