// How far the bench is: a bar where somebody looks on, a line for each run in any case.

const WIDTH = 30;

const minutes = (seconds) => (seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`);

export class Progress {
  #done = 0;
  #began = Date.now();

  // `total` is the sum of what all steps are expected to take, in seconds.
  constructor(total, out = process.stderr) {
    this.total = total;
    this.out = out;
  }

  // Says what is measured now.
  begin(what) {
    if (!this.out.isTTY) return;
    const part = Math.min(this.#done / this.total, 1);
    const filled = Math.round(part * WIDTH);
    this.out.write(`\r\x1b[K[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ${Math.round(part * 100)} %  ${what}  (${minutes(this.#left())} left)`);
  }

  // A step that was expected to take so many seconds is over; `line` says how it went.
  end(seconds, line) {
    this.#done += seconds;
    if (this.out.isTTY) this.out.write('\r\x1b[K');
    console.log(line);
  }

  // By the estimates at first, then by how wrong they were.
  #left() {
    const spent = (Date.now() - this.#began) / 1000;
    return (this.total - this.#done) * (this.#done > 30 ? spent / this.#done : 1);
  }
}
