/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections of TCP, for one who listens to them: attached as long as he
 * does, beside the programs that stay.  A connection that was open before is
 * seen with its next sample of the round-trip time, and told of when it closes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "cgroup/members.bpf.h"
#include "rules/monitor.bpf.h"

#define FAMILY_INET6 10

/* His seat. */
const volatile __u32 seat = 0;

struct connection {
	__u64 began_ns; /* 0: before he listened */
	__u32 pid;	/* who called connect(); 0: it is not known */
	__u8 is_open;
	__u8 is_out;
	__u16 pad;
	char program[EVENT_PROGRAM];
};

/* The program alone. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct connection);
} connections SEC(".maps");

/* The uid of the innermost group of a cgroup that he asks for; 0: none. */
__noinline __u32 connection_group(__u64 cgroup)
{
	const struct member *member = bpf_map_lookup_elem(&members, &cgroup);
	__u32 at = seat, found = 0, i;
	const struct monitor_want *want;

	want = bpf_map_lookup_elem(&monitor_wants, &at);
	if (!want || !member || member->cgroup != cgroup)
		return 0;
	for (i = 0; i < SCOPES_MAX && i < member->count; i++) {
		const struct group_row *group = table_group(
			member->generation & 1, member->scopes[i].group);

		if (group &&
		    (!want->group_uid || want->group_uid == group->uid))
			found = group->uid;
	}
	return found;
}

static __always_inline __u64 connection_cgroup(struct bpf_sock *sk)
{
	__u64 folder = kernel_cgroup_folder(kernel_address(sk));

	return folder ? kernel_folder_id(folder) : 0;
}

static __always_inline void address_put(__u8 *to, const __u32 *words)
{
	__builtin_memcpy(to, words, 16);
}

static __always_inline void address_of_ip4(__u32 *words, __u32 ip4)
{
	words[0] = words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = ip4;
}

static __always_inline bool is_mapped(const __u32 *words)
{
	return !(words[0] | words[1] | (words[2] ^ bpf_htonl(0xffff)));
}

/*
 * From who opened it to the other; where that is not known, from here.  All is
 * read, whatever the family: the verifier lets nobody choose a field by its
 * address, as clang would.
 */
static __always_inline void connection_ends(volatile struct bpf_sock_ops *ops,
					    struct monitor_event *event,
					    bool is_out)
{
	__u32 here[4] = { ops->local_ip6[0], ops->local_ip6[1],
			  ops->local_ip6[2], ops->local_ip6[3] };
	__u32 there[4] = { ops->remote_ip6[0], ops->remote_ip6[1],
			   ops->remote_ip6[2], ops->remote_ip6[3] };
	__u32 here4 = ops->local_ip4, there4 = ops->remote_ip4;
	__u16 here_port = ops->local_port;
	__u16 there_port = bpf_ntohl(ops->remote_port);

	if (ops->family != FAMILY_INET6) {
		address_of_ip4(here, here4);
		address_of_ip4(there, there4);
	}
	event->family = is_mapped(there) ? 4 : 6;
	address_put(event->src, is_out ? here : there);
	address_put(event->dst, is_out ? there : here);
	event->src_port = is_out ? here_port : there_port;
	event->dst_port = is_out ? there_port : here_port;
}

/* All of the event is written. */
static __always_inline void connection_fill(struct bpf_sock_ops *ops,
					    struct monitor_event *event,
					    const struct connection *connection,
					    __u32 kind)
{
	bool is_out = connection->is_out || !connection->began_ns;

	event->at_ns = bpf_ktime_get_ns();
	event->kind = kind;
	event->flags = EVENT_PORTS | (connection->is_out ? EVENT_OUT : 0) |
		       (connection->pid ? EVENT_SENDER : 0) |
		       (connection->began_ns ? EVENT_STARTED : 0);
	event->verdict = ROW_ALLOW;
	event->protocol = IPPROTO_TCP;
	event->icmp_type = 0;
	event->icmp_code = 0;
	event->pad = 0;
	event->generation = generation_read();
	event->counter = NONE;
	event->ifindex = 0;
	connection_ends(ops, event, is_out);
	event->pid = connection->pid;
	__builtin_memcpy(event->program, connection->program,
			 sizeof(event->program));
	event->bytes = kind == EVENT_CLOSED ? ops->bytes_acked : 0;
	event->received = kind == EVENT_CLOSED ? ops->bytes_received : 0;
	event->began_ns = connection->began_ns;
}

static __always_inline void connection_tell(struct bpf_sock_ops *ops,
					    struct bpf_sock *sk,
					    const struct connection *connection,
					    __u32 kind)
{
	__u64 cgroup = connection_cgroup(sk);
	__u32 uid = connection_group(cgroup), at = seat;
	struct monitor_event *event;
	void *ring;

	ring = bpf_map_lookup_elem(&monitor_rings, &at);
	if (!uid || !ring || !monitor_now())
		return;
	event = monitor_reserve(ring, at);
	if (!event)
		return;
	connection_fill(ops, event, connection, kind);
	event->cgroup = cgroup;
	event->whose = uid;
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void connection_hear(struct bpf_sock_ops *ops)
{
	bpf_sock_ops_cb_flags_set(ops, ops->bpf_sock_ops_cb_flags |
					       BPF_SOCK_OPS_STATE_CB_FLAG);
}

/* In connect(), for the process that calls it. */
static __always_inline void connection_begins(struct connection *connection)
{
	struct task_struct___monitor *task = (void *)bpf_get_current_task();

	connection->is_out = 1;
	bpf_probe_read_kernel(&connection->pid, sizeof(connection->pid),
			      &task->tgid);
	bpf_probe_read_kernel(connection->program, sizeof(connection->program),
			      &task->comm);
}

static __always_inline void connection_opens(struct bpf_sock_ops *ops,
					     struct bpf_sock *sk,
					     struct connection *connection)
{
	connection->is_open = 1;
	connection->is_out = ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB;
	connection->began_ns = bpf_ktime_get_ns();
	connection_hear(ops);
	connection_tell(ops, sk, connection, EVENT_OPENED);
}

SEC("sockops")
int monitor_socket(struct bpf_sock_ops *ops)
{
	struct connection *connection;
	struct bpf_sock *sk = ops->sk;
	__u32 op = ops->op, flags = BPF_SK_STORAGE_GET_F_CREATE;

	if (op != BPF_SOCK_OPS_TCP_CONNECT_CB &&
	    op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB &&
	    op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB &&
	    op != BPF_SOCK_OPS_RTT_CB && op != BPF_SOCK_OPS_STATE_CB)
		return 1;
	if (op == BPF_SOCK_OPS_STATE_CB) {
		if (ops->args[1] != BPF_TCP_CLOSE)
			return 1;
		flags = 0;
	}
	if (!sk)
		return 1;
	connection = bpf_sk_storage_get(&connections, sk, NULL, flags);
	if (!connection)
		return 1;
	if (op == BPF_SOCK_OPS_TCP_CONNECT_CB) {
		connection_begins(connection);
	} else if (op == BPF_SOCK_OPS_RTT_CB) {
		if (!connection->is_open)
			connection_hear(ops);
		connection->is_open = 1;
	} else if (op == BPF_SOCK_OPS_STATE_CB) {
		if (connection->is_open)
			connection_tell(ops, sk, connection, EVENT_CLOSED);
		connection->is_open = 0;
	} else {
		connection_opens(ops, sk, connection);
	}
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
