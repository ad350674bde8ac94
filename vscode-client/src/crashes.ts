/** Decides whether a server that ended by itself is started again: a crash now and then, yes; one after the other, no. */
export class CrashWindow {
  private readonly times: number[] = [];

  /**
   * @param limit how many crashes within the window end it
   * @param seconds the length of the window
   */
  constructor(
    readonly limit = 5,
    readonly seconds = 180,
    private readonly now: () => number = Date.now,
  ) {}

  /** Note a crash. Returns whether to start again. */
  crashed(): boolean {
    const time = this.now();
    this.times.push(time);
    while (this.times[0] !== undefined && this.times[0] < time - this.seconds * 1000) {
      this.times.shift();
    }
    return this.times.length < this.limit;
  }

  /** Forget what was: a person asked for a start. */
  clear(): void {
    this.times.length = 0;
  }

  get count(): number {
    return this.times.length;
  }
}
