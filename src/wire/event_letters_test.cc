// SPDX-License-Identifier: Apache-2.0
#include "wire/event_letters.h"

#include <gtest/gtest.h>

namespace mikura::wire {
namespace {

std::string Canonical(std::string_view letters) {
  const Result<uint32_t> bits = ParseEventLetters(letters);
  return bits.ok() ? EventLetters(*bits) : "refused";
}

TEST(EventLetters, AreShownInOneOrder) {
  EXPECT_EQ(Canonical(""), "");
  EXPECT_EQ(Canonical("KEA"), "AKE");
  EXPECT_EQ(Canonical("Kg$lshzxe"), "g$lshzxeK");
  EXPECT_EQ(Canonical("KEg$lshzxetd"), "AKE");
  EXPECT_EQ(Canonical("Kxz$"), "$zxK");
  EXPECT_EQ(Canonical("EKtdd"), "tdKE");
  EXPECT_EQ(Canonical("nmK"), "nKm");
  EXPECT_EQ(Canonical("mA"), "Am");
}

TEST(EventLetters, KeepWhatAllDoesNotMean) { EXPECT_EQ(Canonical("KAmn"), "AnKm"); }

TEST(EventLetters, OthersAreRefused) {
  for (const char* letters : {"Q", "KEa", "K E", "gg\n", "KE\xff"}) {
    EXPECT_EQ(Canonical(letters), "refused");
  }
}

}  // namespace
}  // namespace mikura::wire
