/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What weir puts on a device: a clsact with a filter each way, an HTB or an fq
 * for what leaves, and an ifb with an HTB for what arrives.  Reading tells what
 * is there and whose it is; each other function is one step that can be
 * repeated, so that a plan is a list of them.
 *
 * None of them is seen by a packet before the generation switches: a new HTB
 * has no default class, and a filter does what the row in force says.  The
 * order of a plan:
 *
 *	ensure root, ifb, class (of a turn not in force), clsact, filter; reset
 *tally switch remove class (of the other turn); or filter, root, ifb, clsact;
 *tidy tallies
 *
 * A device that is not there is -ENODEV: it waits.
 */
#ifndef WEIR_TC_DEVICE_H
#define WEIR_TC_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "netlink/class.h"
#include "netlink/filter.h"
#include "rules/image.h"
#include "tc/answer_abi.h"
#include "tc/device_abi.h"
#include "tc/loader.h"

#define DEVICE_IFB_GROUP   0x77656972U /* "weir" */
#define DEVICE_PRIORITY	   7	       /* of our filters; low is early */
#define DEVICE_WAITING	   8	       /* of the one that sends to the ifb */
#define DEVICE_HANDLE	   0x7765
#define DEVICE_POOL_HANDLE 0x10000 /* and the index of a pool's row */

/*
 * One namespace and all that is in it, read at once: a thousand devices cost
 * one list of links and one of qdiscs.  Read it again after steps.
 */
struct netns_view {
	struct conn *conn;
	char name[DEVICE_NETNS_MAX]; /* "": our own, or opened by its id */
	uint64_t id;		     /* for struct device_mark_key */
	struct links links;
	struct qdiscs qdiscs;
};

/* netns: a name below /run/netns, or NULL for our own. */
int netns_view_open(const char *netns, struct netns_view **ret_view,
		    struct err *err);
/* The one with this id, wherever it is; fails as netns_find does. */
int netns_view_open_id(uint64_t id, struct netns_view **ret_view,
		       struct err *err);
int netns_view_refresh(struct netns_view *view, struct err *err);
void netns_view_close(struct netns_view *view);
DEFINE_CLEANUP(struct netns_view *, netns_view_close);

enum root_owner {
	ROOT_DEFAULT, /* the kernel's own, or none */
	ROOT_OURS,
	ROOT_FOREIGN,
};

/* One of the two classes of a side. */
struct device_class {
	bool present;
	bool is_whole;	    /* all lanes are there, as they should be */
	struct class class; /* drops and what waits: of its lanes */
};

/* What one side of a device has of ours. */
struct device_side {
	bool has_filter;
	uint32_t filter_program; /* id */
	uint32_t filter_index;	 /* of the device's row */
	bool has_root;		 /* our HTB or fq; on the ifb, and its filter */
	struct device_class turn[2];
};

/* A filter that sends what leaves to a pool. */
struct device_wait {
	uint32_t pool; /* index of its row */
	uint32_t ifindex;
	uint32_t program; /* id */
};

#define DEVICE_WAITS_MAX 4

/* A device as it is. */
struct device_have {
	struct link link;
	enum root_owner root;
	struct qdisc foreign; /* where root is ROOT_FOREIGN */
	uint8_t shape;	      /* SHAPE_HTB, SHAPE_EDT where it is ours */
	struct queue_stats root_stats;
	bool has_clsact;
	bool has_ingress;	    /* the older qdisc, in clsact's place */
	size_t foreign_filters;	    /* of others, at clsact */
	struct link ifb;	    /* ifindex 0: there is none */
	struct device_mark mark;    /* all zero: none */
	struct device_side side[2]; /* by SIDE_* */
	struct device_wait waits[DEVICE_WAITS_MAX];
	size_t n_waits; /* also of those that have no room */
};

/* Whether somebody else has put a root qdisc on the device. */
bool device_has_foreign_root(const struct netns_view *view, uint32_t ifindex);

/*
 * index: of the device's row; 0 finds what any index left behind (filters and
 * HTB count as ours by place and handle, whatever they carry; classes are
 * then those of the mark's index).  -ENODEV, with a sentence, where there is
 * no such device.
 */
int device_read(const struct netns_view *view, const struct loader *loader,
		const char *name, uint32_t index, struct device_have *ret_have,
		struct err *err);

/* What all steps work on. */
struct device {
	const struct netns_view *view;
	const struct loader *loader;
	struct link link;      /* from device_have */
	uint32_t index;	       /* of the device's row */
	const char *state_dir; /* WEIR_STATE: for what takeover replaces */
	const char *pins_dir;  /* WEIR_BPFFS */
};

/*
 * Our HTB (SHAPE_HTB) or fq (SHAPE_EDT) as the root, also in the place of the
 * other one: what waits there is lost.  A root that somebody else made is
 * -EBUSY, unless takeover: it is then saved first, and device_remove_root puts
 * it back.
 */
