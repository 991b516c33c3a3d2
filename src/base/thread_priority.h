// SPDX-License-Identifier: Apache-2.0
// Of threads that compute for long beside those that serve clients.
#pragma once

namespace mikura {

// Where cores are scarce, event loops come before the calling thread from now on: they have little
// to do for each client, and do it as soon as they wake. The thread still gets about a quarter of a
// core that a loop wants all the time. It cannot be taken back without privileges, so the thread is
// one of its own.
void StandBack();

}  // namespace mikura
