/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/ssh.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cgroup/mount.h"
#include "cgroup/probe.h"
#include "cgroup/socket_cgroup.h"
#include "ctl/explain.h"
#include "ctl/say.h"

#define NOT_LOOKED "whether the SSH connection goes on was not looked at: "

/* Both directions of the connection, and what they meet. */
struct ssh {
	struct socket_ends ends;
	char cgroup[PATH_MAX];
	struct explanation in, out;
};

static void ssh_clear(struct ssh *ssh)
{
	explanation_clear(&ssh->in);
	explanation_clear(&ssh->out);
}

/* --------------------------------------------------- the connection */

static int read_address(char *text, struct in6_addr *ret_address)
{
	uint8_t mapped[16] = { [10] = 0xff, 0xff };

	text[strcspn(text, "%")] = '\0'; /* of a link-local address */
	if (inet_pton(AF_INET, text, mapped + 12) == 1) {
		memcpy(ret_address, mapped, sizeof(mapped));
		return 0;
	}
	return inet_pton(AF_INET6, text, ret_address) == 1 ? 0 : -EINVAL;
}

/* "192.0.2.1 50022 192.0.2.9 22": the client's end, then the server's. */
static int read_connection(const char *text, struct socket_ends *ret_ends)
{
	char other[INET6_ADDRSTRLEN + 32], own[INET6_ADDRSTRLEN + 32];

	if (sscanf(text, "%77s %hu %77s %hu", other, &ret_ends->other_port, own,
		   &ret_ends->own_port) != 4)
		return -EINVAL;
	if (read_address(other, &ret_ends->other) < 0)
		return -EINVAL;
	return read_address(own, &ret_ends->own);
}

static void make_sample(const struct socket_ends *ends, bool is_out,
			struct sample *sample)
{
	struct sample_end own = { true, true, ends->own, ends->own_port };
	struct sample_end other = { true, true, ends->other, ends->other_port };
	bool is_ip4 = IN6_IS_ADDR_V4MAPPED(&ends->own);

	*sample = (struct sample){
		.family = is_ip4 ? FAMILY_IP4 : FAMILY_IP6,
		.protocol = IPPROTO_TCP,
		.has_ports = true,
		.src = is_out ? own : other,
		.dst = is_out ? other : own,
		.flags = 0x10, /* ACK */
		.length = is_ip4 ? 40 : 60,
		.states = STATE_ESTABLISHED,
	};
}

static int meet(struct ssh *ssh, const struct image *image, const char *mount,
		struct err *err)
{
	int r;

	ssh->in.image = ssh->out.image = image;
	ssh->out.is_out = true;
	make_sample(&ssh->ends, false, &ssh->in.sample);
	make_sample(&ssh->ends, true, &ssh->out.sample);
	r = explain_meet_cgroup(&ssh->in, mount, ssh->cgroup, err);
	if (r < 0)
		return r;
	return explain_meet_cgroup(&ssh->out, mount, ssh->cgroup, err);
}

/* ------------------------------------------------------- the verdict */

/* The first chain, of groups or of the device, that refuses a state. */
static int find_refusal(struct explanation *explanation,
			struct explainer *explainer, bool is_device,
			unsigned int states, struct met_chain **ret_met,
			struct err *err)
{
	size_t i;
	int r;

	*ret_met = NULL;
	explanation->sample.states = states;
	for (i = 0; i < explanation->n_chains && !*ret_met; i++) {
		struct met_chain *met = &explanation->chains[i];

		if ((met->group == NONE) != is_device)
			continue;
		r = explain_ask_chain(explanation, explainer, met, err);
		if (r < 0)
			return r;
		if (met->verdict != ROW_ALLOW)
			*ret_met = met;
	}
	return 0;
}

struct refusal {
	const struct explanation *of;
	struct met_chain *met; /* NULL: none */
};

/* Asks for one direction and state, unless something refused before. */
static int ask(struct explanation *explanation, struct explainer *explainer,
	       bool is_device, unsigned int states, struct refusal *refusal,
	       struct err *err)
{
	if (refusal->met)
		return 0;
	refusal->of = explanation;
	return find_refusal(explanation, explainer, is_device, states,
			    &refusal->met, err);
}

/*
 * A socket of a group knows that it is established.  A device has not seen the
 * connection yet: one of its sides has to open it there anew, and then the
 * other's packets are answers.
 */
static int judge(struct ssh *ssh, struct explainer *explainer,
		 struct refusal *refusal, struct err *err)
{
	struct refusal opened_in = { 0 }, opened_out = { 0 };
	int r;

