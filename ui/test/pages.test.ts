import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import type { InviteView, PeerView } from '../src/lib/api/types';
import { FakeHost, Refusal, type Routes } from './fakeHost';
import { brokenPeer, FINGERPRINT, GROUPS, invite, peer, refused, status, WORDS } from './fixtures';

function open(hash: string, routes: Routes = {}) {
  location.hash = hash;
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/peers': () => [peer()],
    'GET /control/peers/wsl-box': () => peer(),
    'GET /control/peers/wsl-box/hook': () => ({
      peer: 'wsl-box', hook: { kind: 'none' }, isDefault: true, waiting: 0, givenUp: 0,
    }),
    'GET /control/brakes': () => [],
    'GET /control/responder': () => ({ kind: 'nobody' }),
    'GET /control/messages': () => ({ messages: [] }),
    'GET /control/invites': () => [],
    ...routes,
  });
  render(App, { host });
  return host;
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const asked = (host: FakeHost) => host.asked.map(({ method, path }) => `${method} ${path}`);

describe('peers', () => {
  it('offers one next step when there is none', async () => {
    open('#/peers', { 'GET /control/peers': () => [] });
    const link = await within(await screen.findByRole('main')).findByRole('link', { name: 'Pair a machine' });
    expect(link.getAttribute('href')).toBe('#/pair');
  });

  it('shows a change without being asked to', async () => {
    let peers: PeerView[] = [peer()];
    const host = open('#/peers', { 'GET /control/peers': () => peers });
    await screen.findByText(/Answered in 0.9 ms/);
    peers = [brokenPeer({ name: 'wsl-box' })];
    host.emit('peers', ['wsl-box']);
    await screen.findByText('192.168.1.20:3100 refused the connection');
    await screen.findByText(/2 messages not sent yet/);
  });

  it('keeps a joined peer on one click', async () => {
    let state: PeerView['state'] = 'joined';
    const host = open('#/peers', {
      'GET /control/peers': () => [peer({ state })],
      'POST /control/peers/wsl-box/keep': () => ((state = 'kept'), peer({ state })),
    });
    await fireEvent.click(await button('Keep wsl-box'));
    await waitFor(() => expect(screen.queryByTestId('keep-or-undo')).toBeNull());
    expect(asked(host)).toContain('POST /control/peers/wsl-box/keep');
  });
});

describe('a peer', () => {
  it('is pinged, and the answer said', async () => {
    open('#/peers/wsl-box', {
      'POST /control/peers/wsl-box/ping': () => ({
        peer: 'wsl-box', latencyMs: 0.94, route: 'lan', via: 'direct', address: '192.168.1.20:3100',
        clockOffsetMs: -10_920_000, attempts: [],
      }),
    });
    await fireEvent.click(await button('Ping'));
    expect((await screen.findByTestId('ping-result')).textContent).toContain(
      'wsl-box answered in 0.9 ms, at 192.168.1.20:3100. Its clock is 3 h 2 min behind.',
    );
  });

  it('says why a ping failed, with the tries', async () => {
    open('#/peers/wsl-box', {
      'POST /control/peers/wsl-box/ping': () => {
        throw new Refusal(502, {
          problem: refused(),
          attempts: [
            { route: 'lan', status: 'failed', latencyMs: 2, problem: refused('[fd00::20]:3100'), startedAt: new Date().toISOString() },
          ],
        });
      },
    });
    await fireEvent.click(await button('Ping'));
    expect((await screen.findByRole('alert')).textContent).toContain(refused().remedy);
    await screen.findByText('[fd00::20]:3100 refused the connection');
  });

  it('gets a test message, which waits if it cannot go', async () => {
    const host = open('#/peers/wsl-box', {
      'POST /control/send': () => ({ ok: true, messageId: 'm-7', status: 'queued', attempts: [] }),
    });
    await fireEvent.input(await screen.findByLabelText('Test message to wsl-box'), { target: { value: 'hello' } });
    await fireEvent.click(await button('Send'));
    const result = await screen.findByTestId('send-result');
    expect(result.textContent).toContain('It waits here');
    expect(within(result).getByRole('link').getAttribute('href')).toBe('#/messages/wsl-box?message=m-7');
    expect(host.asked.find(({ path }) => path === '/control/send')?.body).toEqual({
      to: 'wsl-box', payload: { type: 'text', text: 'hello' }, onFailure: 'queue',
    });
  });

  it('is unpaired only after a second click', async () => {
    const host = open('#/peers/wsl-box', { 'DELETE /control/peers/wsl-box': () => undefined });
    await fireEvent.click(await button('Unpair wsl-box…'));
    expect(asked(host)).not.toContain('DELETE /control/peers/wsl-box');
    await fireEvent.click(await button('Unpair wsl-box'));
    await waitFor(() => expect(asked(host)).toContain('DELETE /control/peers/wsl-box'));
    await waitFor(() => expect(location.hash).toBe('#/peers'));
  });
});

