import { describe, expect, it } from 'vitest';
import type { AttemptView, ReceiptView } from '../src/lib/api/types';
import { axisOf } from '../src/lib/axis';
import { excerpt } from '../src/lib/excerpt';
import { currentInvite } from '../src/lib/invites';
import { lineInWords, strandsOf } from '../src/lib/line';
import { mergePages } from '../src/lib/pages';
import { peerSentence } from '../src/lib/sentence';
import { stagesOf } from '../src/lib/stages';
import { linkTo, parseRoute, type Route } from '../src/lib/state/route';
import { brokenPeer, invite, message, peer } from './fixtures';

const receipt = (stage: ReceiptView['stage']): ReceiptView => ({
  stage, at: '2026-01-01T00:00:00.000Z', storeId: 's', signature: 'x',
});
const marks = (detail: Parameters<typeof stagesOf>[0]) => stagesOf(detail).map((stage) => `${stage.key} ${stage.mark}`);

describe('stages', () => {
  it('fills a stage only with a signed receipt', () => {
    expect(marks({ message: message(), receipts: [receipt('stored')] })).toEqual([
      'queued done', 'stored signed', 'handedOver waiting', 'acknowledged waiting',
    ]);
    expect(marks({ message: message({ evidence: 'claimed' }), receipts: [] })[1]).toBe('stored claimed');
    expect(marks({ message: message({ state: 'queued', evidence: undefined }), receipts: [] })[1]).toBe('stored waiting');
  });

  it('never claims a stored copy for an unconfirmed message', () => {
    const [, stored] = stagesOf({ message: message({ state: 'unconfirmed', evidence: 'none' }), receipts: [] });
    expect(stored).toMatchObject({ mark: 'waiting', note: 'unknown: the answer was lost' });
  });

  it('ends with a failure or a refusal', () => {
    expect(marks({ message: message({ state: 'failed' }), receipts: [] })).toEqual(['queued done', 'failed failed']);
    expect(marks({ message: message({ state: 'failed' }), receipts: [receipt('refused')] })).toEqual([
      'queued done', 'refused failed',
    ]);
  });

  it('follows a message that came in', () => {
    expect(marks({ message: message({ direction: 'in', state: 'new' }), receipts: [] })).toEqual([
      'stored done', 'handedOver waiting', 'acknowledged waiting',
    ]);
    expect(marks({ message: message({ direction: 'in', state: 'acknowledged' }), receipts: [] }).at(-1)).toBe(
      'acknowledged done',
    );
  });
});

describe('the attempts axis', () => {
  const attempt = (startedAt: string, latencyMs: number, timings?: AttemptView['timings']): AttemptView => ({
    route: 'lan', status: 'success', startedAt, latencyMs, timings,
  });

  it('starts with the first try and ends with the last', () => {
    const axis = axisOf([
      attempt('2026-01-01T00:00:00.000Z', 4, { connectMs: 1, tlsMs: 3 }),
      attempt('2026-01-01T00:00:00.006Z', 4, { connectMs: 4 }),
    ]);
    expect(axis.totalMs).toBe(10);
    expect(axis.bars[0]?.segments.map((s) => [s.name, s.from, s.width])).toEqual([
      ['connect', 0, 0.1],
      ['tls', 0.1, 0.3],
    ]);
    expect(axis.bars[1]?.segments[0]).toMatchObject({ from: 0.6, width: 0.4 });
  });

  it('shows time that no phase accounts for', () => {
    const [bar] = axisOf([attempt('2026-01-01T00:00:00.000Z', 10, { connectMs: 4 })]).bars;
    expect(bar?.segments.map((s) => [s.name, s.ms])).toEqual([['connect', 4], ['rest', 6]]);
  });

  it('does not shrink tries that are hours apart to nothing', () => {
    const axis = axisOf([attempt('2026-01-01T00:00:00.000Z', 5), attempt('2026-01-01T03:00:00.000Z', 10)]);
    expect(axis.totalMs).toBe(10);
    expect(axis.bars.map((bar) => bar.segments[0]?.from)).toEqual([0, 0]);
  });

  it('has a length even if everything took no time', () => {
    expect(axisOf([attempt('2026-01-01T00:00:00.000Z', 0)]).totalMs).toBeGreaterThan(0);
    expect(axisOf([]).bars).toEqual([]);
  });
});

describe('the invite a page is about', () => {
  it('is the newest open one, or the one made here in its newest state', () => {
    const old = invite({ id: 'a', createdAt: '2026-01-01T00:00:00.000Z' });
    const young = invite({ id: 'b', createdAt: '2026-01-01T00:01:00.000Z' });
    const used = invite({ id: 'c', state: 'joined' });
    expect(currentInvite([used, old, young], undefined)?.id).toBe('b');
    expect(currentInvite([used], undefined)).toBeUndefined();
    const made = invite({ id: 'c', link: 'tieline://join#made' });
    expect(currentInvite([{ ...used, link: undefined }, young], made)).toMatchObject({
      id: 'c', state: 'joined', link: 'tieline://join#made',
    });
  });
});

describe('words and places', () => {
  const now = Date.now();

  it('says what is so and what waits', () => {
    expect(peerSentence(peer(), now)).toBe('Answered in 0.9 ms, just now.');
    expect(peerSentence(brokenPeer({ lastSeenAt: undefined }), now)).toBe('Not reached so far. 2 messages not sent yet.');
    expect(peerSentence(brokenPeer({ queued: 1 }), now)).toContain('1 message not sent yet.');
    expect(peerSentence(peer({ state: 'newKey' }), now)).toContain('new key');
    const asleep = brokenPeer({ asleepSince: new Date(now).toISOString() });
    expect(peerSentence(asleep, now)).toMatch(/^Asleep since \d\d:\d\d\. 2 messages not sent yet\.$/);
    expect(lineInWords('mac', 'box', strandsOf(asleep))).toBe('mac to box: asleep. box to mac: asleep.');
  });

  it('survives the way through the address', () => {
    const routes: Route[] = [
      { page: 'peers' },
      { page: 'peer', name: 'a/b c' },
      { page: 'pair', tab: 'any' },
      { page: 'pair', tab: 'show' },
      { page: 'pair', tab: 'join' },
      { page: 'messages' },
      { page: 'messages', peer: 'box & co', message: 'm:1' },
      { page: 'messages', peer: 'box', compose: true },
      { page: 'messages', peer: 'box', ask: 'a-1' },
      { page: 'deliveries' },
      { page: 'deliveries', peer: 'box', state: 'failed', over: 'held', evidence: 'signed', message: 'm:1' },
      { page: 'diagnostics' },
    ];
    expect(routes.map((route) => parseRoute(linkTo(route)))).toEqual(routes);
    expect(parseRoute('#/%E0%A4%A')).toEqual({ page: 'peers' });
    expect(parseRoute('')).toEqual({ page: 'peers' });
  });

  it('makes one line of a message', () => {
    expect(excerpt(message({ text: ' a\n\tb ' }))).toBe('a b');
    expect(excerpt(message({ text: 'x'.repeat(1000) })).length).toBeLessThan(300);
    expect(excerpt(message({ text: undefined, type: 'task' }))).toBe('task');
    expect(excerpt(message({ text: undefined, payload: undefined }))).toContain('no longer kept');
  });

  it('shows a message once that is on two pages', () => {
    const [a, b, c] = [3, 2, 1].map((seq) => message({ seq }));
    expect(mergePages([a!, b!], [b!, c!]).map((one) => one.seq)).toEqual([3, 2, 1]);
  });
});
