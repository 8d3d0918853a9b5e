/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/asks.h"

#include <bpf/bpf.h>

#include "cgroup/cgroup_abi.h"

uint32_t asks_of(const struct image *image)
{
	uint32_t asks = 0;
	size_t i;

	for (i = 0; i < image->n_groups; i++)
		asks |= group_asks(&image->groups[i]);
	return asks;
}

int asks_write(int map, uint32_t slot, const struct image *image,
	       struct err *err)
{
	uint32_t other = !slot, asks = asks_of(image), live;
	int r;

	r = bpf_map_lookup_elem(map, &other, &live);
	if (r == 0) {
		live |= asks & MEMBER_LASTING;
		r = bpf_map_update_elem(map, &other, &live, 0);
	}
	if (r == 0) {
		asks |= live & MEMBER_LASTING;
		r = bpf_map_update_elem(map, &slot, &asks, 0);
	}
	if (r < 0)
		return err_set(err, r, "write what the policy asks for");
	return 0;
}

uint32_t asks_lasting(int map, uint32_t slot)
{
	uint32_t asks;

	/* What cannot be told is asked for. */
	if (bpf_map_lookup_elem(map, &slot, &asks) < 0)
		return MEMBER_LASTING;
	return asks & MEMBER_LASTING;
}