describe('pairing', () => {
  it('opens on using a link inside Windows, and says why', async () => {
    open('#/pair', { 'GET /control/status': () => status({ platform: 'wsl' }) });
    expect((await screen.findByTestId('wsl')).textContent).toContain('mac is Linux inside Windows');
    expect(screen.getByLabelText('Link from the other machine')).toBeTruthy();
    location.hash = '#/pair/show';
    expect(await button('Create link')).toBeTruthy();
  });

  it('shows a link, copies it only on a click and as a secret, and then who joined', async () => {
    let current: InviteView | undefined;
    const host = open('#/pair', {
      'GET /control/invites': () => (current ? [current] : []),
      'POST /control/invites': () => (current = invite()),
      'GET /control/peers/wsl-box': () => peer({ state: 'joined' }),
    });
    await fireEvent.click(await button('Create link'));
    const copy = await button('Copy link');
    expect(document.body.textContent).not.toContain('tieline://join#AAAA');
    expect(host.copied).toEqual([]);
    expect(screen.getByTestId('countdown').textContent).toMatch(/^(10:00|9:5\d) left$/);
    await fireEvent.click(copy);
    expect(host.copied).toEqual([{ text: 'tieline://join#AAAA', secret: true }]);
    await fireEvent.click(await button('Copy for a terminal'));
    expect(host.copied[1]).toEqual({ text: "tieline join <<'LINK'\ntieline://join#AAAA\nLINK\n", secret: true });

    current = invite({ state: 'joined', link: undefined, joinedPeer: 'wsl-box' });
    host.emit('invites', ['inv-1']);
    await button('Keep wsl-box');
    expect(within(screen.getByTestId('words')).getByText('copper')).toBeTruthy();
  });

  it('says so when a link has expired', async () => {
    let current: InviteView | undefined;
    const host = open('#/pair', {
      'GET /control/invites': () => (current ? [current] : []),
      'POST /control/invites': () => (current = invite()),
    });
    await fireEvent.click(await button('Create link'));
    await button('Copy link');
    current = invite({ state: 'expired', link: undefined });
    host.emit('invites', ['inv-1']);
    await screen.findByText(/expired without being used/);
    await button('Create another link');
  });

  const preview = { name: 'mac-studio', addresses: ['10.0.0.4:3100'], fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS };

  it('shows the words of a pasted link before anything is joined', async () => {
    const host = open('#/pair/join', {
      'POST /control/join/preview': () => preview,
      'POST /control/join': () => ({ peer: peer({ name: 'mac-studio' }) }),
      'GET /control/peers/mac-studio': () => peer({ name: 'mac-studio' }),
    });
    host.clipboard = 'tieline://join#AAAA\n';
    await fireEvent.click(await button('Paste'));
    const join = await button(/join mac-studio/);
    expect(within(screen.getByTestId('words')).getAllByRole('listitem')).toHaveLength(24);
    expect(asked(host)).not.toContain('POST /control/join');
    await fireEvent.click(join);
    await screen.findByTestId('join-result');
    expect(host.asked.find(({ path }) => path === '/control/join')?.body).toEqual({ link: 'tieline://join#AAAA' });
  });

  it('says what is wrong with a link, and takes a better one', async () => {
    const problem = { code: 'LINK_DAMAGED', summary: 'The link is damaged', cause: 'A part is missing.', remedy: 'Copy it again.' };
    open('#/pair/join', {
      'POST /control/join/preview': (body) => {
        if ((body as { link: string }).link === 'bad') throw new Refusal(400, problem);
        return preview;
      },
    });
    const field = await screen.findByLabelText('Link from the other machine');
    await fireEvent.input(field, { target: { value: 'bad' } });
    await screen.findByText('The link is damaged');
    await fireEvent.input(field, { target: { value: 'good' } });
    await button(/join mac-studio/);
    expect(screen.queryByText('The link is damaged')).toBeNull();
  });
});

describe('typing a link', () => {
  it('shows what is so of the whole of it, however slow the answers to its parts are', async () => {
    const damaged = { code: 'LINK_DAMAGED', summary: 'The link is damaged', cause: 'c', remedy: 'r' };
    open('#/pair/join', {
      'POST /control/join/preview': async (body) => {
        const { link } = body as { link: string };
        if (link === 'whole') return { name: 'mac-studio', addresses: [], fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS };
        await new Promise((done) => setTimeout(done, 60));
        throw new Refusal(400, damaged);
      },
    });
    const field = await screen.findByLabelText('Link from the other machine');
    await fireEvent.input(field, { target: { value: 'who' } });
    await fireEvent.input(field, { target: { value: 'whole' } });
    await button(/join mac-studio/);
    await new Promise((done) => setTimeout(done, 120));
    expect(screen.queryByText('The link is damaged')).toBeNull();
    await button(/join mac-studio/);
  });
});

describe('without a tray', () => {
  it('the window offers to quit', async () => {
    location.hash = '#/peers';
    const host = new FakeHost({
      'GET /control/status': () => status(),
      'GET /control/peers': () => [],
    });
    host.tray = false;
    render(App, { host });
    await fireEvent.click(await button('Quit Tieline'));
    expect(host.quits).toBe(1);
  });

  it('and leaves that to the tray where there is one', async () => {
    open('#/peers');
    await screen.findByText(/Answered in/);
    expect(screen.queryByRole('button', { name: 'Quit Tieline' })).toBeNull();
  });
});

describe('an engine that could not start', () => {
  it('is explained, and can be started again', async () => {
    let broken = true;
    const host = open('#/peers', {
      'GET /control/status': () => {
        if (broken) throw new Refusal(503, { code: 'STORE_DAMAGED', summary: 'The message database is damaged', cause: 'c', remedy: 'Restore a backup.' });
        return status();
      },
    });
    await screen.findByText('Restore a backup.');
    broken = false;
    await fireEvent.click(await button('Try again'));
    await screen.findByText(/Answered in/);
    expect(host.restarts).toBe(1);
  });
});
