import type { InviteView } from './api/types';

/**
 * The invite that the page is about: the one made here, with its newest state, or else the newest open one (made
 * before the window was closed, or on the command line).
 */
export function currentInvite(listed: InviteView[], made: InviteView | undefined): InviteView | undefined {
  if (made) {
    const newer = listed.find((invite) => invite.id === made.id);
    return newer ? { ...newer, link: newer.link ?? made.link } : made;
  }
  return listed
    .filter((invite) => invite.state === 'open')
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
}

/**
 * Joins from a POSIX shell. The link travels on standard input: an argument would be seen by every user of that
 * machine while the command runs.
 */
export function terminalCommand(link: string): string {
  return `tieline join <<'LINK'\n${link}\nLINK\n`;
}

/** Sends a first message to a peer by the local API at `address`, from a POSIX shell. */
export function agentCommand(address: string, peer: string): string {
  const body = JSON.stringify({ to: peer, payload: { type: 'text', text: 'Hello from my agent' } });
  const quoted = body.replaceAll("'", `'\\''`);
  return `curl -s http://${address}/api/a2a/send -H 'Content-Type: application/json' \\\n  -d '${quoted}'`;
}
