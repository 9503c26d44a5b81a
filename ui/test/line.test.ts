import { render, screen } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import Line from '../src/components/Line.svelte';
import { breakAt, isTaut, lineInWords, strandsOf, tautLabel } from '../src/lib/line';
import { brokenPeer, peer, refused } from './fixtures';

describe('line logic', () => {
  it('is one taut line while both ways are alike, and two when they differ', () => {
    expect(isTaut(strandsOf(peer()))).toBe(true);
    expect(isTaut(strandsOf(brokenPeer()))).toBe(false);
    const failed = { state: 'failed' as const, problem: refused() };
    // Broken both ways at different places: one line could not show both breaks.
    expect(isTaut(strandsOf({ line: { out: failed, in: failed } }))).toBe(false);
  });

  it('breaks nearer to the receiver the further the try got, counted from the sender', () => {
    const phases = ['resolve', 'connect', 'tls', 'pin', 'auth', 'limit', 'store', 'responder'] as const;
    const out = phases.map((phase) => breakAt(phase, 'out'));
    expect(out).toEqual([...out].sort((a, b) => a - b));
    expect(breakAt('connect', 'in')).toBeCloseTo(1 - breakAt('connect', 'out'));
    expect(breakAt(undefined, 'out')).toBe(0.5);
  });

  it('is labelled with the way out, and with the way back where out was not measured', () => {
    expect(tautLabel(strandsOf(peer()))).toBe('0.9 ms');
    const unmeasured = peer({ line: { out: { state: 'ok' }, in: { state: 'ok', latencyMs: 1.1 } } });
    expect(tautLabel(strandsOf(unmeasured))).toBe('1.1 ms');
  });

  it('says that a peer is reached over the connection it holds', () => {
    expect(strandsOf(peer({ via: 'held' })).out.label).toBe('0.9 ms, held');
  });

  it('can be read aloud', () => {
    expect(lineInWords('mac', 'server', strandsOf(brokenPeer()))).toBe(
      'mac to server: broken, 192.168.1.20:3100 refused the connection. server to mac: works, 1.3 ms.',
    );
  });
});

describe('Line', () => {
  it('draws both names and one arrow per direction', () => {
    const { container } = render(Line, { left: 'mac', right: 'wsl-box', strands: strandsOf(peer()) });
    expect(screen.getByText('mac')).toBeTruthy();
    expect(screen.getByText('wsl-box')).toBeTruthy();
    expect(screen.getByText('0.9 ms')).toBeTruthy();
    expect(container.querySelectorAll('.head.left')).toHaveLength(1);
    expect(container.querySelectorAll('.head.right')).toHaveLength(1);
    expect(container.querySelector('.break')).toBeNull();
  });

  it('shows the reason under the break, at the place of the break', () => {
    const { container } = render(Line, { left: 'mac', right: 'server', strands: strandsOf(brokenPeer()) });
    const reason = screen.getByText('192.168.1.20:3100 refused the connection');
    expect(reason.style.left).toBe('40%');
    expect(container.querySelectorAll('.break')).toHaveLength(1);
    const [reached, loose] = container.querySelectorAll<HTMLElement>('.failed .wire');
    expect(reached?.style.flexGrow).toBe('0.4');
    expect(loose?.classList.contains('loose')).toBe(true);
  });

  it('hangs loose when there is no other end', () => {
    const { container } = render(Line, { left: 'mac', strands: { out: { state: 'unknown' }, in: { state: 'unknown' } } });
    expect(screen.getByRole('img', { name: 'mac, not connected' })).toBeTruthy();
    expect(container.querySelector('.dot.missing')).not.toBeNull();
    expect(container.querySelector('.head')).toBeNull();
  });

  it('shows names from a peer as text only', () => {
    const { container } = render(Line, { left: 'mac', right: '<img src=x onerror=alert(1)>', strands: strandsOf(peer()) });
    expect(container.querySelector('img')).toBeNull();
  });
});
