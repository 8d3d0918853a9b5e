/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "ctl/command.h"

int cmd_version(const struct call *call)
{
	(void)call;
	printf("weirctl %s\n", WEIR_VERSION);
	return EXIT_DONE;
}
