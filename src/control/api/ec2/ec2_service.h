// SPDX-License-Identifier: Apache-2.0
// The part of EC2 that caches need: VPCs, subnets, security groups, their tags, zones.
#pragma once

#include "control/api/service.h"

namespace mikura::control {

ApiService Ec2Service();

}  // namespace mikura::control
