// SPDX-License-Identifier: Apache-2.0
#include "control/agent/fake_engine.h"

// "fake_engine engine FILE", as the agent starts it.
int main(int argc, char** argv) {
  if (argc != 3) return 2;
  mikura::control::FakeEngine(argv[2]).Serve();
}
