/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ctl/child.h"

#include <linux/sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "cgroup/own.h"
#include "ctl/say.h"

static const int passed_on[] = {
	SIGINT,	 SIGTERM,  SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2,
	SIGCONT, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU,
};

static void waited_for(sigset_t *ret_set)
{
	size_t i;

	sigemptyset(ret_set);
	sigaddset(ret_set, SIGCHLD);
	for (i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(ret_set, passed_on[i]);
}

void child_hold_signals(struct child *child)
{
	sigset_t set;

	waited_for(&set);
	sigprocmask(SIG_BLOCK, &set, &child->mask);
	child->reap = signal(SIGCHLD, SIG_DFL);
}

void child_restore_signals(const struct child *child)
{
	signal(SIGCHLD, child->reap);
	sigprocmask(SIG_SETMASK, &child->mask, NULL);
}

/* ---------------------------------------------------------- the child */

/* It holds the lock's descriptor, too, but only until it executes. */
__attribute__((noreturn)) static void execute(const struct child *child,
					      int gate, char *const *argv)
{
	char byte;

	close(child->gate);
	if (send(gate, "", 1, MSG_NOSIGNAL) != 1 || read(gate, &byte, 1) != 1)
		_exit(EXIT_WEIR); /* weirctl gave up, or was killed */
	child_restore_signals(child);
	execvp(argv[0], argv);
	byte = errno == ENOENT;
	say("run '%s': %m", argv[0]);
	_exit(byte ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
}

/*
 * clone3 makes the child in the cgroup; to move a process there is slow, for
 * the kernel stops all others meanwhile.  Where it is not allowed, move.
 */
static pid_t fork_into(int cgroup_fd, bool *ret_in_cgroup)
{
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd,
	};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	*ret_in_cgroup = pid >= 0;
	return pid >= 0 ? pid : fork();
}

/* Tells weirctl by the gate that the child is in its cgroup, or ends. */
__attribute__((noreturn)) static void begin(const struct child *child, int gate,
					    int cgroup_fd, bool in_cgroup,
					    char *const *argv,
					    const struct rlimit *memlock)
{
	int r = in_cgroup ? 0 : own_join(cgroup_fd);

	setrlimit(RLIMIT_MEMLOCK, memlock);
	if (r == 0)
		execute(child, gate, argv);
	errno = -r;
	say("move a process into its cgroup: %m");
	_exit(EXIT_WEIR);
}

int child_make(int cgroup_fd, char *const *argv, const struct rlimit *memlock,
	       struct child *child, struct err *err)
{
	bool in_cgroup = false;
	int ends[2], r = -ECHILD;
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return err_set(err, neg_errno(), "make a pair of sockets");
	child->gate = ends[0];
	fflush(NULL);
	child->pid = fork_into(cgroup_fd, &in_cgroup);
	if (child->pid == 0)
		begin(child, ends[1], cgroup_fd, in_cgroup, argv, memlock);
	if (child->pid < 0)
		r = neg_errno();
	close(ends[1]);
	if (child->pid > 0 && recv(child->gate, &byte, 1, 0) == 1)
		return 0;
	child_drop(child);
	return err_set(err, r, "make a process for the command");
}

/* --------------------------------------------------------- the parent */

void child_start(struct child *child)
{
	/* A child that is gone tells so by its status. */
	send(child->gate, "", 1, MSG_NOSIGNAL);
	close(child->gate);
	child->gate = -1;
}

void child_drop(struct child *child)
{
	if (!child->pid)
		return;
	close(child->gate);
	while (child->pid > 0 && waitpid(child->pid, NULL, 0) < 0 &&
	       errno == EINTR)
		;
	child->pid = 0;
}

/*
 * What the terminal sends goes to all of the foreground process group: the
 * command has it already, unless it made a group of its own.
 */
static bool has_it_already(const struct child *child, const siginfo_t *info)
{
	return info->si_code == SI_KERNEL && getpgid(child->pid) == getpgrp();
}

/* What became of the command: true when it has ended. */
static bool look(const struct child *child, bool *stops, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(child->pid, &status, WNOHANG | WUNTRACED)) > 0) {
		if (WIFEXITED(status)) {
			*ret_status = WEXITSTATUS(status);
			return true;
		}
		if (WIFSIGNALED(status)) {
			*ret_status = 128 + WTERMSIG(status);
			return true;
		}
		/*
		 * ^Z, which came to us as well: stop, so that the shell has
		 * its prompt.  A debugger's stop is none of our business.
		 */
		if (*stops)
			raise(SIGSTOP);
		*stops = false;
	}
	if (pid < 0 && errno != EINTR) {
		say("wait for the command: %m");
		*ret_status = EXIT_WEIR;
		return true;
	}
	return false;
}

int child_wait(const struct child *child)
{
	bool stops = false;
	int status = EXIT_WEIR;
	siginfo_t info;
	sigset_t set;

	waited_for(&set);
	while (!look(child, &stops, &status)) {
		int number = sigwaitinfo(&set, &info);

		if (number < 0 || number == SIGCHLD)
			continue;
		stops |= number == SIGTSTP || number == SIGTTIN ||
			 number == SIGTTOU;
		if (number == SIGCONT)
			stops = false;
		if (!has_it_already(child, &info))
			kill(child->pid, number);
	}
	return status;
}
