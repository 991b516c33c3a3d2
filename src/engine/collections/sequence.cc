// SPDX-License-Identifier: Apache-2.0
#include "engine/collections/sequence.h"

#include "base/check.h"

namespace mikura::engine::collections {
namespace {

// The element at the front of `bytes`, which must hold one; takes it off.
std::string_view TakeElement(std::string_view& bytes) {
  const std::optional<uint64_t> length = TakeVarint(bytes);
  DCHECK(length && *length <= bytes.size());
  const std::string_view element = bytes.substr(0, static_cast<size_t>(*length));
  bytes.remove_prefix(element.size());
  return element;
}

}  // namespace

size_t VarintBytes(uint64_t value) {
  size_t bytes = 1;
  for (; value >= 0x80; value >>= 7) ++bytes;
  return bytes;
}

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<uint8_t>(bytes[i]);
    value |= uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::string& Sequence::Own() {
  if (!is_owned_) {
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
  for (std::string_view rest = packed(); !rest.empty();) tree.Append(TakeElement(rest));
  BecomeTree(std::move(tree));
}

void Sequence::BecomeTree(ElementTree tree) {
  tree_ = std::move(tree);
  is_packed_ = false;
  is_owned_ = false;
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
  const size_t offset = OffsetOf(index);
  std::string& bytes = Own();
  if (offset == bytes.size()) {
    AppendVarint(bytes, element.size());
    bytes.append(element);
  } else {
    std::string one;
    AppendVarint(one, element.size());
    one.append(element);
    bytes.insert(offset, one);
  }
  ++count_;
}

void Sequence::Replace(uint64_t index, std::string_view element) {
  if (!is_packed_) return tree_.Replace(index, element);
  DCHECK(index < count_);
  const size_t begin = OffsetOf(index);
  std::string_view rest = packed().substr(begin);
  const size_t before = rest.size();
  TakeElement(rest);
  const size_t old_size = before - rest.size();
  std::string one;
  AppendVarint(one, element.size());
  one.append(element);
  Own().replace(begin, old_size, one);
}

void Sequence::Erase(uint64_t index, uint64_t count) {
  if (!is_packed_) return tree_.Erase(index, count);
  DCHECK(index + count <= count_);
  const size_t begin = OffsetOf(index);
  const size_t end = OffsetOf(index + count);
  Own().erase(begin, end - begin);
  count_ -= count;
}

void Sequence::Clear() {
  if (!is_packed_) return tree_.Clear();
  Own().clear();
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

void Sequence::Cursor::Next() {
  if (tree_) return tree_->Next();
  ++index_;
  if (rest_.empty()) {
    at_end_ = true;
  } else {
    element_ = TakeElement(rest_);
  }
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
