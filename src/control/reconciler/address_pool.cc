// SPDX-License-Identifier: Apache-2.0
#include "control/reconciler/address_pool.h"

#include <fmt/format.h>

#include <set>

#include "base/numbers.h"
#include "control/metadata/metadata_keys.h"

namespace mikura::control {
namespace {

// 127.42.0.1 to 127.254.255.254; the first and last address of each 256 are left out, because
// they look like network and broadcast addresses to people and tools.
constexpr uint32_t kFirst = 0x7f2a0001;
constexpr uint32_t kLast = 0x7ffefffe;
// So many addresses in a row with a taken port are no accident.
constexpr int kTakenMax = 64;

std::string TextOf(uint32_t address) {
  return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255,
                     address & 255);
}

uint32_t After(uint32_t address) {
  do {
    address = address >= kLast ? kFirst : address + 1;
  } while ((address & 255) == 0 || (address & 255) == 255);
  return address;
}

}  // namespace

Result<AddressReservation> ReserveAddresses(MetadataStore& store, NodeRuntime& runtime,
                                            const std::vector<std::string>& owners, int64_t port) {
  const std::string cursor_key(kLoopbackCursorKey);
  ASSIGN_OR_RETURN(const std::vector<KeyValue> taken, store.List(kLoopbackAddressesPrefix));
  ASSIGN_OR_RETURN(const std::optional<KeyValue> cursor, store.Get(cursor_key));
  std::set<std::string, std::less<>> keys;
  for (const KeyValue& kv : taken) keys.insert(kv.key);

  AddressReservation reservation;
  reservation.compares.push_back(cursor ? Compare::Unchanged(*cursor)
                                        : Compare::Absent(cursor_key));
  const auto last = cursor ? ParseUint64(cursor->value) : std::nullopt;
  uint32_t candidate = last ? static_cast<uint32_t>(*last) : kFirst - 1;
  int refused = 0;
  for (const std::string& owner : owners) {
    while (true) {
      candidate = After(candidate);
      const std::string address = TextOf(candidate);
      std::string key = LoopbackAddressKey(address);
      if (keys.count(key) == 0 && runtime.IsFree({address, port})) {
        reservation.addresses.push_back(address);
        reservation.compares.push_back(Compare::Absent(key));
        reservation.writes.push_back(Write::Put(std::move(key), owner));
        break;
      }
      if (++refused > kTakenMax) {
        return Error{
            fmt::format("port {} is taken on the loopback addresses up to {}: does "
                        "another program listen on all addresses?",
                        port, address)};
      }
    }
  }
  reservation.writes.push_back(Write::Put(cursor_key, std::to_string(candidate)));
  return reservation;
}

Write ReleaseAddress(const std::string& address) {
  return Write::Delete(LoopbackAddressKey(address));
}

}  // namespace mikura::control
