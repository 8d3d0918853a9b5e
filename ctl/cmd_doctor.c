/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/array.h"
#include "cgroup/adopt.h"
#include "cgroup/lift.h"
#include "cgroup/mount.h"
#include "cgroup/probe.h"
#include "ctl/command.h"
#include "ctl/json.h"
#include "ctl/mechanism.h"
#include "ctl/say.h"
#include "netlink/probe.h"
#include "pins/bpffs.h"

/* One thing that weir asks a kernel for. */
struct finding {
	const char *name;
	const char *gives; /* what weir does with it */
	const char *else_; /* what follows where it is missing */
	bool needed;
	int (*probe)(void); /* NULL: filled in otherwise */
	int result;	    /* 0 or a negative errno */
};

enum {
	FIND_CGROUP2,
	FIND_BPFFS,
	FIND_QUEUES = 16, /* the first that probe_queues looks at */
};

static int probe_open_sockets(void)
{
	int r = adopt_probe();

	return r < 0 ? r : lift_probe();
}

#define A_DEVICE  "filters and limits devices, and `in` of containers"
#define NO_DEVICE "`in` of containers drops (police), no devices"

#define NO_EDT "shaper = edt is refused; htb does the same"

static struct finding findings[] = {
	[FIND_CGROUP2] = { "cgroup2", "finds the cgroups",
			   "nothing works without it", true },
	[FIND_BPFFS] = { "bpffs", "keeps the policy in force",
			 "apply mounts it", false },
	{ "btf", "finds a packet's groups by the path of its cgroup",
	  "nothing works without it", true, probe_btf },
	{ "cgroup_skb", "filters and limits groups", "nothing works without it",
	  true, probe_cgroup_skb },
	{ "maps_in_maps", "switches policies in one step",
	  "nothing works without it", true, probe_maps_in_maps },
	{ "socket_storage", "paces sockets", "nothing works without it", true,
	  probe_socket_storage },
	{ "sockops_setsockopt", "paces sockets: `out` limits by pace",
	  "`out` limits drop", true, probe_sockops_setsockopt },
	{ "connect", "denied connections fail at once",
	  "they hang until they time out", true, probe_connect },
	{ "set_retval", "rejected connections fail with ECONNREFUSED",
	  "they fail with EPERM", false, probe_set_retval },
	{ "icmp_send", "answers what filter-in of a group rejects",
	  "it is dropped; devices answer", false, probe_icmp_send },
	{ "tcp_iterator",
	  "paces connections that are open already; clear lifts their rate",
	  "limits make them drop; they keep their rate until they close", false,
	  probe_open_sockets },
	{ "socket_callbacks", "these hear of every change of their limit",
	  "the next apply, limit or watch tells them", false,
	  probe_socket_callbacks },
	{ "ringbuf", "tells events: weirctl monitor",
	  "nothing works without it", true, probe_ringbuf },
	{ "sched_cls", A_DEVICE, NO_DEVICE, false, probe_sched_cls },
	{ "departure_times", "gives packets the time to leave: shaper = edt",
	  NO_EDT, false, probe_departure_times },
	{ "xdp", "denies by a device's first rules before the stack",
	  "they are asked by sched_cls, as the others", false, probe_xdp },
	[FIND_QUEUES] = { "clsact", A_DEVICE, NO_DEVICE, false },
	{ "htb", "limits of devices, and `in` of containers",
	  "`in` of containers drops (police), no limits of devices", false },
	{ "ifb", "`in` limits of devices, and of containers together",
	  "no such limits, but with shaper = police", false },
	{ "fq", "keeps packets until they may leave: shaper = edt", NO_EDT,
	  false },
};

/* *ret_no_cgroup2 is written where there is none. */
static void examine(const struct call *call, struct err *ret_no_cgroup2)
{
	struct queue_probe queues[ARRAY_SIZE(findings) - FIND_QUEUES];
	char mount[PATH_MAX];
	size_t i;

	findings[FIND_CGROUP2].result =
		mount_find_cgroup2(mount, ret_no_cgroup2);
	findings[FIND_BPFFS].result = bpffs_is_at(call->places.bpffs) ||
						      bpffs_is_at("/sys/fs/bpf")
					      ? 0
					      : -ENOENT;
	for (i = 0; i < ARRAY_SIZE(findings); i++)
		if (findings[i].probe)
			findings[i].result = findings[i].probe();
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		queues[i].kind = findings[FIND_QUEUES + i].name;
	probe_queues(queues, ARRAY_SIZE(queues));
	for (i = 0; i < ARRAY_SIZE(queues); i++)
		findings[FIND_QUEUES + i].result = queues[i].result;
}

static bool has(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(findings); i++)
		if (strcmp(findings[i].name, name) == 0)
			return findings[i].result >= 0;
	return false;
}

static bool is_fit(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(findings); i++)
		if (findings[i].needed && findings[i].result < 0)
			return false;
	return true;
}

static void print_text(const struct utsname *uts)
{
	const struct mechanism *mechanism;
	size_t i;

	printf("kernel %s\n", uts->release);
	for (i = 0; i < ARRAY_SIZE(findings); i++) {
		const struct finding *finding = &findings[i];

		printf("  %-3s %-19s %s\n", finding->result < 0 ? "no" : "yes",
		       finding->name,
		       finding->result < 0 ? finding->else_ : finding->gives);
	}
	puts("limits");
	for (mechanism = mechanisms; mechanism->limit; mechanism++) {
		const char *asked = mechanism_asked(mechanism, has);

		printf("  %-19s %s%s%s\n", mechanism->limit,
		       mechanism_choose(mechanism, has),
		       asked ? ", or with shaper = " : "", asked ? asked : "");
	}
}

static int print_json(const struct utsname *uts)
{
	json_t *root = json_object();
	json_t *features = json_object(), *limits = json_object();
	json_t *asked = json_object();
	const struct mechanism *mechanism;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(findings); i++)
		json_put(&features, findings[i].name,
			 json_boolean(findings[i].result >= 0));
	for (mechanism = mechanisms; mechanism->limit; mechanism++) {
		json_put(&limits, mechanism->limit,
			 json_text(mechanism_choose(mechanism, has)));
		json_put(&asked, mechanism->limit,
			 json_text(mechanism_asked(mechanism, has)));
	}
	json_put(&root, "kernel", json_text(uts->release));
	json_put(&root, "fit", json_boolean(is_fit()));
	json_put(&root, "features", features);
	json_put(&root, "limits", limits);
	json_put(&root, "limits_on_request", asked);
	return json_print(root);
}

int cmd_doctor(const struct call *call)
{
	struct utsname uts;
	struct err err = { "this kernel lacks what weir cannot do without" };
	int status = EXIT_DONE;

	if (probe_allowed(&err) < 0)
		return say_err(&err);
	if (uname(&uts) < 0) {
		say("ask for the kernel's version: %m");
		return EXIT_REFUSED;
	}
	examine(call, &err);
	if (call->json)
		status = print_json(&uts);
	else
		print_text(&uts);
	if (status == EXIT_DONE && !is_fit())
		return say_err(&err);
	return status;
}
