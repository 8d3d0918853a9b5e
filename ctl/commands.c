/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/array.h"
#include "ctl/command.h"

#define FILES                                                                 \
	"FILE defaults to /etc/weir/weir.ini and /etc/weir/weir.d/*.ini; a\n" \
	"FILE of - is standard input.  All files together are one policy.\n"

const struct command commands[] = {
	{ "check", "[FILE...]", "read and compile a policy; say what is wrong",
	  0, -1, false, cmd_check, FILES },
	{ "apply", "[--dry-run] [--json] [FILE...]",
	  "make the kernel enforce a policy", OPTION_DRY_RUN | OPTION_JSON, -1,
	  true, cmd_apply,
	  FILES "With --dry-run the plan is printed and nothing is changed.\n"
		"A policy is switched to in one step, or not at all.\n" },
	{ "status", "[--json]", "what is attached where, with which mechanism",
	  OPTION_JSON, 0, true, cmd_status, "" },
	{ "stats", "[--json] [NAME...]",
	  "what was counted: groups, devices, rules", OPTION_JSON, -1, true,
	  cmd_stats,
	  "With NAMEs, only the groups, devices, chains and sets so called.\n" },
	{ "explain", "[--json] in|out GROUP|CGROUP|DEVICE PACKET",
	  "which rule decides a packet, and which almost did", OPTION_JSON, -1,
	  true, cmd_explain,
	  "PACKET is PROTOCOL [TYPE] [from] ADDRESS[:PORT] [to] [ADDRESS:]PORT, such\n"
	  "as tcp 203.0.113.9:5555 443, icmp echo-request 192.0.2.1.  Behind it may\n"
	  "stand state STATE, flags FLAGS, mark N, dscp NAME, iface NAME, uid N and\n"
	  "length N.  The matcher in the kernel is asked; nothing is counted.\n" },
	{ "monitor",
	  "[--json] [--connections] [--group NAME] [--deny] [--count N]",
	  "tell verdicts, connections and limits as they happen",
	  OPTION_JSON | OPTION_EVENTS, 0, true, cmd_monitor,
	  "Tells what rules with log decide, and limits that drop; --connections\n"
	  "tells of TCP connections as well.  --group keeps to one group, --deny to\n"
	  "what is refused, and --count ends after N events.  With --json each event\n"
	  "is a line.  Runs until it is told to stop.\n" },
	{ "limit",
	  "[--dry-run] [--json] GROUP|CGROUP [out=RATE] [in=RATE] [quota=reset]",
	  "change a limit now", OPTION_DRY_RUN | OPTION_JSON, -1, true,
	  cmd_limit,
	  "GROUP is a group in force; CGROUP is the path of a cgroup, and gets\n"
	  "a limit of its own.  RATE is such as 10mbit, or none.  The next apply\n"
	  "puts back what the files say.  quota=reset says that nothing was used\n"
	  "of the quota in this period.\n" },
	{ "set",
	  "add|del SET ELEMENT... [timeout TIME] | list [--json] [SET] | load SET FILE | flush SET",
	  "change a set now, or list it", OPTION_JSON, -1, true, cmd_set,
	  "A set keeps its rules: they meet the change with the next packet.  load\n"
	  "puts what FILE has in the place of all that is in; flush leaves nothing.\n"
	  "TIME is such as 90s, 10m, 1h or 2d, for the elements before it.  The next\n"
	  "apply puts back what the files say, where they say what is in the set.\n" },
	{ "run",
	  "[--out RATE] [--in RATE] [--filter-out CHAIN] [--] COMMAND [ARG...]",
	  "run a command under a limit of its own",
	  OPTION_LIMITS | OPTION_COMMAND, -1, true, cmd_run,
	  "The exit status is the command's, 128+N where signal N ended it, 126 or\n"
	  "127 where it could not be started, 125 where weirctl failed.\n" },
	{ "watch", "[--once]",
	  "give containers that start later their queue for what arrives",
	  OPTION_ONCE, 0, true, cmd_watch,
	  "Runs until it is told to stop.  Limits on what leaves, and rules,\n"
	  "need no watch: the kernel finds new cgroups itself.  With --once it\n"
	  "looks one time and ends.\n" },
	{ "clear", "", "take everything of weir's out of the kernel", 0, 0,
	  true, cmd_clear, "What weir replaced is put back.\n" },
	{ "doctor", "[--json]",
	  "what this kernel can do, and which mechanism follows", OPTION_JSON,
	  0, true, cmd_doctor, "" },
	{ "version", "", "print the version", 0, 0, false, cmd_version, "" },
	{ "help", "[COMMAND]", "explain weirctl, or one command", 0, 1, false,
	  cmd_help, "" },
};

const size_t n_commands = ARRAY_SIZE(commands);

int command_usage(const struct command *command)
{
	fprintf(stderr, "usage: weirctl %s %s\n", command->name,
		command->arguments);
	return EXIT_USAGE;
}

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; i < n_commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}
