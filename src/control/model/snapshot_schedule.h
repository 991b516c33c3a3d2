// SPDX-License-Identifier: Apache-2.0
// When automated snapshots are taken and removed. Pure; all times are UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "control/model/snapshot.h"

namespace mikura::control {

// The beginning of the window ("hh24:mi-hh24:mi") that `now` is in; nullopt: it is in none.
std::optional<UnixMillis> WindowBeginAt(std::string_view window, UnixMillis now);

// "automatic.demo-2026-11-28-05-30".
std::string AutomaticSnapshotName(std::string_view source_id, UnixMillis now);

// A window of an hour for who names none: the same for the same id, spread over the day.
std::string DefaultSnapshotWindow(std::string_view source_id);

// Whether an automated snapshot has been kept as long as it was to be. limit: days, of its source
// now; 0: what it was when the snapshot was taken.
bool IsExpired(const Snapshot& snapshot, int64_t limit, UnixMillis now);

}  // namespace mikura::control
