// SPDX-License-Identifier: Apache-2.0
// The compact forms in which RDB files hold small collections: listpacks (Redis 7), ziplists,
// zipmaps and intsets (before). The bytes are hostile: each form is walked with its bounds checked.
// Layouts: docs/formats/rdb.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mikura::engine {

enum class CompactForm : uint8_t { kListpack, kZiplist, kZipmap, kIntset };

// Goes through the elements; integers appear as their decimal text.
class CompactReader {
 public:
  CompactReader(CompactForm form, std::string_view bytes);

  // True with the next element, which is valid until the next call; false at the end, and when the
  // bytes are not what they should be.
  bool Next(std::string_view& element);
  // Whether the walk ended because of malformed bytes. To be asked after Next() was false.
  bool is_malformed() const { return is_malformed_; }

 private:
  bool Fail() {
    is_malformed_ = true;
    return false;
  }
  bool Take(size_t bytes, std::string_view& out);
  bool TakeInteger(int bytes, std::string_view& element);
  bool ShowInteger(int64_t value, std::string_view& element);
  bool NextOfListpack(std::string_view& element);
  bool TakeListpackElement(uint8_t first, std::string_view& element);
  bool NextOfZiplist(std::string_view& element);
  bool NextOfZipmap(std::string_view& element);
  bool NextOfIntset(std::string_view& element);

  const CompactForm form_;
  std::string_view rest_;
  bool is_malformed_ = false;
  bool at_value_ = false;       // zipmap: a value comes next, behind its unused byte
  int integer_bytes_ = 0;       // intset
  uint32_t integers_left_ = 0;  // intset
  char text_[24];
};

// Builds a listpack.
class ListpackWriter {
 public:
  ListpackWriter();
  void AddString(std::string_view element);
  void AddInteger(int64_t value);
  // Elements so far.
  uint32_t count() const { return count_; }
  // Ends it; the writer is done with then.
  std::string Finish();

 private:
  void AddBackLength(size_t entry_bytes);

  std::string bytes_;
  uint32_t count_ = 0;
};

}  // namespace mikura::engine
