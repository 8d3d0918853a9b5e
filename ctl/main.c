/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/say.h"
#include "rules/suggest.h"

enum {
	LONG_JSON = 256,
	LONG_DRY_RUN,
	LONG_ONCE,
	LONG_OUT,
	LONG_IN,
	LONG_FILTER_OUT,
	LONG_CONNECTIONS,
	LONG_DENY,
	LONG_GROUP,
	LONG_COUNT,
	LONG_HELP,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, LONG_JSON },
	{ "dry-run", no_argument, NULL, LONG_DRY_RUN },
	{ "once", no_argument, NULL, LONG_ONCE },
	{ "out", required_argument, NULL, LONG_OUT },
	{ "in", required_argument, NULL, LONG_IN },
	{ "filter-out", required_argument, NULL, LONG_FILTER_OUT },
	{ "connections", no_argument, NULL, LONG_CONNECTIONS },
	{ "deny", no_argument, NULL, LONG_DENY },
	{ "group", required_argument, NULL, LONG_GROUP },
	{ "count", required_argument, NULL, LONG_COUNT },
	{ "help", no_argument, NULL, LONG_HELP },
	{ 0 },
};

/*
 * What weir keeps must be found again from wherever it is called.  Returns
 * EXIT_DONE, or what to exit with.
 */
static int find_place(const char *variable, const char **place)
{
	const char *value = getenv(variable);

	if (!value || !*value)
		return EXIT_DONE;
	if (*value != '/') {
		say("%s is '%s': it must begin with /", variable, value);
		return EXIT_USAGE;
	}
	*place = value;
	return EXIT_DONE;
}

static int find_places(struct places *places)
{
	int status;

	status = find_place("WEIR_BPFFS", &places->bpffs);
	if (status == EXIT_DONE)
		status = find_place("WEIR_STATE", &places->state);
	if (status == EXIT_DONE)
		status = find_place("WEIR_RUN", &places->run);
	return status;
}

static int unknown_command(const char *name)
{
	struct suggestion best;
	size_t i;

	suggestion_begin(&best, name);
	for (i = 0; i < n_commands; i++)
		suggestion_try(&best, commands[i].name);
	if (best.word)
		say("there is no command '%s' (try %s)", name, best.word);
	else
		say("there is no command '%s' (try weirctl help)", name);
	return EXIT_USAGE;
}

static int refuse_option(const struct command *command, const char *option)
{
	say("%s does not take the option %s", command->name, option);
	return command_usage(command);
}

/* What a command must take to be given an option; 0: all take it. */
static unsigned int option_kind(int option)
{
	switch (option) {
	case LONG_JSON:
		return OPTION_JSON;
	case LONG_DRY_RUN:
		return OPTION_DRY_RUN;
	case LONG_ONCE:
		return OPTION_ONCE;
	case LONG_OUT:
	case LONG_IN:
	case LONG_FILTER_OUT:
		return OPTION_LIMITS;
	case LONG_CONNECTIONS:
	case LONG_DENY:
	case LONG_GROUP:
	case LONG_COUNT:
		return OPTION_EVENTS;
	default:
		return 0;
	}
}

static void note_option(int option, struct call *call)
{
	call->json |= option == LONG_JSON;
	call->dry_run |= option == LONG_DRY_RUN;
	call->once |= option == LONG_ONCE;
	call->help |= option == LONG_HELP;
	call->connections |= option == LONG_CONNECTIONS;
	call->deny |= option == LONG_DENY;
	if (option == LONG_OUT)
		call->out = optarg;
	if (option == LONG_IN)
		call->in = optarg;
	if (option == LONG_FILTER_OUT)
		call->filter_out = optarg;
	if (option == LONG_GROUP)
		call->group = optarg;
	if (option == LONG_COUNT)
		call->count = optarg;
}

/* Reads the options of a command; EXIT_DONE, or what to exit with. */
static int read_options(const struct command *command, int argc, char **argv,
			struct call *call)
{
	/* '+': they end where a command's name stands; ':': tell what lacks. */
	const char *style = command->options & OPTION_COMMAND ? "+:" : ":";
	int option, index = 0;

	opterr = 0;
	while ((option = getopt_long(argc, argv, style, long_options,
				     &index)) != -1) {
		if (option == ':') {
			say("%s: %s wants a value", command->name,
			    argv[optind - 1]);
			return command_usage(command);
		}
		if (option == '?')
			return refuse_option(command, argv[optind - 1]);
		if (option_kind(option) & ~command->options) {
			char name[32];

			snprintf(name, sizeof(name), "--%s",
				 long_options[index].name);
			return refuse_option(command, name);
		}
		note_option(option, call);
	}
	call->args = argv + optind;
	call->n_args = argc - optind;
	if (command->max_args >= 0 && argc - optind > command->max_args) {
		say("%s takes %s", command->name,
		    command->max_args ? "one argument" : "no arguments");
		return command_usage(command);
	}
	return EXIT_DONE;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct call call = {
		.command = command,
		.places = {
			.bpffs = "/sys/fs/bpf/weir",
			.state = "/var/lib/weir",
			.run = "/run/weir",
		},
	};
	int status;

	status = read_options(command, argc, argv, &call);
	if (status != EXIT_DONE)
		return status;
	if (call.help)
		return help_command(command);
	if (command->needs_root && geteuid() != 0) {
		say("%s: only root may do this (try sudo weirctl %s)",
		    command->name, command->name);
		return EXIT_REFUSED;
	}
	/* The others keep nothing, and look at nothing that is kept. */
	if (command->needs_root)
		status = find_places(&call.places);
	if (status != EXIT_DONE)
		return status;
	status = command->run(&call);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("write to standard output: %m");
		return EXIT_REFUSED;
	}
	return status;
}

/* The habits of other commands. */
static const char *name_of(const char *arg)
{
	if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0)
		return "help";
	if (strcmp(arg, "--version") == 0 || strcmp(arg, "-V") == 0)
		return "version";
	return arg;
}

int main(int argc, char **argv)
{
	const struct command *command;

	if (argc < 2) {
		help_all(stderr);
		return EXIT_USAGE;
	}
	command = command_find(name_of(argv[1]));
	if (!command)
		return unknown_command(argv[1]);
	return run_command(command, argc - 1, argv + 1);
}
