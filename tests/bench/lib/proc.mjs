// What the kernel says about processes: CPU time, memory, who is whose child, and who else is busy.

import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

const TICK_NS = 1e7; // USER_HZ is 100 for every Linux program

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended in the meantime
  }
}

// The fields of /proc/<pid>/stat from the third on: [0] state, [1] parent, [11] utime …
function stat(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

// A process and all that descend from it.
export function tree(root) {
  const children = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)) {
    const parent = Number(stat(pid)[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const pids = [root];
  for (let i = 0; i < pids.length; i++) pids.push(...(children.get(pids[i]) ?? []));
  return pids;
}

function threadsNs(pid) {
  let tids = [];
  try {
    tids = readdirSync(`/proc/${pid}/task`);
  } catch {
    return 0;
  }
  const ns = tids.map((tid) => Number(read(`/proc/${pid}/task/${tid}/schedstat`).split(' ')[0]));
  return ns.reduce((a, b) => a + b, 0);
}

// CPU nanoseconds that the processes and their ended children have used so far.
export function cpuNs(pids) {
  let ns = 0;
  for (const pid of pids) {
    const fields = stat(pid);
    const ended = (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * TICK_NS;
    const own = threadsNs(pid) || (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_NS;
    ns += own + ended;
  }
  return ns;
}

// Memory in bytes, shared pages divided among those who share them.
export function pssBytes(pids) {
  let kb = 0;
  for (const pid of pids) kb += Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return kb * 1024;
}

// CPU nanoseconds that all processes of the machine have used so far, and those that the host took.
export function machineNs() {
  const [user, nice, system, , , irq, softirq, steal] = /^cpu +(.*)$/m
    .exec(read('/proc/stat'))[1].split(' ').map(Number);
  return { busy: (user + nice + system + irq + softirq) * TICK_NS, stolen: steal * TICK_NS };
}

// How many sockets a process has, or several have.
export function socketsOf(pids) {
  return [pids].flat().reduce((total, pid) => total + socketCount(pid), 0);
}

function socketCount(pid) {
  try {
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => isSocket(`/proc/${pid}/fd/${fd}`)).length;
  } catch {
    return 0; // ended in the meantime
  }
}

function isSocket(path) {
  try {
    return readlinkSync(path).startsWith('socket:');
  } catch {
    return false;
  }
}

// Memory that the kernel keeps for everybody: its objects, and the buffers of TCP.
export function kernelBytes() {
  const slab = Number(/^Slab:\s+(\d+)/m.exec(read('/proc/meminfo'))?.[1] ?? 0) * 1024;
  const tcp = Number(/^TCP:.* mem (\d+)/m.exec(read('/proc/net/sockstat'))?.[1] ?? 0) * 4096;
  return slab + tcp;
}
