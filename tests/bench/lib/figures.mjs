// A figure: key in the results, name, unit, digits, and how it is read from a run. One that reads as undefined is not
// there: not every candidate can do everything.

export const figure = (key, name, unit, digits, read = (run) => run[key]) => ({ key, name, unit, digits, read });

const ms = (field, quantile) => (run) => run[field][quantile] / 1000;

// Of messages that go to many.
export const FANOUT_FIGURES = [
  figure('cpu_us', 'server CPU per delivery', 'µs', 2),
  figure('per_cpu', 'deliveries per CPU second', '', 0, (run) => 1e6 / run.cpu_us),
  figure('p50', 'latency, p50', 'ms', 1, ms('latency_us', 'p50')),
  figure('p99', 'latency, p99', 'ms', 1, ms('latency_us', 'p99')),
  figure('last_p50', 'time to the last reader, p50', 'ms', 1, ms('last_us', 'p50')),
  figure('last_p99', 'time to the last reader, p99', 'ms', 1, ms('last_us', 'p99')),
  figure('rate', 'deliveries a second', '', 0),
  figure('lost', 'lost, or not there in time', '', 0),
  figure('doubled', 'doubled or out of order', '', 0),
  figure('closed', 'readers closed', '', 0),
  figure('unheard', 'posts nobody heard', '', 0),
  figure('frame_bytes', 'bytes per delivery', '', 0),
  figure('late_ms', 'latest send of the publisher', 'ms', 2, (run) => run.late_us / 1000),
  figure('server_load', 'cores used by the server', '', 2),
  figure('client_load', 'cores used by the readers', '', 2),
  figure('others_load', 'cores used by anything else', '', 2),
];
