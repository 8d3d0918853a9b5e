/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/departures.h"

#include <stdio.h>

#include "netlink/probe.h"
#include "rules/describe.h"

/* Whether some group or device asks, and the first that does. */
static bool asks(const struct image *image, char ret_who[static DESCRIBE_MAX])
{
	char name[DESCRIBE_MAX];
	size_t i;

	for (i = 0; i < image->n_groups; i++) {
		const struct group_row *group = &image->groups[i];

		if (group->shape_in != SHAPE_EDT)
			continue;
		snprintf(ret_who, DESCRIBE_MAX, "group '%s'",
			 image_string(image, group->name));
		return true;
	}
	for (i = 1; i < image->n_devices; i++) {
		const struct device_row *device = &image->devices[i];

		if (!device->in_use || device->shape_out != SHAPE_EDT)
			continue;
		describe_device_name(image, device, name);
		snprintf(ret_who, DESCRIBE_MAX, "device '%s'", name);
		return true;
	}
	return false;
}

int departures_check(const struct image *image, const struct image *live,
		     struct err *err)
{
	struct queue_probe fq = { .kind = "fq" };
	char who[DESCRIBE_MAX];
	int r;

	if (asks(live, who) || !asks(image, who))
		return 0;
	r = probe_queues(&fq, 1);
	if (r < 0)
		return err_set(err, r, "%.200s: look for fq", who);
	if (fq.result == 0)
		return 0;
	return err_say(err, -EOPNOTSUPP,
		       "%.200s: this kernel has no fq, which shaper = edt "
		       "takes (try shaper = auto)",
		       who);
}
