import type { Direction, PeerView, Phase, Problem } from './api/types';
import { latency } from './format';

/** How one way along the line is drawn. */
export interface Strand {
  state: 'ok' | 'failed' | 'unknown' | 'working';
  /** Where the line is broken, 0 at the left end and 1 at the right. Only when failed. */
  breakAt?: number;
  problem?: Problem;
  label?: string;
}

/** Both ways between two machines: `out` runs left to right, `in` back. */
export interface Strands {
  out: Strand;
  in: Strand;
}

/** What the line of a peer shows. */
export function strandsOf(peer: Pick<PeerView, 'line' | 'via' | 'asleepSince'>): Strands {
  // It said that it stops: nothing is broken, and trying finds out no more than that.
  if (peer.asleepSince) return { out: { state: 'unknown', label: 'asleep' }, in: { state: 'unknown', label: 'asleep' } };
  const { out, in: back } = peer.line;
  return {
    out: strandOf(out, 'out', peer.via),
    // That the machine could dial this one says little once it is not reached itself.
    in: strandOf(isStale(back, out) ? { state: 'unknown' } : back, 'in'),
  };
}

/** Whether a way that worked was measured before the other way failed to reach the machine at all. */
function isStale(worked: Direction, other: Direction): boolean {
  const unreached = other.state === 'failed' && (other.problem?.phase === 'connect' || other.problem?.phase === 'resolve');
  const [then, since] = [worked.checkedAt, other.checkedAt];
  return unreached && worked.state === 'ok' && then !== undefined && since !== undefined && then < since;
}

/** One direction; `via` names the connection it rides on when that is not a direct one. */
export function strandOf(direction: Direction, way: 'out' | 'in', via?: PeerView['via']): Strand {
  switch (direction.state) {
    case 'ok': {
      const time = direction.latencyMs === undefined ? undefined : latency(direction.latencyMs);
      return { state: 'ok', label: via === 'held' && time ? `${time}, held` : time };
    }
    case 'failed':
      return {
        state: 'failed',
        breakAt: breakAt(direction.problem?.phase, way),
        problem: direction.problem,
      };
    case 'unknown':
      return { state: 'unknown' };
  }
}

/**
 * Where along the line a try ended: near the sender for a name that did not resolve, near the receiver for what
 * its program refused. Counted from the left end.
 */
export function breakAt(phase: Phase | undefined, way: 'out' | 'in'): number {
  const along = phase === undefined ? 0.5 : REACHED[phase];
  return way === 'out' ? along : 1 - along;
}

const REACHED: Record<Phase, number> = {
  resolve: 0.12,
  connect: 0.4,
  tls: 0.58,
  pin: 0.66,
  auth: 0.76,
  limit: 0.84,
  store: 0.9,
  responder: 0.94,
};

/**
 * Whether both ways are drawn as one line. A taut line is the healthy case; it splits in two only to show which
 * way differs.
 */
export function isTaut({ out, in: back }: Strands): boolean {
  return out.state === back.state && out.state !== 'failed';
}

/** The label of a taut line: the way out was measured from here, so it is preferred. */
export function tautLabel({ out, in: back }: Strands): string | undefined {
  return out.label ?? back.label;
}

/** The line in words, for those who do not see it. */
export function lineInWords(left: string, right: string, { out, in: back }: Strands): string {
  return `${left} to ${right}: ${wayInWords(out)}. ${right} to ${left}: ${wayInWords(back)}.`;
}

function wayInWords(strand: Strand): string {
  switch (strand.state) {
    case 'ok':
      return strand.label ? `works, ${strand.label}` : 'works';
    case 'failed':
      return strand.problem ? `broken, ${strand.problem.summary}` : 'broken';
    case 'working':
      return 'being tried';
    case 'unknown':
      return strand.label ?? 'not measured yet';
  }
}
