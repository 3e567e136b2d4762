/**
 * waiting.js - time: the clock, and how long to wait before the next attempt.
 *
 * @module newswire/waiting
 */
export type Clock = import('./common.js').Clock;
/** @type {Clock} */
export declare const REAL_CLOCK: Clock;
/**
 * Waiting times between attempts: random in 0..2^n × 250 ms, at most 30 s ("full jitter"), so
 * that ten thousand readers who lost the same server do not come back in step.
 */
export declare class Backoff {
    random: () => number;
    base: number;
    cap: number;
    attempt: number;
    /** @param {{random?: () => number, base?: number, cap?: number}} [options] */
    constructor({ random, base, cap }?: {
        random?: () => number;
        base?: number;
        cap?: number;
    });
    /** @returns {number} milliseconds to wait before the next attempt */
    next(): number;
    /** The last attempt was a good one. */
    reset(): void;
    /** @param {number} attempt the next wait is at least as if this many had failed */
    atLeast(attempt: number): void;
}
/**
 * Waits, but not past an abort.
 * @param {number} ms
 * @param {Clock} clock
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export declare function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void>;
