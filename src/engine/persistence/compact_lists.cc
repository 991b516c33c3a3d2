// SPDX-License-Identifier: Apache-2.0
#include "engine/persistence/compact_lists.h"

#include <utility>

#include "base/numbers.h"

namespace mikura::engine {
namespace {

constexpr uint8_t kEnd = 0xFF;
constexpr size_t kListpackHeaderBytes = 6;
constexpr size_t kZiplistHeaderBytes = 10;
constexpr size_t kIntsetHeaderBytes = 8;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

int64_t SignExtended(uint64_t value, int bits) {
  const int unused = 64 - bits;
  return static_cast<int64_t>(value << unused) >> unused;
}

// Bytes of the length that stands behind an entry of a listpack, for walking backwards.
size_t BackLengthBytes(size_t entry_bytes) {
  size_t bytes = 1;
  while (entry_bytes > 127 && bytes < 5) {
    entry_bytes >>= 7;
    ++bytes;
  }
  return bytes;
}

}  // namespace

CompactReader::CompactReader(CompactForm form, std::string_view bytes) : form_(form), rest_(bytes) {
  std::string_view header;
  switch (form) {
    case CompactForm::kListpack:
      if (!Take(kListpackHeaderBytes, header)) return;
      is_malformed_ = LittleEndian(header.substr(0, 4)) != bytes.size();
      return;
    case CompactForm::kZiplist:
      if (!Take(kZiplistHeaderBytes, header)) return;
      is_malformed_ = LittleEndian(header.substr(0, 4)) != bytes.size();
      return;
    case CompactForm::kZipmap:
      Take(1, header);
      return;
    case CompactForm::kIntset:
      if (!Take(kIntsetHeaderBytes, header)) return;
      integer_bytes_ = static_cast<int>(LittleEndian(header.substr(0, 4)) & 15);
      integers_left_ = static_cast<uint32_t>(LittleEndian(header.substr(4)));
      is_malformed_ =
          (integer_bytes_ != 2 && integer_bytes_ != 4 && integer_bytes_ != 8) ||
          LittleEndian(header.substr(0, 4)) > 8 ||
          uint64_t{integers_left_} * static_cast<uint64_t>(integer_bytes_) != rest_.size();
      return;
  }
}

bool CompactReader::Next(std::string_view& element) {
  if (is_malformed_) return false;
  switch (form_) {
    case CompactForm::kListpack:
      return NextOfListpack(element);
    case CompactForm::kZiplist:
      return NextOfZiplist(element);
    case CompactForm::kZipmap:
      return NextOfZipmap(element);
    case CompactForm::kIntset:
      break;
  }
  return NextOfIntset(element);
}

bool CompactReader::Take(size_t bytes, std::string_view& out) {
  if (rest_.size() < bytes) return Fail();
  out = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return true;
}

bool CompactReader::ShowInteger(int64_t value, std::string_view& element) {
  element = {text_, FormatInt64(value, text_)};
  return true;
}

// A little-endian signed integer.
bool CompactReader::TakeInteger(int bytes, std::string_view& element) {
  std::string_view raw;
  if (!Take(static_cast<size_t>(bytes), raw)) return false;
  return ShowInteger(SignExtended(LittleEndian(raw), 8 * bytes), element);
}

bool CompactReader::NextOfListpack(std::string_view& element) {
  std::string_view byte;
  const std::string_view entry = rest_;
  if (!Take(1, byte)) return false;
  const auto first = static_cast<uint8_t>(byte[0]);
  if (first == kEnd) return rest_.empty() ? false : Fail();
  if (!TakeListpackElement(first, element)) return false;
  std::string_view back_length;
  return Take(BackLengthBytes(entry.size() - rest_.size()), back_length);
}

bool CompactReader::TakeListpackElement(uint8_t first, std::string_view& element) {
  std::string_view more;
  if (first < 0x80) return ShowInteger(first, element);
  if (first < 0xC0) return Take(first & 0x3F, element);
  if (first < 0xE0) {
    if (!Take(1, more)) return false;
    return ShowInteger(SignExtended(uint64_t{first & 0x1Fu} << 8 | BigEndian(more), 13), element);
  }
  if (first < 0xF0) {
    if (!Take(1, more)) return false;
    return Take(size_t{first & 0x0Fu} << 8 | BigEndian(more), element);
  }
  switch (first) {
    case 0xF0:
      return Take(4, more) && Take(LittleEndian(more), element);
    case 0xF1:
      return TakeInteger(2, element);
    case 0xF2:
      return TakeInteger(3, element);
    case 0xF3:
      return TakeInteger(4, element);
    case 0xF4:
      return TakeInteger(8, element);
    default:
      return Fail();
  }
}

bool CompactReader::NextOfZiplist(std::string_view& element) {
  std::string_view bytes;
  if (!Take(1, bytes)) return false;
  if (static_cast<uint8_t>(bytes[0]) == kEnd) return rest_.empty() ? false : Fail();
  if (static_cast<uint8_t>(bytes[0]) == 0xFE && !Take(4, bytes)) return false;  // length before
  if (!Take(1, bytes)) return false;
  const auto first = static_cast<uint8_t>(bytes[0]);
  switch (first >> 6) {
    case 0:
      return Take(first & 0x3F, element);
    case 1:
      return Take(1, bytes) && Take(size_t{first & 0x3Fu} << 8 | BigEndian(bytes), element);
    case 2:
      return Take(4, bytes) && Take(BigEndian(bytes), element);
    default:
      break;
  }
  switch (first) {
    case 0xC0:
      return TakeInteger(2, element);
    case 0xD0:
      return TakeInteger(4, element);
    case 0xE0:
      return TakeInteger(8, element);
    case 0xF0:
      return TakeInteger(3, element);
    case 0xFE:
      return TakeInteger(1, element);
    default:
      return first >= 0xF1 && first <= 0xFD ? ShowInteger((first & 15) - 1, element) : Fail();
  }
}

// <length>field<length><unused>value<unused bytes>
bool CompactReader::NextOfZipmap(std::string_view& element) {
  std::string_view bytes;
  if (!Take(1, bytes)) return false;
  const auto first = static_cast<uint8_t>(bytes[0]);
  if (first == kEnd && !at_value_) return rest_.empty() ? false : Fail();
  size_t size = first;
  if (first >= 0xFE) {
    if (first == kEnd || !Take(4, bytes)) return Fail();
    size = LittleEndian(bytes);
  }
  size_t unused = 0;
  if (at_value_) {
    if (!Take(1, bytes)) return false;
    unused = static_cast<uint8_t>(bytes[0]);
  }
  at_value_ = !at_value_;
  return Take(size, element) && Take(unused, bytes);
}

bool CompactReader::NextOfIntset(std::string_view& element) {
  if (integers_left_ == 0) return false;
  --integers_left_;
  return TakeInteger(integer_bytes_, element);
}

ListpackWriter::ListpackWriter() : bytes_(kListpackHeaderBytes, '\0') {}

void ListpackWriter::AddString(std::string_view element) {
  const size_t begin = bytes_.size();
  const size_t size = element.size();
  if (size < 64) {
    bytes_.push_back(static_cast<char>(0x80 | size));
  } else if (size < 4096) {
    bytes_.push_back(static_cast<char>(0xE0 | size >> 8));
    bytes_.push_back(static_cast<char>(size));
  } else {
    bytes_.push_back(static_cast<char>(0xF0));
    for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<char>(size >> shift));
  }
  bytes_.append(element);
  AddBackLength(bytes_.size() - begin);
}

