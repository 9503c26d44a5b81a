import { fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import { FakeHost, type Routes } from './fakeHost';
import { FINGERPRINT, GROUPS, peer, status, WORDS } from './fixtures';

const GOOD = 'tieline://join#GOOD';
const OTHER = 'tieline://join#OTHER';
const says = (name: string) => ({ name, addresses: [], fingerprint: FINGERPRINT, fingerprintGroups: GROUPS, words: WORDS });

/** A machine with *Use a link* open, on which a link can be clicked elsewhere. */
function open(routes: Routes) {
  location.hash = '#/pair/join';
  let offered: string | null = null;
  const host = Object.assign(
    new FakeHost({
      'GET /control/status': () => status(),
      'GET /control/peers/mac': () => peer({ name: 'mac' }),
      'POST /control/join': () => ({ peer: peer({ name: 'mac' }) }),
      ...routes,
    }),
    {
      offeredLink: async () => {
        const link = offered;
        offered = null;
        return link;
      },
    },
  );
  render(App, { host });
  const click = (link: string) => {
    offered = link;
    host.signal({ type: 'go', path: '/pair/join' });
  };
  return { host, click };
}

const button = (name: string | RegExp) => screen.findByRole('button', { name });
const joins = (host: FakeHost) => host.asked.filter(({ path }) => path === '/control/join').map(({ body }) => body);

describe('a link that is clicked', () => {
  const preview: Routes = { 'POST /control/join/preview': (body) => says((body as { link: string }).link === GOOD ? 'mac' : 'evil') };

  it('waits while another one is compared, and that one is joined', async () => {
    const { host, click } = open(preview);
    await screen.findByLabelText('Link from the other machine');
    click(GOOD);
    await button(/join mac/);
    click(OTHER);
    await screen.findByText(/Another link was clicked/);
    expect(screen.queryByRole('button', { name: /join evil/ })).toBeNull();
    await fireEvent.click(await button('Ignore it'));
    await fireEvent.click(await button(/join mac/));
    await screen.findByTestId('join-result');
    expect(joins(host)).toEqual([{ link: GOOD }]);
  });

  it('is looked at when the person says so', async () => {
    const { host, click } = open(preview);
    await screen.findByLabelText('Link from the other machine');
    click(GOOD);
    await button(/join mac/);
    click(OTHER);
    await fireEvent.click(await button('Look at the other link'));
    await button(/join evil/);
    expect(joins(host)).toEqual([]);
  });
});

it('shows no words of a link that is not the one in the field any more', async () => {
  let answer: (() => void) | undefined;
  const { host } = open({
    'POST /control/join/preview': (body) =>
      (body as { link: string }).link === GOOD
        ? says('mac')
        : new Promise((done) => (answer = () => done(says('evil')))),
  });
  const field = await screen.findByLabelText('Link from the other machine');
  await fireEvent.input(field, { target: { value: GOOD } });
  await button(/join mac/);
  await fireEvent.input(field, { target: { value: OTHER } });
  expect(screen.queryByTestId('words')).toBeNull();
  expect(screen.queryByRole('button', { name: /join/ })).toBeNull();
  await waitFor(() => expect(answer).toBeDefined());
  answer?.();
  await button(/join evil/);
  expect(joins(host)).toEqual([]);
});
