// SPDX-License-Identifier: Apache-2.0
// Addresses of the loopback network: each node and each endpoint gets its own 127.x.y.z, so all
// can listen on the standard ports. An address that is given back is not used again until the
// others have had their turn, so that a client of a deleted cache meets nobody else there.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "control/metadata/metadata_store.h"
#include "control/model/node_runtime.h"

namespace mikura::control {

// Addresses that were chosen, and what a transaction needs to make them somebody's.
struct AddressReservation {
  std::vector<std::string> addresses;
  std::vector<Compare> compares;
  std::vector<Write> writes;
};

// One address for each of `owners` (words for whoever reads the store), at which `port` is free.
// Errors: the store cannot be read; the port is taken on many addresses in a row, as it is when
// another program listens on all of them.
Result<AddressReservation> ReserveAddresses(MetadataStore& store, NodeRuntime& runtime,
                                            const std::vector<std::string>& owners, int64_t port);

// The write that gives an address back.
Write ReleaseAddress(const std::string& address);

}  // namespace mikura::control