void ListpackWriter::AddInteger(int64_t value) {
  const size_t begin = bytes_.size();
  const auto append = [&](uint8_t first, int bytes) {
    bytes_.push_back(static_cast<char>(first));
    for (int i = 0; i < bytes; ++i) bytes_.push_back(static_cast<char>(value >> (8 * i)));
  };
  const auto fits = [&](int bits) {
    return value >= -(int64_t{1} << (bits - 1)) && value < int64_t{1} << (bits - 1);
  };
  if (value >= 0 && value < 128) {
    append(static_cast<uint8_t>(value), 0);
  } else if (fits(13)) {
    bytes_.push_back(static_cast<char>(0xC0 | (value >> 8 & 0x1F)));
    bytes_.push_back(static_cast<char>(value));
  } else if (fits(16)) {
    append(0xF1, 2);
  } else if (fits(24)) {
    append(0xF2, 3);
  } else if (fits(32)) {
    append(0xF3, 4);
  } else {
    append(0xF4, 8);
  }
  AddBackLength(bytes_.size() - begin);
}

// The most significant seven bits first; all but the first byte have the top bit set.
void ListpackWriter::AddBackLength(size_t entry_bytes) {
  const size_t bytes = BackLengthBytes(entry_bytes);
  for (size_t i = bytes; i-- > 0;) {
    const auto part = static_cast<uint8_t>(entry_bytes >> (7 * i) & 0x7F);
    bytes_.push_back(static_cast<char>(i + 1 == bytes ? part : part | 0x80));
  }
  ++count_;
}

std::string ListpackWriter::Finish() {
  constexpr uint32_t kCountUnknown = 0xFFFF;
  bytes_.push_back(static_cast<char>(kEnd));
  const auto size = static_cast<uint32_t>(bytes_.size());
  const auto count = static_cast<uint16_t>(count_ < kCountUnknown ? count_ : kCountUnknown);
  for (size_t i = 0; i < 4; ++i) bytes_[i] = static_cast<char>(size >> (8 * i));
  bytes_[4] = static_cast<char>(count);
  bytes_[5] = static_cast<char>(count >> 8);
  return std::move(bytes_);
}

}  // namespace mikura::engine
