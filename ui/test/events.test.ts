import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventHub } from '../src/lib/api/events';
import { FakeHost } from './fakeHost';

describe('EventHub', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function started() {
    const host = new FakeHost({});
    const hub = new EventHub(host);
    hub.start();
    return { host, hub };
  }

  it('delivers to those who asked for that kind', () => {
    const { host, hub } = started();
    const peers = vi.fn();
    const messages = vi.fn();
    hub.on(['peers'], peers);
    const off = hub.on(['messages'], messages);
    host.emit('peers', ['box']);
    host.emit('messages', ['m-1']);
    off();
    host.emit('messages', ['m-2']);
    expect(peers.mock.calls).toEqual([[{ seq: 1, kind: 'peers', ids: ['box'] }]]);
    expect(messages).toHaveBeenCalledTimes(1);
  });

  it('tells everybody of a gap', () => {
    const { host, hub } = started();
    const listener = vi.fn();
    hub.on(['peers'], listener);
    host.emit('resync');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('resumes after the last event it saw, and has everything fetched again', () => {
    const { host, hub } = started();
    const listener = vi.fn();
    hub.on(['peers'], listener);
    host.emit('peers');
    host.signal({ type: 'lost' });
    vi.advanceTimersByTime(300);
    expect(host.opened).toEqual([undefined, 1]);
    expect(listener.mock.calls.at(-1)?.[0]).toMatchObject({ kind: 'resync' });
  });

  it('pauses longer each time the stream breaks at once, up to a limit', () => {
    const { host } = started();
    const gaps: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const before = host.opened.length;
      host.signal({ type: 'lost' });
      let waited = 0;
      while (host.opened.length === before) {
        vi.advanceTimersByTime(250);
        waited += 250;
      }
      gaps.push(waited);
    }
    expect(gaps).toEqual([250, 500, 1000, 2000, 4000, 8000, 8000, 8000]);
  });

  it('opens nothing more after it was stopped', () => {
    const { host, hub } = started();
    host.signal({ type: 'lost' });
    hub.stop();
    vi.advanceTimersByTime(60_000);
    expect(host.opened).toHaveLength(1);
  });

  it('goes where the host asks', () => {
    const { host, hub } = started();
    hub.onGo = vi.fn();
    host.signal({ type: 'go', path: '/pair' });
    expect(hub.onGo).toHaveBeenCalledWith('/pair');
  });
});
