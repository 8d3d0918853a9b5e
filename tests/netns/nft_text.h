/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy as a table of nft at a device's ingress, where tc's classifiers are,
 * too: its first chain, and those that it jumps to.  Each rule counts, under
 * its chain and number as a comment, "c:10"; a rule that holds for both
 * families is two there.  The policy is number 0, and "all" is what came.
 */
#ifndef WEIR_TESTS_NETNS_NFT_TEXT_H
#define WEIR_TESTS_NETNS_NFT_TEXT_H

#include <stdio.h>

#include "rules/policy.h"

void nft_write(const struct policy *policy, const char *device, FILE *out);

#endif
