# terminal.py - runs a program on a terminal of its own: terminal.py ROWS COLS PROGRAM ARG…
#
# What the program prints goes to stdout as it came, what stands on stdin is typed. "ROWS COLS\n" on descriptor 3 makes the
# terminal another size. Ends as the program does: its status, or 128 and the signal. The end of stdin is a hang-up. After the
# program has ended, its terminal's settings are told on descriptor 4: "echo canonical", a 1 or a 0 each.
import fcntl
import os
import pty
import select
import struct
import sys
import termios


def resize(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


master, slave = pty.openpty()
resize(master, int(sys.argv[1]), int(sys.argv[2]))
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.closerange(3, 64)
    os.execvp(sys.argv[3], sys.argv[3:])

# Reaped by a thread's place in the loop: the slave stays open here, so that its settings can be read at the end.
ended = os.pidfd_open(child)
inputs = [0, 3, master, ended]
while True:
    ready = select.select(inputs, [], [])[0]
    if master in ready:
        write_all(1, os.read(master, 65536))
        continue  # all of it before the end is told
    if ended in ready:
        break
    if 0 in ready:
        typed = os.read(0, 65536)
        if typed:
            write_all(master, typed)
        else:
            inputs.remove(0)
            os.kill(child, 1)
    if 3 in ready:
        size = os.read(3, 64)
        if size:
            resize(master, *map(int, size.split()[:2]))
        else:
            inputs.remove(3)
status = os.waitpid(child, 0)[1]
modes = termios.tcgetattr(slave)[3]
write_all(4, b"%d %d\n" % (bool(modes & termios.ECHO), bool(modes & termios.ICANON)))
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
