// SPDX-License-Identifier: Apache-2.0
#include "wire/event_letters.h"

namespace mikura::wire {
namespace {

constexpr uint32_t BitOf(char letter) { return 1u << kEventClassLetters.find(letter); }

constexpr uint32_t kAllBits = kEventClassBits & ~BitOf('m') & ~BitOf('n');

}  // namespace

Result<uint32_t> ParseEventLetters(std::string_view letters) {
  uint32_t bits = 0;
  for (const char letter : letters) {
    if (letter == 'A') {
      bits |= kAllBits;
    } else if (letter == 'K') {
      bits |= kEventsByKey;
    } else if (letter == 'E') {
      bits |= kEventsByName;
    } else if (kEventClassLetters.find(letter) != std::string_view::npos) {
      bits |= BitOf(letter);
    } else {
      return Error{"Invalid event class character. Use 'Ag$lshzxeKEtmdn'."};
    }
  }
  return bits;
}

std::string EventLetters(uint32_t bits) {
  std::string letters;
  const bool all = (bits & kAllBits) == kAllBits;
  if (all) letters += 'A';
  for (const char letter : kEventClassLetters) {
    const bool shown = all ? letter == 'n' : letter != 'm';
    if (shown && (bits & BitOf(letter)) != 0) letters += letter;
  }
  if ((bits & kEventsByKey) != 0) letters += 'K';
  if ((bits & kEventsByName) != 0) letters += 'E';
  if ((bits & BitOf('m')) != 0) letters += 'm';
  return letters;
}

}  // namespace mikura::wire
