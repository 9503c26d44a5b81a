import type { AttemptView } from './api/types';

/** `answer` is the request, what the peer does with it, and its word back. */
export type SegmentName = 'connect' | 'tls' | 'auth' | 'answer' | 'rest';

/** One coloured piece of an attempt's bar, in fractions of the whole axis. */
export interface Segment {
  name: SegmentName;
  from: number;
  width: number;
  ms: number;
}

export interface AttemptBar {
  attempt: AttemptView;
  segments: Segment[];
}

export interface Axis {
  bars: AttemptBar[];
  /** The length of the axis. */
  totalMs: number;
}

/** Lays attempts out on one time axis that starts with the first of them and is `leastMs` long or longer. */
export function axisOf(attempts: AttemptView[], leastMs = 0): Axis {
  const started = attempts.map((attempt) => (attempt.startedAt ? new Date(attempt.startedAt).getTime() : undefined));
  const zero = Math.min(...started.filter((time) => time !== undefined));
  const totalMs = Math.max(0, ...attempts.map((attempt, i) => (started[i] ?? zero) - zero + attempt.latencyMs)) || 1;
  // A try of hours ago and one of now share no useful scale; then each bar starts at the left edge.
  const longest = Math.max(0, ...attempts.map((attempt) => attempt.latencyMs)) || 1;
  const shared = totalMs <= longest * SHARED_LIMIT;
  const scale = Math.max(shared ? totalMs : longest, leastMs);

  return {
    totalMs: scale,
    bars: attempts.map((attempt, i) => ({
      attempt,
      segments: segmentsOf(attempt, shared ? (started[i] ?? zero) - zero : 0, scale),
    })),
  };
}

/** How many times longer than the longest attempt the axis may get before bars would shrink to nothing. */
const SHARED_LIMIT = 20;

function segmentsOf(attempt: AttemptView, startMs: number, scaleMs: number): Segment[] {
  const { connectMs, tlsMs, authMs, storeMs } = attempt.timings ?? {};
  const parts: [SegmentName, number | undefined][] = [
    ['connect', connectMs],
    ['tls', tlsMs],
    ['auth', authMs],
    ['answer', storeMs],
  ];
  const segments: Segment[] = [];
  let at = startMs;
  for (const [name, ms] of parts) {
    if (ms === undefined || ms <= 0) continue;
    segments.push({ name, from: at / scaleMs, width: ms / scaleMs, ms });
    at += ms;
  }
  const rest = startMs + attempt.latencyMs - at;
  if (rest > 0.01) segments.push({ name: 'rest', from: at / scaleMs, width: rest / scaleMs, ms: rest });
  return segments;
}
