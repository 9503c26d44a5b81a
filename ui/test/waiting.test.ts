import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { describe, expect, it } from 'vitest';
import App from '../src/App.svelte';
import { agentCommand } from '../src/lib/invites';
import { FakeHost, type Routes } from './fakeHost';
import { invite, message, peer, status } from './fixtures';

const ask = {
  askId: 'a-1', peer: 'wsl-box', text: 'May I delete the old releases?', hops: 0,
  askedAt: new Date().toISOString(), deadlineAt: new Date(Date.now() + 600_000).toISOString(),
};
const question = message({ messageId: 'a-1', type: 'tieline.ask', direction: 'in', state: 'handedOver', text: ask.text });

function open(hash: string, routes: Routes = {}) {
  location.hash = hash;
  const host = new FakeHost({
    'GET /control/status': () => status(),
    'GET /control/peers': () => [peer()],
    'GET /control/peers/wsl-box': () => peer(),
    'GET /control/messages': () => ({ messages: [question] }),
    'GET /control/asks': () => [ask],
    'GET /control/invites': () => [],
    ...routes,
  });
  render(App, { host });
  return host;
}

describe('a question that waits for the person', () => {
  it('is marked in the sidebar and on its peer until it is answered', async () => {
    let waiting = [ask];
    const host = open('#/peers', { 'GET /control/asks': () => waiting });
    const row = await screen.findByTestId('peer-row');
    const link = await within(row).findByRole('link', { name: '1 question for you' });
    expect(link.getAttribute('href')).toBe('#/messages/wsl-box?ask=a-1');
    const pages = screen.getByRole('navigation', { name: 'Pages' });
    within(pages).getByRole('link', { name: /^Messages.*1 question for you$/ });
    waiting = [];
    host.emit('asks', ['a-1']);
    await waitFor(() => expect(screen.queryByText('1 question for you')).toBeNull());
  });

  it('stands on the page of its peer, and is no message that was merely handed over', async () => {
    open('#/peers/wsl-box');
    const waiting = await screen.findByTestId('waiting-asks');
    within(waiting).getByText(ask.text);
    const list = await screen.findByTestId('message-list');
    within(list).getByText('Waits for you');
    expect(within(list).queryByText('Handed over')).toBeNull();
    await fireEvent.click(within(waiting).getByRole('button', { name: 'Reply' }));
    await waitFor(() => expect(location.hash).toBe('#/messages/wsl-box?ask=a-1'));
  });
});

describe('pairing', () => {
  it('shows the own fingerprint beside the link, waits for somebody, and can be cancelled', async () => {
    const host = open('#/pair/show', {
      'GET /control/invites': () => [invite()],
      'DELETE /control/invites/inv-1': () => undefined,
    });
    await screen.findByText('Waiting for the other machine…');
    await fireEvent.click(screen.getByRole('button', { name: 'Cancel this link' }));
    await waitFor(() => expect(host.asked.some(({ method }) => method === 'DELETE')).toBe(true));
    const own = screen.getByTestId('own-fingerprint') as HTMLDetailsElement;
    expect(within(own).queryByTestId('words')).toBeNull();
    own.open = true;
    await fireEvent(own, new Event('toggle'));
    expect(within(await within(own).findByTestId('words')).getAllByRole('listitem')).toHaveLength(24);
  });

  it('names the next step for an agent where nothing was said yet', async () => {
    open('#/peers/wsl-box', { 'GET /control/messages': () => ({ messages: [] }) });
    const command = await screen.findByRole('region', { name: 'Command that sends to wsl-box' });
    expect(command.textContent).toContain('http://127.0.0.1:3847/api/a2a/send');
    expect(command.textContent).toContain('"to":"wsl-box"');
  });

  it('quotes a name for the shell', () => {
    expect(agentCommand('127.0.0.1:1', "ann's")).toContain(`"to":"ann'\\''s"`);
  });
});
