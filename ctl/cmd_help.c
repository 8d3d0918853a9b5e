/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/command.h"
#include "ctl/say.h"

void help_all(FILE *out)
{
	size_t i;

	fputs("usage: weirctl COMMAND [ARGUMENT...]\n\n", out);
	for (i = 0; i < n_commands; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nweirctl help COMMAND says more; so do the manual pages "
	      "weirctl(8) and weir.conf(5).\n",
	      out);
}

int help_command(const struct command *command)
{
	printf("usage: weirctl %s%s%s\n\n%s.\n", command->name,
	       *command->arguments ? " " : "", command->arguments,
	       command->help);
	if (*command->more)
		printf("\n%s", command->more);
	return EXIT_DONE;
}

int cmd_help(const struct call *call)
{
	const struct command *command;

	if (call->n_args == 0) {
		help_all(stdout);
		return EXIT_DONE;
	}
	command = command_find(call->args[0]);
	if (!command) {
		say("there is no command '%s'", call->args[0]);
		return EXIT_USAGE;
	}
	return help_command(command);
}
