/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/plan.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "ctl/device_traces.h"
#include "ctl/plan_tables.h"
#include "ctl/say.h"

void plan_clear(struct plan *plan)
{
	image_freep(&plan->image);
	device_plan_clear(&plan->devices); /* before the views it uses */
	world_clear(&plan->world);
	anchors_clear(&plan->attached);
	changes_clear(&plan->changes);
	plan->image = NULL;
}

bool plan_is_empty(const struct plan *plan)
{
	return plan->changes.n_list == 0 && !plan->writes_tables;
}

static const struct anchor_point *point_at(const struct anchors *anchors,
					   uint64_t id)
{
	size_t i;

	for (i = 0; i < anchors->n_list; i++)
		if (anchors->list[i].id == id)
			return &anchors->list[i];
	return NULL;
}

/* Whether the anchor has to be attached, or attached again. */
static bool is_missing(const struct plan *plan,
		       const struct anchor_point *wanted)
{
	const struct anchor_point *has = point_at(&plan->attached, wanted->id);

	return !has || !has->complete || has->retired;
}

static int list_steps(struct plan *plan, const struct device_steps *steps,
		      enum change_action action)
{
	char text[256];
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < steps->n_list; i++) {
		const struct device_step *step = &steps->list[i];

		device_step_describe(&plan->devices, step, plan->image, text,
				     sizeof(text));
		r = change_add(&plan->changes, action, "device",
			       plan->devices.devices[step->device].name, "%s",
			       text);
	}
	return r;
}

static int list_anchors(struct plan *plan)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < plan->world.wanted.n_list; i++) {
		const struct anchor_point *point = &plan->world.wanted.list[i];

		if (is_missing(plan, point))
			r = change_add(&plan->changes, CHANGE_ADD, "cgroup",
				       point->path, "attach the programs");
	}
	for (i = 0; r == 0 && i < plan->attached.n_list; i++) {
		const struct anchor_point *point = &plan->attached.list[i];

		if (!point_at(&plan->world.wanted, point->id))
			r = change_add(&plan->changes, CHANGE_REMOVE, "cgroup",
				       *point->path ? point->path : "(gone)",
				       "detach the programs");
	}
	return r;
}

/* In words, and in the order in which it is done. */
static int list_changes(const struct image *live, struct plan *plan)
{
	int r;

	r = image_diff(live, plan->image, &plan->changes);
	if (r == 0)
		r = list_steps(plan, &plan->devices.before, CHANGE_ADD);
	if (r == 0)
		r = list_anchors(plan);
	if (r == 0)
		r = list_steps(plan, &plan->devices.after, CHANGE_REMOVE);
	if (r == 0 && !plan->changes.n_list && plan->writes_tables)
		r = plan_list_tables(live, plan->image, &plan->changes);
	return r;
}

int plan_make(struct kernel *kernel, struct image *image, struct plan *ret_plan,
	      struct err *err)
{
	CLEANUP(plan_clear) struct plan plan = { .image = image };
	int r;

	r = world_read(kernel, image, &plan.world, err);
	if (r == 0)
		r = device_plan_make(kernel, &plan.world, image, &plan.devices,
				     err);
	if (r == 0)
		r = device_traces_plan(kernel, &plan.world, &plan.devices, err);
	if (r == 0)
		r = anchors_attached(kernel->places->bpffs, kernel->mount,
				     &kernel->programs, plan.world.needed,
				     kernel->generation, &plan.attached, err);
	if (r < 0)
		return r;
	image_sort(image);
	plan.writes_tables = !kernel->generation ||
			     !image_same(image, kernel->live);
	r = list_changes(kernel->live, &plan);
	if (r < 0)
		return err_set(err, r, "compare with what is in force");
	*ret_plan = plan;
	plan = (struct plan){ 0 };
	return 0;
}

/* Of rules there can be very many: this does without printf. */
static void print_change(const struct change *change)
{
	static const char signs[] = { '+', '~', '-' };
	AUTO_FREE char *line = NULL;
	struct text text;

	text_begin(&text);
	text_char(&text, signs[change->action]);
	text_char(&text, ' ');
	text_put(&text, change->object);
	text_char(&text, ' ');
	text_put(&text, change->name);
	text_put(&text, ": ");
	text_put(&text, change->detail);
	if (text_take(&text, &line) < 0)
		line = NULL;
	show_text(line);
}

void plan_print(const struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->changes.n_list; i++)
		print_change(&plan->changes.list[i]);
	if (!plan->changes.n_list)
		show("%s", plan->writes_tables
				   ? "~ only where things stand in the files"
				   : "nothing to change");
}