	r = ask(&ssh->in, explainer, false, STATE_ESTABLISHED, refusal, err);
	if (r == 0)
		r = ask(&ssh->out, explainer, false, STATE_ESTABLISHED, refusal,
			err);
	if (r < 0 || refusal->met)
		return r;
	r = ask(&ssh->out, explainer, true, STATE_NEW, &opened_out, err);
	if (r == 0)
		r = ask(&ssh->in, explainer, true, STATE_ESTABLISHED,
			&opened_out, err);
	if (r < 0 || !opened_out.met)
		return r;
	r = ask(&ssh->in, explainer, true, STATE_NEW, &opened_in, err);
	if (r == 0)
		r = ask(&ssh->out, explainer, true, STATE_ESTABLISHED,
			&opened_in, err);
	*refusal = opened_in;
	return r;
}

static void warn(const struct refusal *refusal)
{
	const struct image *image = refusal->of->image;
	const struct met_chain *met = refusal->met;
	const struct rule_row *rule =
		met->rule == NONE ? NULL : &image->rules[met->rule];
	/* Where it is written, which may be jumped to. */
	const struct chain_row *chain =
		&image->chains[rule ? rule->chain : met->chain];
	char whose[WHOSE_MAX], what[48];

	explain_whose(refusal->of, met, whose);
	if (rule)
		snprintf(what, sizeof(what), "rule %u", rule->number);
	else
		snprintf(what, sizeof(what), "the policy");
	fprintf(stderr,
		"%s:%u: warning: the SSH connection that this is run through "
		"would be cut off: %s of chain %s, of %s, %s what %s\n",
		image_string(image, rule ? rule->file : chain->file),
		rule ? rule->line : chain->line, what,
		image_string(image, chain->name), whose,
		explain_does(met->verdict),
		refusal->of->is_out ? "leaves" : "arrives");
}

/* --------------------------------------------------------- the whole */

static int look(struct ssh *ssh, const struct image *image, const char *mount,
		struct err *err)
{
	CLEANUP(explainer_closep) struct explainer *explainer = NULL;
	struct refusal refusal = { 0 };
	int r;

	r = meet(ssh, image, mount, err);
	if (r < 0 || (!ssh->in.n_chains && !ssh->out.n_chains))
		return r;
	r = explainer_open_image(image, &explainer, err);
	if (r == 0)
		r = judge(ssh, explainer, &refusal, err);
	if (r == 0 && refusal.met)
		warn(&refusal);
	return r;
}

/* Whether there is a connection to look at; says why there is none. */
static bool find_connection(struct ssh *ssh, const char *mount)
{
	char text[SSH_CONNECTION_MAX];
	int r;

	if (!ssh_connection(text))
		return false;
	if (read_connection(text, &ssh->ends) < 0) {
		say(NOT_LOOKED "SSH_CONNECTION is '%.100s'", text);
		return false;
	}
	r = socket_cgroup(mount, &ssh->ends, ssh->cgroup);
	if (r == -ENOENT)
		say(NOT_LOOKED "what SSH_CONNECTION names is not here");
	else if (r < 0)
		say(NOT_LOOKED "its socket: %s", strerror(-r));
	return r == 0;
}

void ssh_warn(const struct image *image, const char *mount)
{
	CLEANUP(ssh_clear) struct ssh ssh = { 0 };
	struct err err;

	if (image->n_chains && find_connection(&ssh, mount) &&
	    look(&ssh, image, mount, &err) < 0)
		say(NOT_LOOKED "%s", err.msg);
}

/* … and sets their names. */
static int add_names(struct image *image)
{
	struct if_nameindex *names = if_nameindex(), *name;
	int r = names ? 0 : neg_errno();

	for (name = names; r == 0 && name->if_index; name++)
		r = image_add_iface(image, name->if_index, name->if_name);
	if (names)
		if_freenameindex(names);
	return r;
}

/* Rules know interfaces by name only so far. */
static int fill_interfaces(struct image *image)
{
	size_t i;

	for (i = 0; i < image->n_rules; i++) {
		struct rule_row *rule = &image->rules[i];

		if (rule->looks & LOOK_IFINDEX && !rule->ifindex)
			rule->ifindex = if_nametoindex(
				image_string(image, rule->iface));
	}
	return image_wants_ifaces(image) ? add_names(image) : 0;
}

void ssh_warn_compiled(struct image *image)
{
	char mount[PATH_MAX], text[SSH_CONNECTION_MAX];
	struct err err;

	if (!image->n_chains || !ssh_connection(text))
		return;
	if (geteuid() != 0) {
		say(NOT_LOOKED "only root can");
		return;
	}
	if (probe_allowed(&err) < 0 || mount_find_cgroup2(mount, &err) < 0) {
		say(NOT_LOOKED "%s", err.msg);
		return;
	}
	if (fill_interfaces(image) < 0)
		say(NOT_LOOKED "its interfaces");
	else
		ssh_warn(image, mount);
}
