/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/device_plan.h"

#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "ctl/departures.h"
#include "ctl/pool_plan.h"
#include "ctl/shares.h"
#include "ctl/xdp_plan.h"
#include "rules/describe.h"

void device_plan_clear(struct device_plan *plan)
{
	size_t i;
	int side;

	for (i = 0; i < plan->n_devices; i++) {
		free(plan->devices[i].name);
		for (side = 0; side < 2; side++) {
			class_shares_clear(&plan->devices[i].before[side]);
			class_shares_clear(&plan->devices[i].shares[side]);
		}
	}
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

/* What is to become of a limit's class. */
struct class_plan {
	const struct limit_row *limit;
	uint32_t in_force; /* 0: none */
	bool stays;	   /* what is in force asks for the same of all */
	bool keeps_turn;   /* nothing waits in classes now */
};

/*
 * Whether the class of a turn has the limit; *ret_fit: how those who share it
 * fit, where there are any.
 */
static int class_fits(const struct planned_device *planned, int side, int turn,
		      const struct limit_row *limit, bool *ret_fits,
		      enum shares_fit *ret_fit, struct err *err)
{
	const struct device_class *class = &planned->have.side[side].turn[turn];
	const struct class_shares *shares = &planned->shares[side];

	*ret_fit = SHARES_FIT;
	*ret_fits = device_class_is(class, limit);
	if (!shares->n_list)
		return 0;
	*ret_fits = device_class_holds(class, limit);
	if (!*ret_fits)
		return 0;
	return device_shares_fit(&planned->device, side, turn, shares, ret_fit,
				 err);
}

/* Below a class in force: who is new first, then what each has. */
static int plan_shares(struct device_plan *plan, int side, int turn,
		       enum shares_fit fit)
{
	int r = 0;

	if (fit == SHARES_LACK)
		r = device_plan_add_before(plan, STEP_SHARES, side, turn, true);
	if (r == 0 && fit != SHARES_FIT)
		r = device_plan_add_after(plan, STEP_FIT_SHARES, side, turn);
	return r;
}

/*
 * The class of a limit: the one in force if it has it already, else one of the
 * other turn.
 */
static int plan_class(struct device_plan *plan, int side,
		      const struct class_plan *wanted, int *ret_turn,
		      struct err *err)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];
	int turn = DEVICE_CLASS_TURN(wanted->in_force), r;
	enum shares_fit fit;
	bool fits;

	if (wanted->in_force && wanted->stays) {
		r = class_fits(planned, side, turn, wanted->limit, &fits, &fit,
			       err);
		if (r == 0 && fits && fit != SHARES_BROKEN) {
			*ret_turn = turn;
			return plan_shares(plan, side, turn, fit);
		}
		if (r < 0)
			return r;
	}
	if (wanted->in_force && !wanted->keeps_turn)
		turn = !turn;
	*ret_turn = turn;
	r = class_fits(planned, side, turn, wanted->limit, &fits, &fit, err);
	if (r < 0 || (fits && fit == SHARES_FIT))
		return r;
	return device_plan_add_before(plan, STEP_CLASS, side, turn, true);
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
		      const struct class_plan *wanted, uint32_t *ret_class,
		      struct err *err)
{
	const struct planned_device *planned =
		&plan->devices[plan->n_devices - 1];
	const struct device_side *has = &planned->have.side[side];
	bool is_edt = side == SIDE_OUT && planned->have.shape == SHAPE_EDT;
	int turn, r = 0;

	if (!wanted->limit->rate_bytes) {
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
			side == SIDE_OUT || !planned->have.ifb.ifindex);
	if (r == 0)
		r = plan_class(plan, side, wanted, &turn, err);
	if (r == 0 && has->turn[!turn].present)
		r = device_plan_add_after(plan, STEP_REMOVE_CLASS, side, !turn);
	if (r == 0)
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
		r = plan_filter(
			plan, SIDE_IN,
			row->chain_in != NONE ||
				device_row_limit(row, SIDE_IN)->rate_bytes ||
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
		.pins_dir = kernel->places->bpffs,
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

static int plan_side(struct device_plan *plan, const struct image *live,
		     const struct image *image, int side,
		     const struct device_row *before, bool was_shared,
		     uint32_t *ret_class, struct err *err)
{
	struct planned_device *planned = &plan->devices[plan->n_devices - 1];
	uint32_t index = planned->device.index;
	struct class_plan wanted = {
		.limit = device_row_limit(&image->devices[index], side),
		.in_force = side == SIDE_OUT ? before->out_class
					     : before->in_class,
		.keeps_turn = side == SIDE_OUT &&
			      planned->have.shape == SHAPE_EDT,
	};
	int r;

	r = class_shares_of(live, index, side, &planned->before[side], err);
	if (r == 0)
		r = class_shares_of(image, index, side, &planned->shares[side],
				    err);
	if (r < 0)
		return r;
	wanted.stays = was_shared == (planned->shares[side].n_list > 0) &&
		       shares_ask_same(image, live, index, side);
	return plan_limit(plan, side, &wanted, ret_class, err);
}

static int plan_limits(struct device_plan *plan, const struct image *live,
		       struct image *image, const struct found_cgroups *found,
		       uint32_t index, const struct device_row *before,
		       struct err *err)
{
	struct device_row *row = &image->devices[index];
	int r;

	r = row->shape_out == SHAPE_EDT
		    ? plan_edt(plan, before->out_class, &row->out_class)
		    : plan_side(plan, live, image, SIDE_OUT, before,
				before->out_levels, &row->out_class, err);
	if (r == 0)
		r = plan_side(plan, live, image, SIDE_IN, before,
			      before->flags & DEVICE_SHARED_IN, &row->in_class,
			      err);
	return r < 0 ? r : shares_add_waits(image, found, index, err);
}

/*
 * What a device is, for its row.  What the other end of a veth sends nobody
 * else has sent: where a bridge takes it on, it may be answered whoever it is
 * for.
 */
static uint8_t flags_of(const struct netns_view *view, const struct link *link)
{
	const struct link *master = links_by_index(&view->links, link->master);
	uint8_t flags = 0;

	if (link->type == ARPHRD_ETHER)
		flags |= DEVICE_FRAMED;
	if (strcmp(link->kind, "veth") == 0 && master &&
	    strcmp(master->kind, "bridge") == 0)
		flags |= DEVICE_BRIDGED;
	return flags;
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
	row->flags &= ~(DEVICE_FRAMED | DEVICE_BRIDGED);
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
	/* A pool, which may not be there yet, has no chain. */
	if (!(row->flags & DEVICE_POOL))
		row->flags |=
			flags_of(plan->devices[plan->n_devices - 1].device.view,
				 &have->link);
	if (row->flags & DEVICE_POOL && !(have->link.flags & IFF_UP))
		r = device_plan_add_before(plan, STEP_POOL, 0, 0,
					   !row->ifindex);
	row->in_ifindex = device_row_limit(row, SIDE_IN)->rate_bytes
				  ? have->ifb.ifindex
				  : 0;
	if (r == 0)
		r = plan_limits(plan, kernel->live, image, &world->found, index,
				&before, err);
	if (r == 0 && !before.ifindex)
		r = device_plan_add_before(plan, STEP_TALLY, 0, 0, true);
	if (r == 0)
		r = plan_filters(plan, image, row);
	if (r < 0)
		return err_set(err, r, "plan devices");
	return xdp_plan(plan, row, err);
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
