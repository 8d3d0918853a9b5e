/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cgroup/probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/cleanup.h"

#define MOV(reg, value)                                                \
	{                                                              \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), \
		.imm = (value)                                         \
	}
#define MOV_REG(to, from)                                             \
	{                                                             \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (to), \
		.src_reg = (from)                                     \
	}
#define CALL(helper)                                        \
	{                                                   \
		.code = BPF_JMP | BPF_CALL, .imm = (helper) \
	}
#define STORE(offset, value)                                              \
	{                                                                 \
		.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, \
		.off = (offset), .imm = (value)                           \
	}
#define ADD(reg, value)                                                \
	{                                                              \
		.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), \
		.imm = (value)                                         \
	}
/* The packet's time to leave, from r2; its context is in r1. */
#define STORE_TSTAMP                                                      \
	{                                                                 \
		.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, \
		.src_reg = BPF_REG_2,                                     \
		.off = offsetof(struct __sk_buff, tstamp)                 \
	}
#define EXIT                               \
	{                                  \
		.code = BPF_JMP | BPF_EXIT \
	}

#define SO_MAX_PACING 47 /* SO_MAX_PACING_RATE */

int probe_allowed(struct err *err)
{
	uint32_t id = 0;
	int r = bpf_prog_get_next_id(0, &id);

	if (r == 0 || r == -ENOENT) /* no program at all */
		return 0;
	if (r == -EPERM)
		return err_say(err, r,
			       "the kernel refuses BPF to this process: it "
			       "needs CAP_SYS_ADMIN, outside of any user "
			       "namespace");
	return err_set(err, r, "ask the kernel for its BPF programs");
}

static int load(enum bpf_prog_type type, enum bpf_attach_type attach,
		const struct bpf_insn *insns, size_t n)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach);
	AUTO_CLOSE int fd =
		bpf_prog_load(type, "weir_probe", "GPL", insns, n, &opts);

	return fd < 0 ? fd : 0;
}

static const struct bpf_insn pass[] = { MOV(BPF_REG_0, 1), EXIT };

int probe_cgroup_skb(void)
{
	return load(BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, pass,
		    ARRAY_SIZE(pass));
}

int probe_connect(void)
{
	return load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT,
		    pass, ARRAY_SIZE(pass));
}

int probe_sched_cls(void)
{
	return load(BPF_PROG_TYPE_SCHED_CLS, 0, pass, ARRAY_SIZE(pass));
}

int probe_xdp(void)
{
	return load(BPF_PROG_TYPE_XDP, BPF_XDP, pass, ARRAY_SIZE(pass));
}

int probe_departure_times(void)
{
	static const struct bpf_insn insns[] = { MOV(BPF_REG_2, 1),
						 STORE_TSTAMP,
						 MOV(BPF_REG_0, 1), EXIT };

	return load(BPF_PROG_TYPE_SCHED_CLS, 0, insns, ARRAY_SIZE(insns));
}

int probe_set_retval(void)
{
	static const struct bpf_insn insns[] = { MOV(BPF_REG_1, -ECONNREFUSED),
						 CALL(BPF_FUNC_set_retval),
						 MOV(BPF_REG_0, 0), EXIT };

	return load(BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT,
		    insns, ARRAY_SIZE(insns));
}

int probe_sockops_setsockopt(void)
{
	static const struct bpf_insn insns[] = { STORE(-8, 0),
						 MOV(BPF_REG_2, SOL_SOCKET),
						 MOV(BPF_REG_3, SO_MAX_PACING),
						 MOV_REG(BPF_REG_4, BPF_REG_10),
						 ADD(BPF_REG_4, -8),
						 MOV(BPF_REG_5, 4),
						 CALL(BPF_FUNC_setsockopt),
						 MOV(BPF_REG_0, 1),
						 EXIT };

	return load(BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, insns,
		    ARRAY_SIZE(insns));
}

int probe_maps_in_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, inner_opts,
		    .map_flags = BPF_F_INNER_MAP);
	LIBBPF_OPTS(bpf_map_create_opts, outer_opts);
	AUTO_CLOSE int inner = -1, outer = -1;

	inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "weir_probe", 4, 8, 1,
			       &inner_opts);
	if (inner < 0)
		return inner;
	outer_opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "weir_probe", 4, 4,
			       2, &outer_opts);
	return outer < 0 ? outer : 0;
}

int probe_socket_storage(void)
{
	/* It needs BTF for its key and value, so ask libbpf. */
	int r = libbpf_probe_bpf_map_type(BPF_MAP_TYPE_SK_STORAGE, NULL);

	return r == 1 ? 0 : r < 0 ? r : -EOPNOTSUPP;
}

int probe_ringbuf(void)
{
	AUTO_CLOSE int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "weir_probe",
					   0, 0, 4096, NULL);

	return fd < 0 ? fd : 0;
}

int probe_btf(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = libbpf_get_error(btf);

	if (r == 0)
		btf__free(btf);
	return r;
}

static bool has_enumerator(const struct btf *btf, const struct btf_type *type,
			   const char *name)
{
	const struct btf_enum *values = btf_enum(type);
	int i;

	for (i = 0; i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(btf, values[i].name_off),
			   name) == 0)
			return true;
	return false;
}

int probe_socket_callbacks(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = libbpf_get_error(btf);
	bool found = false;
	uint32_t i;

	if (r < 0)
		return r;
	for (i = 1; !found && i < btf__type_cnt(btf); i++) {
		const struct btf_type *type = btf__type_by_id(btf, i);

		found = btf_is_enum(type) &&
			has_enumerator(btf, type, "TCP_BPF_SOCK_OPS_CB_FLAGS");
	}
	btf__free(btf);
	return found ? 0 : -EOPNOTSUPP;
}

/* By its name alone, so that who may load nothing can ask, too. */
int probe_icmp_send(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int r = libbpf_get_error(btf);

	if (r < 0)
		return r;
	r = btf__find_by_name_kind(btf, "bpf_icmp_send", BTF_KIND_FUNC);
	btf__free(btf);
	return r < 0 ? -EOPNOTSUPP : 0;
}
