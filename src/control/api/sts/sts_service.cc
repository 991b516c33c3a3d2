// SPDX-License-Identifier: Apache-2.0
#include "control/api/sts/sts_service.h"

#include "control/api/action.h"
#include "control/api/sts/sts_codec.h"

namespace mikura::control {
namespace {

// Who the caller is. It needs no permission and cannot fail.
ApiResult<sts::GetCallerIdentityResult> GetCallerIdentity(ActionContext& context,
                                                          const sts::GetCallerIdentityRequest&) {
  return sts::GetCallerIdentityResult{
      .user_id = context.access_key_id, .account = context.account_id, .arn = context.caller_arn};
}

constexpr ActionRow kActions[] = {ActionFor<GetCallerIdentity>("GetCallerIdentity")};

}  // namespace

ApiService StsService() { return {&sts::kDescription, kActions}; }

}  // namespace mikura::control
