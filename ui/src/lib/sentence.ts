import type { PeerView } from './api/types';
import { ago, count, latency, moment } from './format';

/** One line about a peer: what is so, since when, and what waits. */
export function peerSentence(peer: PeerView, now: number): string {
  return [peerState(peer, now), waiting(peer)].filter(Boolean).join(' ');
}

function peerState(peer: PeerView, now: number): string {
  switch (peer.state) {
    case 'joined':
      return `Joined ${ago(peer.pairedAt, now)}. Until you keep it, it may ping and write to your inbox, nothing else.`;
    case 'newKey':
      return 'Shows a new key. Nothing is sent until you compare it or pair again.';
    case 'revoked':
      return 'Unpaired.';
    case 'kept':
      break;
  }
  if (peer.asleepSince) return `Asleep since ${moment(peer.asleepSince, now)}.`;
  const { out, in: back } = peer.line;
  if (out.state === 'ok') {
    return out.latencyMs === undefined ? 'Answers.' : `Answered in ${latency(out.latencyMs)}, ${seen(out.checkedAt, now)}.`;
  }
  if (out.state === 'failed') {
    return peer.lastSeenAt ? `Last seen ${moment(peer.lastSeenAt, now)}.` : 'Not reached so far.';
  }
  return back.state === 'ok' ? 'Was heard from, not tried from here yet.' : 'Not measured yet.';
}

function waiting(peer: PeerView): string {
  if (peer.queued === 0) return '';
  return `${count(peer.queued, 'message')} not sent yet.`;
}

function seen(iso: string | undefined, now: number): string {
  return iso ? ago(iso, now) : 'just now';
}
