// A self-signed X.509 certificate for an Ed25519 key (RFC 5280, RFC 8410), written out by hand,
// because Node's standard library reads certificates and makes none.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

const ED25519 = Buffer.from('300506032b6570', 'hex');

const length = (n) => {
  if (n < 0x80) return Buffer.from([n]);
  const bytes = n < 0x100 ? [n] : [n >> 8, n & 0xff];
  return Buffer.from([0x80 | bytes.length, ...bytes]);
};
const der = (tag, ...parts) => {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), length(body.length), body]);
};
const sequence = (...parts) => der(0x30, ...parts);
const utcTime = (date) => der(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'));
const commonName = (name) =>
  sequence(der(0x31, sequence(Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from(name)))));

/** `days` may be negative, for a certificate that has expired. */
export function selfSigned(privateKey, name, days = 3650) {
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const now = Date.now();
  const [from, until] = [now - 3650 * 86400e3, now + days * 86400e3].map((at) => new Date(at));
  const serial = Buffer.concat([Buffer.from([0x40]), randomBytes(15)]);
  const constraints = sequence(
    Buffer.from('0603551d13', 'hex'),
    Buffer.from('0101ff', 'hex'),
    der(0x04, sequence(Buffer.from('0101ff', 'hex'))),
  );
  const body = sequence(
    der(0xa0, Buffer.from('020102', 'hex')),
    der(0x02, serial),
    ED25519,
    commonName(name),
    sequence(utcTime(from), utcTime(until)),
    commonName(name),
    spki,
    der(0xa3, sequence(constraints)),
  );
  const signature = sign(null, body, privateKey);
  const whole = sequence(body, ED25519, der(0x03, Buffer.from([0]), signature));
  const base64 = whole.toString('base64').replace(/(.{64})/g, '$1\n').trimEnd();
  return {
    pem: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    fingerprint: createHash('sha256').update(whole).digest('hex').toUpperCase().match(/../g).join(':'),
  };
}

/** A machine's keys: one for its identity, and another for TLS where the two are kept apart. */
export function identity(name, { separateTls = false, days } = {}) {
  const signing = generateKeyPairSync('ed25519').privateKey;
  const tls = separateTls ? generateKeyPairSync('ed25519').privateKey : signing;
  return fromKeys(name, signing, tls, selfSigned(tls, name, days));
}

export function fromKeys(name, signing, tls, certificate) {
  return {
    name,
    signing,
    signingKey: signing.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    verifyKey: createPublicKey(signing).export({ type: 'spki', format: 'der' }).toString('base64'),
    tlsPem: tls.export({ type: 'pkcs8', format: 'pem' }),
    certPem: certificate.pem,
    fingerprint: certificate.fingerprint,
  };
}

export const readPrivateKey = (pem) => createPrivateKey(pem);
