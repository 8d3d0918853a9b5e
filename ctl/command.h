/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands of weirctl: one row each.  Usage, help and the completion
 * come from the table in commands.c.
 */
#ifndef WEIR_CTL_COMMAND_H
#define WEIR_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit status of the process. */
enum {
	EXIT_DONE = 0,
	EXIT_REFUSED = 1, /* or failed; nothing changed unless it says so */
	EXIT_USAGE = 2,	  /* also: an error in the policy */
};

/* Where weir keeps what it keeps; see the environment in weirctl(8). */
struct places {
	const char *bpffs; /* pins */
	const char *state; /* what outlives a boot */
	const char *run;   /* the lock */
};

/* Options that a command may take: bits of command.options. */
enum {
	OPTION_JSON = 1 << 0,
	OPTION_DRY_RUN = 1 << 1,
	OPTION_ONCE = 1 << 2,
	OPTION_LIMITS = 1 << 3,	 /* --out, --in, --filter-out */
	OPTION_COMMAND = 1 << 4, /* the arguments are a command's, not ours */
	OPTION_EVENTS = 1 << 5,	 /* --connections, --deny, --group, --count */
};

struct command;

/* What a command is called with. */
struct call {
	const struct command *command;
	struct places places;
	bool json;
	bool dry_run;
	bool once;
	bool help;
	bool connections;
	bool deny;
	const char *out, *in, *filter_out; /* as they were given, or NULL */
	const char *group, *count;	   /* likewise */
	char **args;			   /* what is left: files, names */
	size_t n_args;
};

struct command {
	const char *name;
	const char *arguments; /* as the usage shows them */
	const char *help;      /* one line */
	unsigned int options;
	int max_args; /* -1: any number */
	bool needs_root;
	int (*run)(const struct call *call); /* returns an exit status */
	const char *more;		     /* the rest of `help COMMAND` */
};

extern const struct command commands[];
extern const size_t n_commands;

const struct command *command_find(const char *name);

/* Says how to call the command; returns EXIT_USAGE. */
int command_usage(const struct command *command);

int help_command(const struct command *command);
void help_all(FILE *out);

int cmd_apply(const struct call *call);
int cmd_check(const struct call *call);
int cmd_clear(const struct call *call);
int cmd_doctor(const struct call *call);
int cmd_explain(const struct call *call);
int cmd_help(const struct call *call);
int cmd_limit(const struct call *call);
int cmd_monitor(const struct call *call);
int cmd_run(const struct call *call);
int cmd_set(const struct call *call);
int cmd_stats(const struct call *call);
int cmd_status(const struct call *call);
int cmd_version(const struct call *call);
int cmd_watch(const struct call *call);

#endif
