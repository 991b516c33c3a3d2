// SPDX-License-Identifier: Apache-2.0
#include "engine/commands/shared_reply.h"

namespace mikura::engine {
namespace {

// Below this the copy costs less than the further parts of a send and the shared counter
// (bench/side_by_side.py --value-bytes).
constexpr size_t kSharedReplyBytesMin = 16 << 10;

void ReleaseBlock(void* block) { static_cast<store::ValueBlock*>(block)->Release(); }

}  // namespace

std::optional<wire::SharedBytes> ShareLargeBlock(const wire::OutputBuffer& out,
                                                 store::ValueBlock* block, size_t left_out) {
  if (block->size() < kSharedReplyBytesMin || !out.takes_insertions()) {
    return std::nullopt;
  }
  block->Acquire();
  return wire::SharedBytes(block->view().substr(0, block->size() - left_out), block, ReleaseBlock);
}

}  // namespace mikura::engine
