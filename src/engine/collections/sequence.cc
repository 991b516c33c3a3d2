// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/sequence.h"

#include <utility>

#include "base/check.h"

namespace mikura::engine::collections {
namespace {

constexpr size_t kVarintBytesMax = 10;

// An element's length as it stands in front of it.
class LengthBytes {
 public:
  explicit LengthBytes(size_t length)
      : size_(static_cast<size_t>(PutVarint(bytes_, length) - bytes_)) {}
  std::string_view view() const { return {bytes_, size_}; }

 private:
  char bytes_[kVarintBytesMax];
  size_t size_;
};

// Puts the element in place of `old_size` bytes at `offset`.
void PutElement(std::string& bytes, size_t offset, size_t old_size, std::string_view element) {
  const LengthBytes length(element.size());
  if (offset == bytes.size()) {  // behind all others
    bytes.reserve(offset + length.view().size() + element.size());
    bytes.append(length.view()).append(element);
    return;
  }
  const size_t size = length.view().size() + element.size();
  // Two steps of replace() would move what is behind twice.
  if (size > old_size) {
    bytes.insert(offset, size - old_size, '\0');
  } else if (size < old_size) {
    bytes.erase(offset, old_size - size);
  }
  bytes.replace(offset, length.view().size(), length.view());
  bytes.replace(offset + length.view().size(), element.size(), element);
}

}  // namespace

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<uint64_t> TakeLongVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

void Sequence::NoteSplice(size_t offset, size_t removed) {
  has_splice_ = true;
  splice_offset_ = offset;
  splice_removed_ = removed;
}

void Sequence::MakeSplice(size_t more) {
  const PackedSplice made = *splice();
  std::string whole;
  whole.reserve(made.size() + more);
  whole.append(made.before()).append(made.added).append(made.behind());
  own_ = std::move(whole);
  view_ = {};
  is_owned_ = true;
  has_splice_ = false;
}

std::string& Sequence::Own(size_t more) {
  if (has_splice_) MakeSplice(more);
  if (!is_owned_) {
    own_.reserve(view_.size() + more);
    own_.assign(view_);
    view_ = {};
    is_owned_ = true;
  }
  return own_;
}

size_t Sequence::OffsetOf(uint64_t index) const {
  std::string_view rest = packed();
  if (index == count_) return rest.size();
  const char* const begin = rest.data();
  for (; index > 0; --index) TakeElement(rest);
  return static_cast<size_t>(rest.data() - begin);
}

void Sequence::Unpack() {
  if (!is_packed_) return;
  ElementTree tree(tree_.memory(), tree_.order_of());
  std::string_view rest = packed();
  if (!rest.empty()) {
    const size_t bytes = rest.size() + static_cast<size_t>(count_) * sizeof(uint16_t);
    tree.Start(TakeElement(rest), bytes);
  }
  while (!rest.empty()) tree.Append(TakeElement(rest));
  BecomeTree(std::move(tree));
}

void Sequence::BecomeTree(ElementTree tree) {
  tree_ = std::move(tree);
  is_packed_ = false;
  is_owned_ = false;
  has_splice_ = false;
  view_ = {};
  own_ = {};
  count_ = 0;
}

std::string_view Sequence::At(uint64_t index) const {
  if (!is_packed_) return tree_.At(index);
  DCHECK(index < count_);
  std::string_view rest = packed().substr(OffsetOf(index));
  return TakeElement(rest);
}

void Sequence::Insert(uint64_t index, std::string_view element) {
  if (!is_packed_) return tree_.Insert(index, element);
  DCHECK(index <= count_);
  InsertAt({index, OffsetOf(index)}, element);
}

void Sequence::InsertAt(const PackedSpot& spot, std::string_view element) {
  DCHECK(is_packed_ && spot.offset <= packed_bytes());
  PutAt(spot.offset, 0, element);
  ++count_;
}

void Sequence::Replace(uint64_t index, std::string_view element) {
  if (!is_packed_) return tree_.Replace(index, element);
  DCHECK(index < count_);
  ReplaceAt({index, OffsetOf(index)}, element);
}

void Sequence::ReplaceAt(const PackedSpot& spot, std::string_view element) {
  DCHECK(is_packed_ && spot.offset < packed_bytes());
  std::string_view rest = packed().substr(spot.offset);
  const size_t before = rest.size();
  TakeElement(rest);
  PutAt(spot.offset, before - rest.size(), element);
}

void Sequence::EraseAt(const PackedSpot& spot) {
  DCHECK(is_packed_ && spot.offset < packed_bytes());
  std::string_view rest = packed().substr(spot.offset);
  const size_t before = rest.size();
  TakeElement(rest);
  EraseBytes(spot.offset, before - rest.size());
  --count_;
}

void Sequence::MoveAt(const PackedSpot& from, const PackedSpot& to, std::string_view element) {
  DCHECK(is_packed_ && from.offset < packed_bytes() && to.offset <= packed_bytes());
  std::string_view rest = packed().substr(from.offset);
  const size_t before = rest.size();
  TakeElement(rest);
  const size_t removed = before - rest.size();
  if (to.offset == from.offset || to.offset == from.offset + removed) {
    return PutAt(from.offset, removed, element);
  }
  if (!is_unchanged_view()) {
    EraseBytes(from.offset, removed);
    const size_t offset = to.offset > from.offset ? to.offset - removed : to.offset;
    return PutAt(offset, 0, element);
  }
  // One splice of all between the two places.
  if (to.offset < from.offset) {
    PutElement(own_, 0, 0, element);
    own_.append(view_.substr(to.offset, from.offset - to.offset));
    return NoteSplice(to.offset, from.offset + removed - to.offset);
  }
  const size_t behind = from.offset + removed;
  own_.assign(view_.substr(behind, to.offset - behind));
  PutElement(own_, own_.size(), 0, element);
  NoteSplice(from.offset, to.offset - from.offset);
}

void Sequence::Erase(uint64_t index, uint64_t count) {
  if (!is_packed_) return tree_.Erase(index, count);
  DCHECK(index + count <= count_);
  const size_t begin = OffsetOf(index);
  EraseBytes(begin, OffsetOf(index + count) - begin);
  count_ -= count;
}

void Sequence::PutAt(size_t offset, size_t removed, std::string_view element) {
  if (!is_unchanged_view()) {
    return PutElement(Own(element.size() + kVarintBytesMax), offset, removed, element);
  }
  PutElement(own_, 0, 0, element);
  NoteSplice(offset, removed);
}

void Sequence::EraseBytes(size_t offset, size_t bytes) {
  if (is_unchanged_view()) return NoteSplice(offset, bytes);
  Own(0).erase(offset, bytes);
}

void Sequence::Clear() {
  if (!is_packed_) return tree_.Clear();
  own_.clear();
  view_ = {};
  is_owned_ = true;
  has_splice_ = false;
  count_ = 0;
}

Sequence::Cursor::Cursor(const Sequence& sequence, uint64_t index)
    : sequence_(&sequence), index_(index) {
  if (!sequence.is_packed_) {
    tree_.emplace(sequence.tree_, index);
  } else if (index >= sequence.count_) {
    at_end_ = true;
  } else {
    Load();
  }
}

void Sequence::Cursor::Load() {
  rest_ = sequence_->packed().substr(sequence_->OffsetOf(index_));
  element_ = TakeElement(rest_);
}

void Sequence::Cursor::Previous() {
  if (tree_) return tree_->Previous();
  if (index_ == 0) {
    at_end_ = true;
    return;
  }
  --index_;
  Load();
}

}  // namespace mikura::engine::collections
