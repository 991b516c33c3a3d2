// SPDX-License-Identifier: Apache-2.0
// SHA-1, which names scripts: not for anything that must withstand an attacker.
// Source: FIPS 180-4.
#include <array>
#include <bit>
#include <cstring>

#include "engine/scripting/script.h"

namespace mikura::engine::scripting {
namespace {

using State = std::array<uint32_t, 5>;
constexpr size_t kBlockBytes = 64;

uint32_t BigEndian32(const char* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return __builtin_bswap32(word);
}

void AddBlock(State& state, const char* block) {
  std::array<uint32_t, 80> w;
  for (size_t i = 0; i < 16; ++i) w[i] = BigEndian32(block + 4 * i);
  for (size_t i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  auto [a, b, c, d, e] = state;
  for (size_t i = 0; i < 80; ++i) {
    uint32_t mixed = 0;
    if (i < 20) {
      mixed = ((b & c) | (~b & d)) + 0x5a827999;
    } else if (i < 40) {
      mixed = (b ^ c ^ d) + 0x6ed9eba1;
    } else if (i < 60) {
      mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    } else {
      mixed = (b ^ c ^ d) + 0xca62c1d6;
    }
    const uint32_t next = std::rotl(a, 5) + mixed + e + w[i];
    e = d;
    d = c;
    c = std::rotl(b, 30);
    b = a;
    a = next;
  }
  state[0] += a;
  state[1] += b;
  state[2] += c;
  state[3] += d;
  state[4] += e;
}

}  // namespace

std::string Sha1Hex(std::string_view body) {
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  size_t at = 0;
  for (; body.size() - at >= kBlockBytes; at += kBlockBytes) AddBlock(state, body.data() + at);

  // The rest, a bit 1, zeros, and the length in bits fill one block or two.
  const size_t rest = body.size() - at;
  std::array<char, 2 * kBlockBytes> tail = {};
  if (rest != 0) std::memcpy(tail.data(), body.data() + at, rest);
  tail[rest] = static_cast<char>(0x80);
  const size_t tail_bytes = rest + 9 <= kBlockBytes ? kBlockBytes : 2 * kBlockBytes;
  const uint64_t bits = __builtin_bswap64(uint64_t{body.size()} * 8);
  std::memcpy(tail.data() + tail_bytes - sizeof(bits), &bits, sizeof(bits));
  for (size_t i = 0; i < tail_bytes; i += kBlockBytes) AddBlock(state, tail.data() + i);

  std::string hex;
  for (const uint32_t word : state) {
    for (int shift = 28; shift >= 0; shift -= 4) hex += "0123456789abcdef"[(word >> shift) & 15];
  }
  return hex;
}

}  // namespace mikura::engine::scripting
