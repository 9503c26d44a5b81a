import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import { FakeHost, Refusal, type Routes } from './fakeHost';
import { FINGERPRINT, GROUPS, peer, status, WORDS } from './fixtures';

const offer = {
  card: '{"version":1,"name":"mac"}', pem: 'Name: mac\n', parts: 'name: mac\n', command: "tieline peers add - --name mac <<'CARD'\nCARD",
  peersJson: '"mac": {}', fileName: 'mac.card', fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS,
};
const presented = {
  form: 'card', name: 'wsl-box', suggestedAlias: 'wsl-box', addresses: ['10.0.0.4:3100'], fingerprint: FINGERPRINT,
  fingerprintGroups: GROUPS, words: WORDS, certificateIsFetched: false, isOwn: false,
};

function open(routes: Routes = {}) {
  location.hash = '#/pair/swap';
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/swap': () => offer,
    'POST /control/swap/read': () => presented,
    ...routes,
  });
  render(App, { host });
  return host;
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const bring = async (text: string) =>
  fireEvent.input(await screen.findByLabelText(/^2\. Paste/), { target: { value: text } });

describe('swapping cards', () => {
  it('gives the card in the form that is chosen', async () => {
    const host = open();
    await fireEvent.click(await button('Copy card'));
    await fireEvent.click(screen.getByRole('radio', { name: 'PEM' }));
    await fireEvent.click(await button('Copied'));
    expect(host.copied.map(({ text }) => text)).toEqual([offer.card, offer.pem]);
  });

  it('outlines the first group that differs, and adds nothing then', async () => {
    const host = open({
      'POST /control/compare': () => ({
        fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS, isOwn: false, same: false, firstDifference: 6,
      }),
    });
    await bring('a card');
    await fireEvent.input(await screen.findByLabelText('As wsl-box shows it'), { target: { value: '00 11' } });
    await screen.findByText(/first in group 7 of 16/);
    const grid = screen.getByRole('list', { name: 'Fingerprint of wsl-box' });
    const outlined = within(grid).getAllByRole('listitem').filter((item) => item.classList.contains('differs'));
    expect(outlined.map((item) => item.textContent)).toEqual([`${GROUPS[6]}, differs`]);
    expect((await button('Add wsl-box')).hasAttribute('disabled')).toBe(true);
    expect(host.asked.find(({ path }) => path === '/control/compare')?.body).toEqual({ text: '00 11', expected: FINGERPRINT });
  });

  it('adds under the name given, says what its side needs, and pings until both ways answer', async () => {
    let there = false;
    const unknown = { code: 'PEER_REFUSED_US', summary: 'The peer does not accept this machine', cause: 'c', remedy: 'r' };
    const failed = { state: 'failed' as const, problem: unknown };
    const view = () =>
      there ? peer({ name: 'box' }) : peer({ name: 'box', line: { out: failed, in: { state: 'unknown' } }, lastProblem: unknown });
    const host = open({
      'POST /control/peers': () => view(),
      'GET /control/peers/box': () => view(),
      'POST /control/peers/box/ping': () => {
        if (!there) throw new Refusal(502, { ...unknown, attempts: [] });
        return { peer: 'box', latencyMs: 1, route: 'lan', via: 'direct', attempts: [] };
      },
    });
    await bring('a card');
    await fireEvent.input(await screen.findByLabelText('4. Name here'), { target: { value: 'box' } });
    await fireEvent.click(await button('Add box'));
    expect((await screen.findByRole('region', { name: 'For box' })).textContent).toBe(offer.command);
    expect(host.asked.find(({ method, path }) => method === 'POST' && path === '/control/peers')?.body).toEqual({
      card: 'a card', name: 'box',
    });
    await waitFor(() => expect(host.asked.filter(({ path }) => path.endsWith('/ping')).length).toBe(1));
    there = true;
    await fireEvent.click(await button('Ping both ways'));
    await screen.findByText(/Both ways answer/);
  });

  it('offers nothing to add while another text is being read', async () => {
    let answer: (() => void) | undefined;
    const host = open({
      'POST /control/swap/read': (body) =>
        (body as { text: string }).text === 'a card'
          ? presented
          : new Promise((done) => (answer = () => done({ ...presented, name: 'evil', suggestedAlias: 'evil' }))),
    });
    await bring('a card');
    await button('Add wsl-box');
    await bring('another card');
    expect(screen.queryByRole('button', { name: 'Add wsl-box' })).toBeNull();
    await waitFor(() => expect(answer).toBeDefined());
    answer?.();
    await button('Add evil');
    expect(host.asked.some(({ method, path }) => method === 'POST' && path === '/control/peers')).toBe(false);
  });

  it('shows why something cannot be added, and where it is already', async () => {
    open({
      'POST /control/swap/read': () => ({
        ...presented, matchesPeer: 'wsl-box',
        problem: { code: 'PEER_EXISTS', summary: 'Already paired with wsl-box.', cause: 'c', remedy: 'r' },
      }),
    });
    await bring('a card');
    await screen.findByText('Already paired with wsl-box.');
    expect(screen.getByRole('link', { name: 'Open wsl-box' }).getAttribute('href')).toBe('#/peers/wsl-box');
    expect(screen.queryByLabelText('4. Name here')).toBeNull();
  });
});
