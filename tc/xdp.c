/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tc/xdp.h"

#include <bpf/bpf.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "netlink/netns.h"
#include "pins/folder.h"
#include "pins/layout.h"
#include "pins/log.h"
#include "pins/object.h"
#include "tc/mark.h"
#include "tc/xdp.skel.h"

DEFINE_CLEANUP(struct xdp_bpf *, xdp_bpf__destroy);

static const struct object object = { "xdp", "xdp-", xdp_bpf__elf_bytes,
				      xdp_bpf__hash, NULL };

static void pin_path(const char *dir, uint32_t index,
		     char ret_path[static PATH_MAX])
{
	char folder[PATH_MAX];

	object_folder(&object, dir, folder);
	snprintf(ret_path, PATH_MAX, "%s/%u", folder, index);
}

/* ------------------------------------------------------------ reading */

/* The link that is pinned for an index; *ret_fd is -1 where there is none. */
static int open_link(const char *dir, uint32_t index, int *ret_fd,
		     struct bpf_link_info *ret_info, struct err *err)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof(info);
	AUTO_CLOSE int fd = -1;
	char folder[PATH_MAX], name[16];
	int r;

	*ret_fd = -1;
	object_folder(&object, dir, folder);
	snprintf(name, sizeof(name), "%u", index);
	r = folder_find_pin(folder, name, &fd, err);
	if (r < 0 || fd < 0)
		return r;
	r = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (r < 0)
		return err_set(err, r, "look at a pinned link");
	*ret_info = info;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A link that is pinned, and not at a device any more, has no ifindex. */
static bool is_at(const struct bpf_link_info *info, const struct link *link)
{
	return info->xdp.ifindex && info->prog_id == link->xdp_program;
}

int xdp_read(const char *dir, uint32_t index, const struct link *link,
	     bool *ret_attached, struct err *err)
{
	struct bpf_link_info info;
	AUTO_CLOSE int fd = -1;
	int r;

	*ret_attached = false;
	if (!link->xdp_program)
		return 0;
	r = open_link(dir, index, &fd, &info, err);
	if (r == 0 && fd >= 0)
		*ret_attached = is_at(&info, link);
	return r;
}

bool xdp_is_asked(const struct device_row *row)
{
	return row->early && row->xdp != EARLY_NO;
}

bool xdp_was_refused(const struct device_have *have)
{
	return have->mark.flags & MARK_XDP_REFUSED;
}

/* A veth copies almost each packet before its program may look at it. */
static bool slows_others(const struct link *link)
{
	return strcmp(link->kind, "veth") == 0;
}

void xdp_hindrance(const char *dir, const struct device_row *row,
		   const struct device_have *have, bool attached,
		   char ret_why[static XDP_WHY_MAX])
{
	const char *why = "";

	if (row->xdp == EARLY_NO)
		why = "xdp = no";
	else if (!row->early)
		why = "no rule that denies by the source alone comes first";
	else if (!(row->flags & DEVICE_FRAMED))
		why = "what passes it has no Ethernet header";
	else if (row->xdp == EARLY_AUTO && slows_others(&have->link))
		why = "a veth would be slower for other packets (xdp = yes)";
	else if (have->link.has_xdp && !attached &&
		 !object_has_others(&object, dir))
		why = "a program of somebody else's is there";
	snprintf(ret_why, XDP_WHY_MAX, "%s", why);
	if (!*why && xdp_was_refused(have) && !attached)
		snprintf(ret_why, XDP_WHY_MAX, "the driver says: %s",
			 strerrordesc_np(MARK_ERRNO(have->mark.flags)));
}

/* ---------------------------------------------------------- attaching */

/*
 * Loads the program for a device; *ret_fd belongs to *ret_programs.  Kernels
 * before 5.18 refuse the one for frames in pieces.
 */
static int load(const struct device *device, bool frags,
		struct xdp_bpf **ret_programs, int *ret_fd, struct err *err)
{
	CLEANUP(xdp_bpf__destroyp) struct xdp_bpf *programs = NULL;
	CLEANUP(log_end) struct log log;
	struct bpf_program *program;
	char maps[PATH_MAX];
	int r;

	LIBBPF_OPTS(bpf_object_open_opts, opts, .pin_root_path = maps);

