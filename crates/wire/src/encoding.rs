//! Text forms of fixed-size byte strings.

use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, Engine};

pub(crate) use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Accepts what lenient decoders of other systems emit: no padding, loose trailing bits.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes standard or URL-safe base64, with or without padding, ignoring white space.
pub(crate) fn decode_lenient(text: &str) -> Option<Vec<u8>> {
    // Private keys pass through here, so the copy is wiped and never reallocated.
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    cleaned.extend(
        text.chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                other => other,
            }),
    );
    LENIENT.decode(cleaned.as_bytes()).ok()
}

/// Decodes unpadded base64url of exactly `N` bytes; every value has one accepted spelling.
pub(crate) fn decode_exact<const N: usize>(text: &str) -> Option<[u8; N]> {
    // The decoder wants room for its estimate, which may be two bytes more than the result.
    let mut buffer = [0; 72];
    let wanted = (N * 4).div_ceil(3);
    if text.len() != wanted || N + 3 > buffer.len() {
        return None;
    }
    let decoded = URL_SAFE_NO_PAD.decode_slice(text, &mut buffer).ok()?;
    buffer.get(..decoded)?.try_into().ok()
}

/// Defines a public fixed-size byte string whose text form is unpadded base64url, in JSON too.
macro_rules! bytes_type {
    ($(#[$doc:meta])* $name:ident, $len:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The bytes themselves.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use base64::display::Base64Display;
                write!(f, "{}", Base64Display::new(&self.0, &$crate::encoding::URL_SAFE_NO_PAD))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::encoding::NotBytes;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::encoding::decode_exact(text).map(Self).ok_or($crate::encoding::NotBytes { what: $what, length: $len })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::encoding::deserialize_str(deserializer)
            }
        }
    };
}
pub(crate) use bytes_type;

/// The text is not the unpadded base64url form of a value of the right length.
/// Likely cause: it was cut short, or something else was pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: expected base64url of {length} bytes without padding")]
pub struct NotBytes {
    /// What was expected, with its article.
    pub what: &'static str,
    /// Its length in bytes.
    pub length: usize,
}

/// Reads a value from a JSON string through `FromStr`, without copying the string first.
pub(crate) fn deserialize_str<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: std::str::FromStr,
    T::Err: std::fmt::Display,
{
    struct Text<T>(std::marker::PhantomData<T>);

    impl<T> serde::de::Visitor<'_> for Text<T>
    where
        T: std::str::FromStr,
        T::Err: std::fmt::Display,
    {
        type Value = T;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }

    deserializer.deserialize_str(Text(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_decoding_refuses_other_spellings_of_the_same_bytes() {
        let text = URL_SAFE_NO_PAD.encode([7; 32]);
        assert_eq!(decode_exact::<32>(&text), Some([7; 32]));
        assert_eq!(decode_exact::<32>(&format!("{text}=")), None);
        assert_eq!(decode_exact::<32>(&text[..42]), None);
        assert_eq!(decode_exact::<16>(&text), None);
        // 43 characters hold 258 bits: the last two must be zero.
        let mut loose = text.into_bytes();
        loose[42] = b'd';
        assert_eq!(
            decode_exact::<32>(std::str::from_utf8(&loose).unwrap()),
            None
        );
    }

    #[test]
    fn lenient_decoding_takes_both_alphabets_and_stray_blanks() {
        for text in ["+/8=", "-_8=", "+/8", " -_\n8 "] {
            assert_eq!(decode_lenient(text).unwrap(), [0xfb, 0xff], "{text:?}");
        }
        assert_eq!(decode_lenient("a*b"), None);
    }
}
