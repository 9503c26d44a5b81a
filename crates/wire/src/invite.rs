//! The one-time link that lets a machine join: `tieline://join#<base64url>`.
//!
//! Behind the `#` are, as bytes: the version (1), the length of the fields as a big-endian `u16`,
//! the fields, and the first four bytes of the SHA-256 of all before. The fields of version 1 are
//! the TLS pin (32), the certificate's fingerprint (32), the secret (16), the name and up to eight
//! addresses (each a length byte and UTF-8). The checksum guards against mistakes, not malice: who
//! can replace a link can make another, which is why Join shows the fingerprint's words first.

use std::fmt;

use base64::Engine;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::address::Address;
use crate::encoding::{URL_SAFE_NO_PAD, decode_lenient};
use crate::fingerprint::Fingerprint;
use crate::key::KeyId;
use crate::name;
use crate::pairing::InviteSecret;

/// The most addresses a link may carry.
pub const MAX_ADDRESSES: usize = 8;
/// The longest link, in characters.
pub const MAX_LINK: usize = 2048;

const SCHEME: &str = "tieline:";
const START: &str = "tieline://join#";
const VERSION: u8 = 1;
const CHECKSUM: usize = 4;

/// What a link says. Holds a secret; `Debug` does not show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// Id of the inviter's TLS key.
    pub pin: KeyId,
    /// Fingerprint of the inviter's certificate, for people to compare.
    pub fingerprint: Fingerprint,
    /// The one-time secret.
    pub secret: InviteSecret,
    /// Where to try, the best first; at most 8.
    pub addresses: Vec<Address>,
    /// What the inviter calls itself, made fit to show.
    pub name: String,
}

/// A link in full, which is a secret while its invite is open. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteLink(Zeroizing<String>);

/// A text that is not an acceptable link, or an invite that does not fit one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// It does not begin with `tieline://join#`. Likely cause: something else was on the clipboard.
    #[error("this is not a pairing link: one begins with {START}")]
    NotALink,
    /// The end is missing. Likely cause: the link was wrapped or cut by the program it was sent through.
    #[error("the pairing link is cut short")]
    Truncated,
    /// Altered or mixed with other text. Likely cause: typed by hand, or changed on the way.
    #[error("the pairing link is damaged")]
    Damaged,
    /// Intact, but made by a newer version of this program.
    #[error("the pairing link has version {0}, and only version 1 is understood")]
    UnsupportedVersion(u8),
    /// More than 8 addresses, or longer than 2048 characters.
    #[error("the invite has too many or too long addresses for a link")]
    TooLong,
}

impl Invite {
    /// Writes the link.
    ///
    /// # Errors
    /// [`InviteError::TooLong`]; leave an address out.
    pub fn to_link(&self) -> Result<InviteLink, InviteError> {
        if self.addresses.len() > MAX_ADDRESSES {
            return Err(InviteError::TooLong);
        }
        let mut fields = Zeroizing::new(Vec::with_capacity(512));
        fields.extend_from_slice(self.pin.as_bytes());
        fields.extend_from_slice(&self.fingerprint.0);
        fields.extend_from_slice(self.secret.expose());
        // 64 characters may be more than the 255 bytes that a length byte can count.
        let name = name::tidy(&self.name);
        push_text(&mut fields, &name[..name.floor_char_boundary(255)])?;
        fields.push(u8::try_from(self.addresses.len()).map_err(|_| InviteError::TooLong)?);
        for address in &self.addresses {
            push_text(&mut fields, &address.to_string())?;
        }

        let length = u16::try_from(fields.len()).map_err(|_| InviteError::TooLong)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(fields.len() + 3 + CHECKSUM));
        bytes.push(VERSION);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&fields);
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);

        let mut link = Zeroizing::new(String::with_capacity(MAX_LINK));
        link.push_str(START);
        URL_SAFE_NO_PAD.encode_string(&*bytes, &mut link);
        if link.len() > MAX_LINK {
            return Err(InviteError::TooLong);
        }
        Ok(InviteLink(link))
    }

    /// Reads a link as people paste it: white space and quotes around it and line breaks in it
    /// are ignored, and so is the slash that browsers put before `#`.
    ///
    /// # Errors
    /// Any [`InviteError`] but [`InviteError::TooLong`].
    pub fn parse(text: &str) -> Result<Self, InviteError> {
        let (bytes, stray) = unwrap_link(text)?;
        let (&version, rest) = bytes.split_first().ok_or(InviteError::Truncated)?;
        let (&length, rest) = rest
            .split_first_chunk::<2>()
            .ok_or(InviteError::Truncated)?;
        let length = usize::from(u16::from_be_bytes(length));
        if rest.len() < length + CHECKSUM {
            return Err(InviteError::Truncated);
        }
        if stray || rest.len() > length + CHECKSUM {
            return Err(InviteError::Damaged);
        }
        let (fields, sum) = rest.split_at(length);
        if sum != checksum(&bytes[..3 + length]) {
            return Err(InviteError::Damaged);
        }
        if version != VERSION {
            return Err(InviteError::UnsupportedVersion(version));
        }
        read_fields(fields).ok_or(InviteError::Damaged)
    }
}

