// SPDX-License-Identifier: Apache-2.0
// The message is a polynomial over GF(2), first bit first. Leading zeros change nothing because the
// CRC starts at 0; so a message is taken as 128-bit blocks whose first one is filled up in front.
#include "engine/store/crc16.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__PCLMUL__) && defined(__SSSE3__)
#define MIKURA_CARRYLESS_CRC 1
#include <tmmintrin.h>
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

#ifdef MIKURA_CARRYLESS_CRC

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

__m128i Pair(uint64_t high, uint64_t low) {
  return _mm_set_epi64x(static_cast<int64_t>(high), static_cast<int64_t>(low));
}

// Shuffles that take the first 16 - k bytes of a block as one number, first byte highest: from k
// on.
alignas(16) constexpr uint8_t kReversals[32] = {
    15,   14,   13,   12,   11,   10,   9,    8,    7,    6,    5,    4,    3,    2,    1,    0,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

// The first `count` (1 to 16) of the 16 readable bytes at p.
__m128i LoadBlock(const char* p, size_t count) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i order = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kReversals + 16 - count));
  return _mm_shuffle_epi8(bytes, order);
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

// The low half of `value` times x^16 mod polynomial (Barrett).
uint16_t Reduce(__m128i value) {
  const __m128i constants = Pair(kPolynomial, kQuotient);
  const __m128i product = _mm_clmulepi64_si128(value, constants, 0x00);
  const __m128i quotient = _mm_xor_si128(value, _mm_srli_si128(product, 8));
  return static_cast<uint16_t>(_mm_cvtsi128_si32(_mm_clmulepi64_si128(quotient, constants, 0x10)));
}

}  // namespace

uint16_t Crc16(std::string_view bytes) {
  const char* p = bytes.data();
  size_t left = bytes.size();
  if (left <= 8) return Reduce(Pair(0, LoadShort(p, left)));
  __m128i sum;
  if (left < 16) {
    sum = Pair(LoadShort(p, left - 8), LoadBigEndian(p + left - 8));
    left = 0;
  } else {
    const size_t head = (left - 1) % 16 + 1;
    sum = LoadBlock(p, head);
    p += head;
    left -= head;
  }
  const __m128i ahead = Pair(kX192, kX128);
  for (; left > 0; left -= 16, p += 16) {
    sum = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(sum, ahead, 0x11),
                                      _mm_clmulepi64_si128(sum, ahead, 0x00)),
                        LoadBlock(p, 16));
  }
  const __m128i x64 = Pair(0, kX64);
  // 80 bits, then 64.
  const __m128i folded = _mm_xor_si128(_mm_clmulepi64_si128(sum, x64, 0x01), _mm_move_epi64(sum));
  return Reduce(_mm_xor_si128(folded, _mm_clmulepi64_si128(folded, x64, 0x01)));
}

#else

uint16_t Crc16(std::string_view bytes) { return Crc16ByTables(bytes); }

#endif

}  // namespace mikura::engine
