/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/stamp.h"

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crash.h"

/* What is odd already is so by one who was killed. */
static int make_odd(int fd, bool odd, struct err *err)
{
	uint32_t zero = 0, stamp;
	int r;

	r = bpf_map_lookup_elem(fd, &zero, &stamp);
	if (r == 0 && (stamp & 1) == odd)
		return 0;
	stamp++;
	if (r == 0)
		r = bpf_map_update_elem(fd, &zero, &stamp, 0);
	return r < 0 ? err_set(err, r, "end kept verdicts") : 0;
}

int stamp_begin(int fd, struct err *err)
{
	int r = make_odd(fd, true, err);

	crash_point();
	return r;
}

int stamp_end(int fd, struct err *err)
{
	/* Who sees the stamp sees the change. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	crash_point();
	return make_odd(fd, false, err);
}
