// SPDX-License-Identifier: Apache-2.0
// The message is a polynomial over GF(2), first bit first. Leading zeros change nothing because the
// CRC starts at 0; so a message is taken as 128-bit blocks whose first one is filled up in front.
#include "engine/store/crc16.h"

#include <array>
#include <cstddef>
#include <cstring>

#ifdef __PCLMUL__
#include <emmintrin.h>
#include <wmmintrin.h>
#endif

namespace mikura::engine {
namespace {

constexpr uint32_t kPolynomial = 0x1021;  // without the leading x^16

// x^exponent mod the polynomial.
constexpr uint64_t PowerOfX(int exponent) {
  uint32_t remainder = 1;
  for (int i = 0; i < exponent; ++i) {
    remainder <<= 1;
    if (remainder & 0x10000) remainder ^= 0x10000 | kPolynomial;
  }
  return remainder;
}

// table[k][b]: CRC of the byte b followed by k zero bytes.
constexpr std::array<std::array<uint16_t, 256>, 8> MakeTables() {
  std::array<std::array<uint16_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte << 8;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 0x8000) ? ((crc << 1) ^ kPolynomial) & 0xFFFF : (crc << 1) & 0xFFFF;
    }
    tables[0][byte] = static_cast<uint16_t>(crc);
  }
  for (size_t k = 1; k < 8; ++k) {
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint16_t crc = tables[k - 1][byte];
      tables[k][byte] = static_cast<uint16_t>((crc << 8) ^ tables[0][crc >> 8]);
    }
  }
  return tables;
}

constexpr auto kTables = MakeTables();

}  // namespace

uint16_t Crc16ByTables(std::string_view bytes) {
  const auto* p = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t left = bytes.size();
  uint32_t crc = 0;
  for (; left >= 8; left -= 8, p += 8) {
    crc = kTables[7][p[0] ^ (crc >> 8)] ^ kTables[6][p[1] ^ (crc & 0xFF)] ^ kTables[5][p[2]] ^
          kTables[4][p[3]] ^ kTables[3][p[4]] ^ kTables[2][p[5]] ^ kTables[1][p[6]] ^
          kTables[0][p[7]];
  }
  for (; left > 0; --left, ++p) {
    crc = ((crc << 8) & 0xFFFF) ^ kTables[0][(crc >> 8) ^ *p];
  }
  return static_cast<uint16_t>(crc);
}

#ifdef __PCLMUL__

namespace {

uint64_t LoadBigEndian(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, sizeof value);
  return __builtin_bswap64(value);
}

// The first `count` (0 to 8) bytes at p as the low bits of a number, without reading beyond them.
uint64_t LoadShort(const char* p, size_t count) {
  if (count >= 8) return LoadBigEndian(p);
  if (count >= 4) {
    uint32_t first;
    uint32_t last;
    std::memcpy(&first, p, sizeof first);
    std::memcpy(&last, p + count - 4, sizeof last);
    // The bytes that both loads cover are the same bits of the result.
    return (uint64_t{__builtin_bswap32(first)} << (8 * (count - 4))) | __builtin_bswap32(last);
  }
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = (value << 8) | static_cast<uint8_t>(p[i]);
  return value;
}

struct Wide {
  uint64_t high;
  uint64_t low;
};

Wide Multiply(uint64_t a, uint64_t b) {
  const __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(a)),
                                               _mm_cvtsi64_si128(static_cast<int64_t>(b)), 0);
  return {static_cast<uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(product, product))),
          static_cast<uint64_t>(_mm_cvtsi128_si64(product))};
}

// floor(x^80 / polynomial) without its leading x^64.
constexpr uint64_t Quotient() {
  uint64_t quotient = 0;
  uint32_t remainder = kPolynomial;  // x^16 mod polynomial, after the quotient's leading bit
  for (int i = 0; i < 64; ++i) {
    remainder <<= 1;
    quotient <<= 1;
    if (remainder & 0x10000) {
      remainder ^= 0x10000 | kPolynomial;
      quotient |= 1;
    }
  }
  return quotient;
}

constexpr uint64_t kQuotient = Quotient();
constexpr uint64_t kX64 = PowerOfX(64);
constexpr uint64_t kX128 = PowerOfX(128);
constexpr uint64_t kX192 = PowerOfX(192);

// value * x^16 mod polynomial (Barrett).
uint16_t Reduce(uint64_t value) {
  const uint64_t quotient = value ^ Multiply(value, kQuotient).high;
  return static_cast<uint16_t>(Multiply(quotient, kPolynomial).low);
}

}  // namespace

uint16_t Crc16(std::string_view bytes) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  if (left <= 8) return Reduce(LoadShort(p, left));
  const size_t head = left % 16 == 0 ? 16 : left % 16;
  Wide sum{0, 0};
  if (head > 8) sum.high = LoadShort(p, head - 8);
  sum.low = head > 8 ? LoadBigEndian(p + head - 8) : LoadShort(p, head);
  p += head;
  left -= head;
  for (; left > 0; left -= 16, p += 16) {
    const Wide a = Multiply(sum.high, kX192);
    const Wide b = Multiply(sum.low, kX128);
    sum.high = a.high ^ b.high ^ LoadBigEndian(p);
    sum.low = a.low ^ b.low ^ LoadBigEndian(p + 8);
  }
  Wide folded = Multiply(sum.high, kX64);  // 80 bits
  folded.low ^= sum.low;
  return Reduce(folded.low ^ Multiply(folded.high, kX64).low);
}

#else

uint16_t Crc16(std::string_view bytes) { return Crc16ByTables(bytes); }

#endif

}  // namespace mikura::engine
