// SPDX-License-Identifier: Apache-2.0
// Writes replies in RESP2 or RESP3, whichever the client chose with HELLO.
// Source: the RESP specification; the RESP2 form of a RESP3 type is the one Redis uses.
#pragma once

#include <cstdint>
#include <string_view>

#include "wire/output_buffer.h"

namespace mikura::wire {

class RespWriter {
 public:
  RespWriter(OutputBuffer& out, int version) : out_(&out), version_(version) {}

  int version() const { return version_; }
  void set_version(int version) { version_ = version; }
  OutputBuffer& out() { return *out_; }
  void set_out(OutputBuffer& out) { out_ = &out; }

  void Ok() { out_->Append("+OK\r\n"); }
  void Simple(std::string_view text);  // must hold no line end
  // "-CODE message"; line ends inside are replaced by blanks (no injection of replies).
  void Error(std::string_view code, std::string_view message);
  void Integer(int64_t value);
  void Bulk(std::string_view bytes);
  // The same without copying, when out().takes_insertions().
  void BulkShared(SharedBytes bytes);
  void BulkInteger(int64_t value);  // the integer as a bulk string
  void Null();                      // $-1 or _
  void NullArray();                 // *-1 or _
  void Array(size_t count) { Header('*', count); }
  void Map(size_t pairs);  // RESP2: an array of 2 * pairs
  void Set(size_t count);  // RESP2: an array
  void Push(size_t count);
  void Double(double value);  // RESP2: a bulk string
  // A double in the caller's words: decimal digits, as many as there are.
  void DoubleText(std::string_view digits);
  void Boolean(bool value);                                       // RESP2: 1 or 0
  void Verbatim(std::string_view format, std::string_view text);  // RESP2: a bulk string

 private:
  void Header(char kind, uint64_t count);

  OutputBuffer* out_;
  int version_;
};

}  // namespace mikura::wire
