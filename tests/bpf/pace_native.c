/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/pace_step.h"

#include "tests/bpf/pace_world.h"

struct pace_world *native_world(void)
{
	return &world;
}

void native_packet(void)
{
	world_packet();
}

void native_police(void)
{
	world_police();
}

void native_hear(void)
{
	world_hear();
}
