/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/device_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/departures.h"
#include "ctl/pool_plan.h"
#include "rules/describe.h"

void device_plan_clear(struct device_plan *plan)
{
	size_t i;

	for (i = 0; i < plan->n_devices; i++)
		free(plan->devices[i].name);
	free(plan->devices);
	free(plan->before.list);
	free(plan->after.list);
	device_traces_clear(&plan->left);
	*plan = (struct device_plan){ 0 };
}

static struct device_step *add_step(const struct device_plan *plan,
				    struct device_steps *steps,
				    enum step_kind kind, int side, int turn)
{
	struct device_step *step = ARRAY_ADD(steps, list);

	if (!step)
		return NULL;
	step->kind = kind;
	step->device = plan->n_devices - 1;
	step->side = side;
	step->turn = turn;
	return step;
}

int device_plan_add_before(struct device_plan *plan, enum step_kind kind,
			   int side, int turn, bool is_new)
{
	struct device_step *step =
		add_step(plan, &plan->before, kind, side, turn);

	if (!step)
		return -ENOMEM;
	step->is_new = is_new;
	return 0;
}

int device_plan_add_after(struct device_plan *plan, enum step_kind kind,
			  int side, int turn)
{
	return add_step(plan, &plan->after, kind, side, turn) ? 0 : -ENOMEM;
}

/*
 * The turn of the class that is to have this limit: the one in force if it
 * has it already, or if nothing waits in classes now; else the other one.
 */
static int choose_turn(const struct device_side *side, uint32_t class_in_force,
		       const struct limit_row *limit, bool is_edt)
{
	int turn = DEVICE_CLASS_TURN(class_in_force);

	if (!class_in_force)
		return 0;
	if (is_edt)
		return turn;
	return device_class_is(&side->turn[turn], limit) ? turn : !turn;
}

/*
 * Departure times need fq at the root, and no class.  Where HTB is there and
 * in force, it makes way behind the switch: until then it holds the limit.
 */
static int plan_edt(struct device_plan *plan, uint32_t class_in_force,
		    uint32_t *ret_class)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];

	*ret_class = class_in_force ? class_in_force
				    : DEVICE_CLASS(planned->device.index, 0);
	if (planned->have.shape == SHAPE_EDT)
		return 0;
	if (planned->have.shape == SHAPE_HTB)
		return device_plan_add_after(plan, STEP_REPLACE_ROOT, SIDE_OUT,
					     0);
	return device_plan_add_before(plan, STEP_ROOT, SIDE_OUT, 0, true);
}

/* The limit of one side: its queue and class; *ret_class is for the row. */
static int plan_limit(struct device_plan *plan, int side,
		      const struct limit_row *limit, uint32_t class_in_force,
		      uint32_t *ret_class)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];
	const struct device_side *has = &planned->have.side[side];
	bool is_edt = side == SIDE_OUT && planned->have.shape == SHAPE_EDT;
	int turn, other, r = 0;

	if (!limit->rate_bytes) {
		*ret_class = 0;
		if (has->has_root)
			r = device_plan_add_after(plan,
						  side == SIDE_OUT
							  ? STEP_REMOVE_ROOT
							  : STEP_REMOVE_IFB,
						  side, 0);
		return r;
	}
	if (!has->has_root || is_edt)
		r = device_plan_add_before(
			plan, side == SIDE_OUT ? STEP_ROOT : STEP_IFB, side, 0,
			!is_edt);
	turn = choose_turn(has, class_in_force, limit, is_edt);
	other = !turn;
	if (r == 0 && !device_class_is(&has->turn[turn], limit))
		r = device_plan_add_before(plan, STEP_CLASS, side, turn,
					   !has->turn[turn].present);
	if (r == 0 && has->turn[other].present)
		r = device_plan_add_after(plan, STEP_REMOVE_CLASS, side, other);
	*ret_class = DEVICE_CLASS(planned->device.index, turn);
	return r;
}

static int plan_filter(struct device_plan *plan, int side, bool wanted)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];
	const struct device_side *has = &planned->have.side[side];

	if (!wanted)
		return has->has_filter
			       ? device_plan_add_after(plan, STEP_REMOVE_FILTER,
						       side, 0)
			       : 0;
	if (has->has_filter && has->filter_index == planned->device.index &&
	    has->filter_program == planned->device.loader->program_id[side] &&
	    has->filter_program)
		return 0;
	return device_plan_add_before(plan, STEP_FILTER, side, 0,
				      !has->has_filter);
}

/* What leaves makes known what may come in, and the other way. */
static int plan_filters(struct device_plan *plan, const struct image *image,
			const struct device_row *row)
{
	bool keeps = row->flags & KEEP_STATES;
	int r;

	if (row->flags & DEVICE_POOL)
		return 0; /* its packets have chosen their classes already */
	r = plan_filter(plan, SIDE_OUT,
			row->chain_out != NONE || row->out.rate_bytes ||
				row->pool || keeps);
	if (r == 0)
		r = plan_filter(plan, SIDE_IN,
				row->chain_in != NONE || row->in.rate_bytes ||
					keeps);
	return r < 0 ? r : pool_plan_wait(plan, image, row->pool);
}

