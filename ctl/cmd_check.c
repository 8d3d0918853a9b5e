/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/files.h"
#include "ctl/ssh.h"

static size_t count_named(const struct image *image)
{
	size_t i, n = 0;

	for (i = 0; i < image->n_sets; i++)
		n += *image_string(image, image->sets[i].name) != '\0';
	return n;
}

static size_t count_devices(const struct image *image)
{
	size_t i, n = 0;

	for (i = 0; i < image->n_devices; i++)
		n += image->devices[i].in_use;
	return n;
}

int cmd_check(const struct call *call)
{
	CLEANUP(files_freep) struct policy *policy = NULL;
	CLEANUP(image_freep) struct image *image = NULL;
	int status;

	status = files_read(call, &policy);
	if (status == EXIT_DONE)
		status = files_compile(policy, NULL, &image);
	if (status != EXIT_DONE)
		return status;
	files_warn(policy);
	ssh_warn_compiled(image);
	printf("good: %zu groups, %zu devices, %zu chains with %zu rules, "
	       "%zu sets\n",
	       image->n_groups, count_devices(image), image->n_chains,
	       image_written(image), count_named(image));
	return EXIT_DONE;
}