/// Strips what surrounds the payload and decodes it; says whether a stray character was left over.
fn unwrap_link(text: &str) -> Result<(Zeroizing<Vec<u8>>, bool), InviteError> {
    // Generous enough for a link wrapped and indented by a mail program.
    if text.len() > 4 * MAX_LINK {
        return Err(InviteError::NotALink);
    }
    let mut link = Zeroizing::new(String::with_capacity(text.len()));
    link.extend(
        text.chars()
            .filter(|c| !c.is_whitespace() && !is_invisible(*c)),
    );
    let quotes = [
        '"', '\'', '`', '<', '>', '(', ')', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}',
        '\u{ab}', '\u{bb}',
    ];
    let link = link.trim_matches(quotes);

    let scheme = link.get(..SCHEME.len()).ok_or(InviteError::NotALink)?;
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(InviteError::NotALink);
    }
    let path = link.get(SCHEME.len()..).unwrap_or_default();
    let payload = ["//join#", "//join/#"]
        .into_iter()
        .find_map(|start| {
            path.get(..start.len())
                .filter(|given| given.eq_ignore_ascii_case(start))
                .and(path.get(start.len()..))
        })
        .ok_or(InviteError::NotALink)?;
    if payload.is_empty() {
        return Err(InviteError::Truncated);
    }
    // A sentence's full stop or comma is often copied with it.
    let payload = payload.trim_end_matches(['.', ',', ';', '=']);
    // No whole number of bytes has one character over; only a cut or an addition leaves that.
    let whole = payload.len() - usize::from(payload.len() % 4 == 1);
    let bytes = payload
        .get(..whole)
        .and_then(decode_lenient)
        .ok_or(InviteError::Damaged)?;
    Ok((Zeroizing::new(bytes), whole < payload.len()))
}

fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

fn read_fields(mut fields: &[u8]) -> Option<Invite> {
    let pin = KeyId(take(&mut fields)?);
    let fingerprint = Fingerprint(take(&mut fields)?);
    let secret = InviteSecret::from_bytes(take(&mut fields)?);
    let name = name::tidy(take_text(&mut fields)?);
    let [count] = take(&mut fields)?;
    if usize::from(count) > MAX_ADDRESSES {
        return None;
    }
    let addresses = (0..count)
        .map(|_| take_text(&mut fields)?.parse().ok())
        .collect::<Option<_>>()?;
    fields.is_empty().then_some(Invite {
        pin,
        fingerprint,
        secret,
        addresses,
        name,
    })
}

fn take<const N: usize>(fields: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = fields.split_first_chunk()?;
    *fields = rest;
    Some(*taken)
}

fn take_text<'a>(fields: &mut &'a [u8]) -> Option<&'a str> {
    let [length] = take(fields)?;
    let (text, rest) = fields.split_at_checked(usize::from(length))?;
    *fields = rest;
    std::str::from_utf8(text).ok()
}

fn push_text(fields: &mut Vec<u8>, text: &str) -> Result<(), InviteError> {
    fields.push(u8::try_from(text.len()).map_err(|_| InviteError::TooLong)?);
    fields.extend_from_slice(text.as_bytes());
    Ok(())
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(bytes));
    [a, b, c, d]
}

impl InviteLink {
    /// The link itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for InviteLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InviteLink(secret)")
    }
}