/* Adds the device of a row to the plan; -ENODEV where it is not there. */
static int add_device(struct device_plan *plan, const struct kernel *kernel,
		      struct world *world, struct image *image, uint32_t index,
		      struct err *err)
{
	struct device_row *row = &image->devices[index];
	char name[DESCRIBE_MAX];
	struct planned_device *planned;
	struct device_have have = { 0 };
	struct netns_view *view;
	int r;

	describe_device_name(image, row, name);
	r = world_netns(world, image_string(image, row->netns), &view, err);
	if (r == -ENOENT)
		return -ENODEV;
	if (r < 0)
		return r;
	row->netns_id = view->id;
	r = pool_read_device(view, kernel, image, index, &have, err);
	if (r < 0)
		return r;
	planned = ARRAY_ADD(plan, devices);
	if (!planned)
		return err_set(err, -ENOMEM, "device '%s'", name);
	planned->have = have;
	planned->takeover = row->takeover;
	planned->device = (struct device){
		.view = view,
		.loader = &kernel->loader,
		.link = have.link,
		.index = index,
		.state_dir = kernel->places->state,
	};
	planned->name = strdup(name);
	return planned->name ? 0 : err_set(err, -ENOMEM, "device '%s'", name);
}

static const struct device_row *row_at(const struct image *image,
				       uint32_t index)
{
	static const struct device_row none;

	return index < image->n_devices ? &image->devices[index] : &none;
}

static int plan_device(struct device_plan *plan, const struct kernel *kernel,
		       struct world *world, struct image *image, uint32_t index,
		       struct err *err)
{
	struct device_row *row = &image->devices[index];
	struct device_row before = *row_at(kernel->live, index);
	const struct device_have *have;
	int r;

	row->netns_id = 0;
	row->ifindex = row->in_ifindex = row->out_class = row->in_class = 0;
	r = add_device(plan, kernel, world, image, index, err);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return r;
	have = &plan->devices[plan->n_devices - 1].have;
	if (row->out.rate_bytes && have->root == ROOT_FOREIGN && !row->takeover)
		return err_say(err, -EBUSY,
			       "device '%s' has a qdisc '%s' that is not "
			       "weir's: say takeover = yes to replace it, and "
			       "clear will put it back",
			       plan->devices[plan->n_devices - 1].name,
			       have->foreign.kind);
	if (before.netns_id != row->netns_id ||
	    before.ifindex != have->link.ifindex)
		before = (struct device_row){ 0 };
	row->ifindex = have->link.ifindex;
	if (row->flags & DEVICE_POOL && !(have->link.flags & IFF_UP))
		r = device_plan_add_before(plan, STEP_POOL, 0, 0,
					   !row->ifindex);
	row->in_ifindex = row->in.rate_bytes ? have->ifb.ifindex : 0;
	if (r == 0 && row->shape_out == SHAPE_EDT)
		r = plan_edt(plan, before.out_class, &row->out_class);
	else if (r == 0)
		r = plan_limit(plan, SIDE_OUT, &row->out, before.out_class,
			       &row->out_class);
	if (r == 0)
		r = plan_limit(plan, SIDE_IN, &row->in, before.in_class,
			       &row->in_class);
	if (r == 0 && !before.ifindex)
		r = device_plan_add_before(plan, STEP_TALLY, 0, 0, true);
	if (r == 0)
		r = plan_filters(plan, image, row);
	return r < 0 ? err_set(err, r, "plan devices") : 0;
}

/* Pools, or all others. */
static int plan_devices(struct device_plan *plan, const struct kernel *kernel,
			struct world *world, struct image *image, bool pools,
			struct err *err)
{
	uint32_t i;
	int r = 0;

	for (i = 1; r == 0 && i < image->n_devices; i++) {
		const struct device_row *row = &image->devices[i];
		bool is_pool = row->flags & DEVICE_POOL;

		if (row->in_use && is_pool == pools)
			r = plan_device(plan, kernel, world, image, i, err);
	}
	return r;
}

/* Pools come first: others lead there. */
int device_plan_make(const struct kernel *kernel, struct world *world,
		     struct image *image, struct device_plan *ret_plan,
		     struct err *err)
{
	CLEANUP(device_plan_clear) struct device_plan plan = { 0 };
	int r;

	r = departures_check(image, kernel->live, err);
	if (r == 0)
		r = plan_devices(&plan, kernel, world, image, true, err);
	if (r == 0)
		r = plan_devices(&plan, kernel, world, image, false, err);
	if (r < 0)
		return r;
	*ret_plan = plan;
	plan = (struct device_plan){ 0 };
	return 0;
}
