//! The DNS messages that a doorbell looks like (RFC 1035, 4).

use super::PAYLOAD;

/// The labels behind the payload's: `_abtars-doorbell._udp.local` and the end of the name.
const SERVICE: &[u8] = b"\x10_abtars-doorbell\x04_udp\x05local\0";
/// Type TXT, class IN.
const TXT_IN: &[u8] = &[0, 16, 0, 1];
/// Of the header: flags, and the number of questions, answers, authorities and others.
const IS_QUERY: &[u8] = &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
const IS_ACK: &[u8] = &[0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0];
/// The name of the question, as a pointer to it.
const NAME: &[u8] = &[0xc0, 0x0c];
/// Digits of the payload in one label.
const LABEL: usize = 52;
/// RFC 4648, 6, in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

pub(super) fn query(id: u16, payload: &[u8]) -> Vec<u8> {
    let mut packet = id.to_be_bytes().to_vec();
    packet.extend_from_slice(IS_QUERY);
    for label in to_base32(payload).chunks(LABEL) {
        // At most 52, so it fits.
        packet.push(label.len() as u8);
        packet.extend_from_slice(label);
    }
    packet.extend_from_slice(SERVICE);
    packet.extend_from_slice(TXT_IN);
    packet
}

pub(super) fn read_query(packet: &[u8]) -> Option<(u16, [u8; PAYLOAD])> {
    let (id, rest) = packet.split_first_chunk()?;
    let name = rest.strip_prefix(IS_QUERY)?;
    let name = name.strip_suffix(TXT_IN)?.strip_suffix(SERVICE)?;
    let mut digits = Vec::with_capacity(name.len());
    let mut labels = name;
    while let Some((length, rest)) = labels.split_first() {
        let (label, rest) = rest.split_at_checked(usize::from(*length))?;
        digits.extend_from_slice(label);
        labels = rest;
    }
    let payload = from_base32(&digits)?;
    let id = u16::from_be_bytes(*id);
    // One spelling only: what is read is what would be written.
    (query(id, &payload) == packet).then_some((id, payload))
}

/// `query` is the whole packet that is answered.
pub(super) fn ack(query: &[u8], payload: &[u8]) -> Vec<u8> {
    let (id, rest) = query.split_at(2);
    let question = rest.get(IS_QUERY.len()..).unwrap_or_default();
    let mut packet = [id, IS_ACK, question, NAME, TXT_IN].concat();
    // Time to live, length of the data, and of the one text in it.
    packet.extend_from_slice(&[0, 0, 0, 0, 0, payload.len() as u8 + 1, payload.len() as u8]);
    packet.extend_from_slice(payload);
    packet
}

pub(super) fn read_ack(packet: &[u8], query: &[u8]) -> Option<[u8; PAYLOAD]> {
    let payload = *packet.last_chunk::<PAYLOAD>()?;
    (ack(query, &payload) == packet).then_some(payload)
}

fn to_base32(bytes: &[u8]) -> Vec<u8> {
    let digit = |bits: u16| BASE32[usize::from(bits & 31)];
    let (mut held, mut count) = (0_u16, 0);
    let mut digits = Vec::with_capacity(bytes.len() * 8 / 5 + 1);
    for byte in bytes {
        held = held << 8 | u16::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            digits.push(digit(held >> count));
        }
        held &= (1 << count) - 1;
    }
    if count > 0 {
        digits.push(digit(held << (5 - count)));
    }
    digits
}

fn from_base32(digits: &[u8]) -> Option<[u8; PAYLOAD]> {
    let (mut held, mut count) = (0_u16, 0);
    let mut bytes = Vec::with_capacity(PAYLOAD);
    for digit in digits {
        let value = BASE32.iter().position(|known| known == digit)?;
        held = held << 5 | u16::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(held >> count & 0xff).ok()?);
        }
        held &= (1 << count) - 1;
    }
    bytes.try_into().ok()
}
