/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets over a veth from one namespace to another, all by one process on
 * one processor: what the kernel does for a packet, receiving included, is
 * done in the process's own time, so that its clock tells what one costs.
 */
#ifndef WEIR_TESTS_BENCH_RULES_TRAFFIC_H
#define WEIR_TESTS_BENCH_RULES_TRAFFIC_H

#include "tests/bench-rules/ruleset.h"

#define BATCH	  64 /* packets on their way at once */
#define PACKET	  46 /* bytes of IP: 64 on the wire */
#define PEERS_MAX 1024

/* Of the command line.  Folders of cgroups, files of namespaces. */
struct options {
	const char *from, *to;	     /* namespaces */
	const char *cgroup, *home;   /* that with rules, and that without */
	const char *client, *server; /* addresses */
	enum ruleset_kind kind;
	size_t rules, flows, packets, samples;
	uint64_t seed;
	double seconds; /* that all samples may take */
};

/* What a sample sent, and how much of it came or was let out. */
struct tally {
	size_t sent, passed;
};

struct ground {
	const struct options *options;
	struct ruleset *set;
	int servers[RULESET_PORTS]; /* by port; -1: none */
	int clients[PEERS_MAX];	    /* connected to the first server */
	size_t n_clients;
	int raw;
	uint32_t client, server; /* addresses */
	uint64_t random;
	uint32_t sequence;		/* of new flows */
	struct ruleset_packet *packets; /* of the next sample */
};

struct scene {
	const char *name;
	void (*prepare)(struct ground *ground);	       /* once */
	void (*pick)(struct ground *ground, size_t n); /* of each sample */
	/* Sends n, of ground->packets from the first on; at most BATCH. */
	void (*play)(struct ground *ground, size_t first, size_t n,
		     struct tally *tally);
};

extern const struct scene scenes[];
extern const size_t n_scenes;

/* ---------------------------------------- sockets: traffic_socket.c
 * They end the program where they cannot. */

/* In a namespace and, of all its life, in a cgroup. */
int socket_in(const struct options *options, const char *netns,
	      const char *cgroup, int type, int protocol);
void socket_bind(int fd, uint32_t address, uint16_t port);
void socket_connect(int fd, uint32_t address, uint16_t port);

/* Sends packets as they are; returns how many the kernel took. */
size_t raw_send(int fd, const struct ruleset_packet *packets, size_t n);

/* The same payload n times. */
size_t batch_send(int fd, size_t n);

/* A word from an unconnected socket; that it cannot be sent is no matter. */
void socket_send(int fd, uint32_t address, uint16_t port);

/* Takes all that is there; returns how many. */
size_t drain(int fd);

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *form, ...);

#endif
