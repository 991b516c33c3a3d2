// SPDX-License-Identifier: Apache-2.0
#include "wire/resp_writer.h"

#include "base/numbers.h"

namespace mikura::wire {
namespace {

constexpr size_t kNumberMax = 24;

// Writes the decimal digits of `value` to `out`; returns the end.
char* PutLong(char* out, uint64_t value) {
  char digits[20];
  char* first = digits + sizeof(digits);
  do {
    *--first = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  const size_t count = static_cast<size_t>(digits + sizeof(digits) - first);
  std::memcpy(out, first, count);
  return out + count;
}

// The same; lengths and counts have one or two digits as a rule.
inline char* PutUnsigned(char* out, uint64_t value) {
  if (value >= 100) return PutLong(out, value);
  const auto tens = static_cast<uint32_t>(value) / 10;
  *out = static_cast<char>('0' + tens);
  out += tens != 0;
  *out = static_cast<char>('0' + (static_cast<uint32_t>(value) - tens * 10));
  return out + 1;
}

}  // namespace

void RespWriter::Header(char kind, uint64_t count) {
  char* begin = out_->Reserve(kNumberMax);
  char* end = begin;
  *end++ = kind;
  end = PutUnsigned(end, count);
  *end++ = '\r';
  *end++ = '\n';
  out_->Advance(static_cast<size_t>(end - begin));
}

void RespWriter::Simple(std::string_view text) {
  out_->Append('+');
  out_->Append(text);
  out_->Append("\r\n");
}

void RespWriter::Error(std::string_view code, std::string_view message) {
  out_->Append('-');
  out_->Append(code);
  out_->Append(' ');
  char* begin = out_->Reserve(message.size());
  for (size_t i = 0; i < message.size(); ++i) {
    const char c = message[i];
    begin[i] = c == '\r' || c == '\n' ? ' ' : c;
  }
  out_->Advance(message.size());
  out_->Append("\r\n");
}

void RespWriter::Integer(int64_t value) {
  char* begin = out_->Reserve(kNumberMax);
  char* end = begin;
  *end++ = ':';
  end += FormatInt64(value, end);
  *end++ = '\r';
  *end++ = '\n';
  out_->Advance(static_cast<size_t>(end - begin));
}

void RespWriter::Bulk(std::string_view bytes) {
  char* begin = out_->Reserve(kNumberMax + bytes.size() + 2);
  char* end = begin;
  *end++ = '$';
  end = PutUnsigned(end, bytes.size());
  *end++ = '\r';
  *end++ = '\n';
  if (!bytes.empty()) std::memcpy(end, bytes.data(), bytes.size());
  end += bytes.size();
  *end++ = '\r';
  *end++ = '\n';
  out_->Advance(static_cast<size_t>(end - begin));
}

void RespWriter::BulkShared(SharedBytes bytes) {
  Header('$', bytes.view().size());
  out_->AppendShared(std::move(bytes));
  out_->Append("\r\n");
}

void RespWriter::BulkInteger(int64_t value) {
  char digits[kNumberMax];
  Bulk({digits, FormatInt64(value, digits)});
}

void RespWriter::Null() { out_->Append(version_ >= 3 ? "_\r\n" : "$-1\r\n"); }

void RespWriter::NullArray() { out_->Append(version_ >= 3 ? "_\r\n" : "*-1\r\n"); }

void RespWriter::Map(size_t pairs) {
  if (version_ >= 3) {
    Header('%', pairs);
  } else {
    Header('*', pairs * 2);
  }
}

void RespWriter::Set(size_t count) { Header(version_ >= 3 ? '~' : '*', count); }

void RespWriter::Push(size_t count) { Header(version_ >= 3 ? '>' : '*', count); }

void RespWriter::Double(double value) {
  char text[kDoubleTextMax];
  DoubleText({text, FormatDouble17(value, text)});
}

void RespWriter::DoubleText(std::string_view digits) {
  if (version_ < 3) {
    Bulk(digits);
    return;
  }
  out_->Append(',');
  out_->Append(digits);
  out_->Append("\r\n");
}

void RespWriter::Boolean(bool value) {
  if (version_ >= 3) {
    out_->Append(value ? "#t\r\n" : "#f\r\n");
  } else {
    Integer(value ? 1 : 0);
  }
}

void RespWriter::Verbatim(std::string_view format, std::string_view text) {
  if (version_ < 3) {
    Bulk(text);
    return;
  }
  Header('=', format.size() + 1 + text.size());
  out_->Append(format);
  out_->Append(':');
  out_->Append(text);
  out_->Append("\r\n");
}

}  // namespace mikura::wire
