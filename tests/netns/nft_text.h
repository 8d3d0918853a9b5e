/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A policy's first chain as a table of nft at a device's ingress, where tc's
 * classifiers are, too.  Each rule counts, under its number as a comment; a
 * rule that holds for both families is two there.  The policy is number 0.
 */
#ifndef WEIR_TESTS_NETNS_NFT_TEXT_H
#define WEIR_TESTS_NETNS_NFT_TEXT_H

#include <stdio.h>

#include "rules/policy.h"

void nft_write(const struct policy *policy, const char *device, FILE *out);

#endif
