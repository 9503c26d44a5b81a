// The built page over the control socket of a running node, for scripts that drive a browser themselves: measurements
// and pictures. It listens on a free port of the loopback interface, asks for a secret that only its caller knows, and
// ends with it. For people there is `tieline serve --ui`.
import { randomBytes } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { extname, join, normalize, resolve } from 'node:path';

const DIST = resolve(import.meta.dirname, '../dist');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

/** Serves until `close()`. `open(page)` prepares a Playwright page, so that it may call the API. */
export async function serveNodePage(home) {
  const secret = randomBytes(16).toString('hex');
  const server = createServer((incoming, outgoing) => {
    if (!incoming.url?.startsWith('/control/')) return sendFile(incoming.url ?? '/', outgoing);
    if (incoming.headers.authorization !== `Bearer ${secret}`) return outgoing.writeHead(401).end();
    const { host, authorization, ...headers } = incoming.headers;
    const onward = request(
      { socketPath: join(home, 'control.sock'), method: incoming.method, path: incoming.url, headers: { ...headers, host: 'localhost' } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', (error) => outgoing.writeHead(502).end(error.message));
    outgoing.on('close', () => onward.destroy());
    incoming.pipe(onward);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${server.address().port}`;
  return {
    base,
    open: (page) => page.addInitScript((token) => sessionStorage.setItem('tieline-token', token), secret),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

function sendFile(url, outgoing) {
  const path = normalize(decodeURIComponent(url.split('?')[0]));
  const file = join(DIST, path === '/' ? 'index.html' : path);
  if (!file.startsWith(DIST) || !existsSync(file) || !statSync(file).isFile()) return outgoing.writeHead(404).end();
  outgoing.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
  createReadStream(file).pipe(outgoing);
}