int device_ensure_root(const struct device *device, uint8_t shape,
		       bool takeover, struct err *err);
int device_remove_root(const struct device *device, struct err *err);

/*
 * fq in the place of our HTB, whose classes run empty and keep their figures
 * in the mark.  For when the row in force gives departure times already: these
 * hold the rate meanwhile.
 */
int device_replace_root(const struct device *device, bool takeover,
			struct err *err);

/*
 * The ifb that what arrives waits in, with our HTB, and the filter that sends
 * it there once device_in has said so.
 */
int device_ensure_ifb(const struct device *device, struct link *ret_ifb,
		      struct err *err);
int device_remove_ifb(const struct device *device, struct err *err);

/*
 * A pool: an ifb that what leaves several veths is sent through, with the limit
 * as its own `out`.  It is a device like others, but made here; link.name is to
 * be its name, and link what it is then.
 */
void device_pool_name(const char *pins_dir, uint32_t index,
		      char ret_name[static IFNAMSIZ]);
/* Whether a link is a pool that this instance of weir made. */
bool device_is_pool(const char *pins_dir, const struct link *link);
int device_ensure_pool(struct device *device, struct err *err);

/*
 * The filter of a veth that sends packets to a pool once device_out has said
 * so; those of other pools stay beside it until they are removed.
 */
int device_ensure_wait(const struct device *device, uint32_t pool,
		       uint32_t ifindex, struct err *err);
int device_remove_wait(const struct device *device, uint32_t pool,
		       struct err *err);
/* All of them but that one; 0: all. */
int device_remove_waits(const struct device *device, uint32_t but_pool,
			struct err *err);

/*
 * The class of a turn with its lanes, for the device's out or (on the ifb) in
 * limit; its id is DEVICE_CLASS(index, turn).  Only ever for a turn that no row
 * in force names, or with the rate that it has.  Removing lets it run empty
 * first, for at most a quarter of a second, and keeps its figures in the mark.
 */
int device_ensure_class(const struct device *device, int side, int turn,
			const struct limit_row *limit, struct err *err);
int device_remove_class(const struct device *device, int side, int turn,
			struct err *err);
bool device_class_is(const struct device_class *class,
		     const struct limit_row *limit);
/* The same but for lanes, which a limit that is shared does not have. */
bool device_class_holds(const struct device_class *class,
			const struct limit_row *limit);

/* clsact with our mark, if it is not there yet, and the filter of a side. */
int device_ensure_filter(const struct device *device, int side,
			 struct err *err);
/* The filter; clsact too when it is ours and nobody has a filter there. */
int device_remove_filter(const struct device *device, int side,
			 struct err *err);

/* Everything of ours, of any index; but for tc/xdp.h. */
int device_remove(const struct device *device, struct err *err);

/* ------------------------------------------------------------ figures */

/* What one side has seen; bytes and packets on the wire. */
struct device_figures {
	struct counter passed; /* went on, at once or after waiting */
	struct counter denied;
	uint64_t answered;	/* of these: rejected, and told so */
	uint64_t withheld;	/* rejected, above what a device may answer */
	struct counter dropped; /* by the limit's queue */
	uint32_t backlog_bytes; /* waiting now */
};

/* A tally for index that begins at zero, whatever was counted before. */
int device_reset_tally(const struct loader *loader, uint32_t index,
		       struct err *err);
int device_remove_tally(const struct loader *loader, uint32_t index,
			struct err *err);
int device_figures(const struct loader *loader, const struct device_have *have,
		   uint32_t index, struct device_figures ret_sides[static 2],
		   struct err *err);

/* ------------------------------------------------------------- traces */

/* A device that weir has touched and not taken everything from. */
struct device_trace {
	char netns[DEVICE_NETNS_MAX]; /* name; "": our own */
	uint64_t netns_id;
	uint32_t ifindex;
	uint32_t index; /* of the row that it had last */
};

struct device_traces {
	struct device_trace *list;
	size_t n_list;
};

/*
 * All of them, of all namespaces: also what an apply that was killed left,
 * which no row in force tells of.
 */
int device_traces_read(const struct loader *loader,
		       struct device_traces *ret_traces, struct err *err);
void device_traces_clear(struct device_traces *traces);

/*
 * Forgets a device that is no more: its ifb, the qdisc that was kept for it,
 * its mark.  view: of its namespace; NULL where that has gone, too.
 */
int device_forget(const struct device_trace *trace,
		  const struct netns_view *view, const struct loader *loader,
		  const char *state_dir, struct err *err);

/* Removes the tallies of rows that image does not use, or has no device for. */
int device_tidy_tallies(const struct loader *loader, const struct image *image,
			struct err *err);

#endif
