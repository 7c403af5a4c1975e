//! The two well-known records that a door needs: an address and a text.
use super::{NdefError, Record, TypeName};

/// What the first byte of a URI record stands for (NFC Forum, URI RTD 1.0, table 3). The order is the code.
const PREFIXES: [&str; 0x24] = [
    "",
    "http://www.",
    "https://www.",
    "http://",
    "https://",
    "tel:",
    "mailto:",
    "ftp://anonymous:anonymous@",
    "ftp://ftp.",
    "ftps://",
    "sftp://",
    "smb://",
    "nfs://",
    "ftp://",
    "dav://",
    "news:",
    "telnet://",
    "imap:",
    "rtsp://",
    "urn:",
    "pop:",
    "sip:",
    "sips:",
    "tftp:",
    "btspp://",
    "btl2cap://",
    "btgoep://",
    "tcpobex://",
    "irdaobex://",
    "file://",
    "urn:epc:id:",
    "urn:epc:tag:",
    "urn:epc:pat:",
    "urn:epc:raw:",
    "urn:epc:",
    "urn:nfc:",
];

impl Record {
    /// A URI record (type `U`); the longest known prefix is abbreviated to one byte.
    ///
    /// # Errors
    /// [`NdefError::Length`]: longer than a record can be.
    pub fn uri(uri: &str) -> Result<Self, NdefError> {
        let mut best = (0u8, "");
        for (code, prefix) in (0u8..).zip(PREFIXES) {
            if uri.starts_with(prefix) && prefix.len() > best.1.len() {
                best = (code, prefix);
            }
        }
        let mut payload = vec![best.0];
        payload.extend_from_slice(&uri.as_bytes()[best.1.len()..]);
        Self::new(TypeName::WellKnown, b"U", &payload)
    }

    /// The address, when this is a URI record.
    ///
    /// # Errors
    /// [`NdefError::Text`]: a reserved prefix or bytes that are not UTF-8; [`NdefError::Truncated`]: no prefix byte.
    pub fn as_uri(&self) -> Result<Option<String>, NdefError> {
        if self.type_name != TypeName::WellKnown || self.kind != b"U" {
            return Ok(None);
        }
        let (code, rest) = self.payload.split_first().ok_or(NdefError::Truncated)?;
        let prefix = PREFIXES.get(usize::from(*code)).ok_or(NdefError::Text)?;
        let rest = std::str::from_utf8(rest).map_err(|_| NdefError::Text)?;
        Ok(Some(format!("{prefix}{rest}")))
    }

    /// A text record (type `T`) in UTF-8, with an IANA language code of 1 to 63 ASCII bytes as `en` or `de-AT`.
    ///
    /// # Errors
    /// [`NdefError::Text`]: not such a language code; [`NdefError::Length`]: longer than a record can be.
    pub fn text(language: &str, text: &str) -> Result<Self, NdefError> {
        let length = u8::try_from(language.len()).ok().filter(|n| (1..=63).contains(n)).ok_or(NdefError::Text)?;
        if !language.is_ascii() {
            return Err(NdefError::Text);
        }
        let mut payload = vec![length];
        payload.extend_from_slice(language.as_bytes());
        payload.extend_from_slice(text.as_bytes());
        Self::new(TypeName::WellKnown, b"T", &payload)
    }

    /// Language and text, when this is a text record, in UTF-8 or UTF-16 (big endian unless a byte order mark says otherwise).
    ///
    /// # Errors
    /// [`NdefError::Text`]: bytes that are not in that character set; [`NdefError::Truncated`]: shorter than its language code.
    pub fn as_text(&self) -> Result<Option<(String, String)>, NdefError> {
        if self.type_name != TypeName::WellKnown || self.kind != b"T" {
            return Ok(None);
        }
        let (status, rest) = self.payload.split_first().ok_or(NdefError::Truncated)?;
        let (language, text) = rest.split_at_checked(usize::from(status & 0x3f)).ok_or(NdefError::Truncated)?;
        let language = std::str::from_utf8(language).ok().filter(|code| code.is_ascii()).ok_or(NdefError::Text)?;
        let text = if status & 0x80 == 0 { String::from_utf8(text.to_vec()).map_err(|_| NdefError::Text)? } else { utf16(text)? };
        Ok(Some((language.to_owned(), text)))
    }
}

fn utf16(bytes: &[u8]) -> Result<String, NdefError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(NdefError::Text);
    }
    let (little, pairs) = match pairs.split_first() {
        Some(([0xff, 0xfe], tail)) => (true, tail),
        Some(([0xfe, 0xff], tail)) => (false, tail),
        _ => (false, pairs),
    };
    let units = pairs.iter().map(|pair| if little { u16::from_le_bytes(*pair) } else { u16::from_be_bytes(*pair) });
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| NdefError::Text)
}
