// SPDX-License-Identifier: GPL-2.0-or-later
/* How cgroup/ finds groups, at a place that the test has made up. */
#include "cgroup/member.bpf.h"
#include "tests/bpf/member_test.h"

char LICENSE[] SEC("license") = "GPL";

SEC("tc")
int member_paths(struct __sk_buff *skb)
{
	(void)skb;
	return member_by_path(MEMBER_PLACE, 0) < 0 ? MEMBER_FAULT
						   : MEMBER_FOUND;
}