	log_begin(&log);
	snprintf(maps, sizeof(maps), "%s/maps", device->pins_dir);
	programs = xdp_bpf__open_opts(&opts);
	if (!programs)
		return log_set(&log, err, neg_errno(), "open the xdp program");
	r = layout_check_object(programs->obj, err);
	if (r < 0)
		return r;
	programs->rodata->device_index = device->index;
	programs->rodata->device_ifindex = device->link.ifindex;
	programs->rodata->device_netns = device->view->id;
	program = frags ? programs->progs.device_early_frags
			: programs->progs.device_early;
	bpf_program__set_autoload(programs->progs.device_early, !frags);
	bpf_program__set_autoload(programs->progs.device_early_frags, frags);
	r = xdp_bpf__load(programs);
	if (r < 0)
		return log_set(&log, err, r, "load the xdp program");
	*ret_fd = bpf_program__fd(program);
	*ret_programs = TAKE_PTR(programs);
	return 0;
}

struct attaching {
	int program;
	uint32_t ifindex;
	int link;
};

/* In the device's namespace: there its number is its own. */
static int make_link(void *arg)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	struct attaching *attaching = arg;

	attaching->link = bpf_link_create(
		attaching->program, (int)attaching->ifindex, BPF_XDP, &opts);
	return attaching->link < 0 ? attaching->link : 0;
}

static int try_attach(const struct device *device, int *ret_link,
		      struct err *err)
{
	CLEANUP(xdp_bpf__destroyp) struct xdp_bpf *programs = NULL;
	struct attaching attaching = { .ifindex = device->link.ifindex };
	int r;

	r = load(device, true, &programs, &attaching.program, err);
	if (r < 0)
		r = load(device, false, &programs, &attaching.program, err);
	if (r < 0)
		return r;
	r = conn_call(device->view->conn, make_link, &attaching, err);
	if (r < 0)
		return r;
	*ret_link = attaching.link;
	return 0;
}

static int pin_link(const char *dir, uint32_t index, int link, struct err *err)
{
	char path[PATH_MAX];
	int r;

	object_folder(&object, dir, path);
	r = folder_make(path, err);
	if (r < 0)
		return r;
	pin_path(dir, index, path);
	r = bpf_obj_pin(link, path);
	return r < 0 ? err_set(err, r, "pin link '%s'", path) : 0;
}

/* At once: else the kernel does it some time after the last pin has gone. */
static int remove_link(const char *dir, uint32_t index, int fd, struct err *err)
{
	char path[PATH_MAX];
	int r = bpf_link_detach(fd);

	/* -EINVAL: its device has gone. */
	if (r < 0 && r != -EINVAL)
		return err_set(err, r, "detach the xdp program");
	crash_point();
	pin_path(dir, index, path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set(err, neg_errno(), "remove '%s'", path);
	return 0;
}

int xdp_take_back(const struct device *device, struct err *err)
{
	struct bpf_link_info info;
	AUTO_CLOSE int fd = -1;
	int r;

	r = open_link(device->pins_dir, device->index, &fd, &info, err);
	if (r < 0 || fd < 0)
		return r;
	return remove_link(device->pins_dir, device->index, fd, err);
}

int xdp_attach(const struct device *device, struct err *err)
{
	AUTO_CLOSE int link = -1;
	struct err why;
	int r;

	r = xdp_tidy(device->pins_dir, err);
	if (r == 0)
		r = xdp_take_back(device, err);
	if (r < 0)
		return r;
	r = try_attach(device, &link, &why);
	if (r < 0)
		return mark_set(device,
				MARK_XDP_REFUSED | (uint32_t)-r
							   << MARK_ERRNO_SHIFT,
				err);
	crash_point();
	return pin_link(device->pins_dir, device->index, link, err);
}

int xdp_detach(const struct device *device, struct err *err)
{
	struct bpf_link_info info;
	AUTO_CLOSE int fd = -1;
	int r;

	r = open_link(device->pins_dir, device->index, &fd, &info, err);
	if (r < 0 || fd < 0)
		return r;
	if (info.xdp.ifindex && !is_at(&info, &device->link))
		return 0;
	return remove_link(device->pins_dir, device->index, fd, err);
}

int xdp_forget(const struct device *device, struct err *err)
{
	return mark_unset(device, MARK_XDP_REFUSED | MARK_ERRNO_MASK, err);
}

int xdp_tidy(const char *dir, struct err *err)
{
	return object_tidy(&object, dir, err);
}
