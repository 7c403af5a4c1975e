//! The card's side of secure dynamic messaging.
use super::crypto::{self, Block, LrpKey};
use serde::{Deserialize, Serialize};

/// What a file's settings say about mirrors, as the card keeps them.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Mirrors {
    /// The bytes as they came, for `GetFileSettings`.
    pub(super) raw: Vec<u8>,
    options: u8,
    meta: u8,
    file: u8,
    pub(super) counter_right: u8,
    uid_at: Option<usize>,
    counter_at: Option<usize>,
    picc_at: Option<usize>,
    input_at: usize,
    data_at: usize,
    data_length: usize,
    mac_at: usize,
    pub(super) limit: Option<u32>,
}

impl Mirrors {
    /// `None`: the card refuses them.
    pub(super) fn read(raw: &[u8], lrp: bool, file_size: usize) -> Option<Self> {
        let (&options, rest) = raw.split_first()?;
        let (&[low, high], rest) = rest.split_first_chunk::<2>()?;
        let (meta, file, counter_right) = (high >> 4, high & 15, low & 15);
        let key = |nibble: u8| nibble <= 4;
        if options & 0x0f != 1
            || low >> 4 != 15
            || !(key(meta) || meta >= 14)
            || !(key(file) || file == 15)
            || (5..14).contains(&counter_right)
        {
            return None;
        }
        let mut numbers = rest.chunks(3).map(|three| match three {
            [a, b, c] => Some(usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16),
            _ => None,
        });
        let mut take = |wanted: bool| if wanted { numbers.next().flatten().map(Some) } else { Some(None) };
        let (uid, counter, encrypted) = (options & 0x80 != 0, options & 0x40 != 0, options & 0x10 != 0);
        let uid_at = take(meta == 14 && uid)?;
        let counter_at = take(meta == 14 && counter)?;
        let picc_at = take(key(meta))?;
        let input_at = take(key(file))?.unwrap_or(0);
        let data_at = take(key(file) && encrypted)?.unwrap_or(0);
        let data_length = take(key(file) && encrypted)?.unwrap_or(0);
        let mac_at = take(key(file))?.unwrap_or(0);
        let limit = take(options & 0x20 != 0)?.map(|limit| u32::try_from(limit).unwrap_or(0));
        if numbers.next().is_some() || (meta != 15 && !uid && !counter) || (encrypted && !(uid && counter && key(file))) {
            return None;
        }
        if data_length % 32 != 0
            || (encrypted && data_length == 0)
            || input_at > mac_at
            || (!counter && (limit.is_some() || counter_right != 15))
        {
            return None;
        }
        if encrypted && (data_at < input_at || data_at + data_length > mac_at) {
            return None;
        }
        let mut taken = vec![false; file_size];
        let mut claim = |at: Option<usize>, length: usize| {
            at.is_none_or(|at| {
                taken.get_mut(at..at + length).is_some_and(|place| {
                    !place.iter().any(|t| *t) && {
                        place.fill(true);
                        true
                    }
                })
            })
        };
        let fits = claim(uid_at, 14)
            && claim(counter_at, 6)
            && claim(picc_at, if lrp { 48 } else { 32 })
            && claim(key(file).then_some(mac_at), 16)
            && claim(encrypted.then_some(data_at), data_length);
        fits.then(|| Self {
            raw: raw.to_vec(),
            options,
            meta,
            file,
            counter_right,
            uid_at,
            counter_at,
            picc_at,
            input_at,
            data_at,
            data_length,
            mac_at,
            limit,
        })
    }

    pub(super) fn counts(&self) -> bool {
        self.options & 0x40 != 0
    }
    /// Whether somebody without a key may read because of the mirrors.
    pub(super) fn opens(&self) -> bool {
        self.file <= 4
    }

    /// The file as it goes out.
    pub(super) fn fill(&self, file: &[u8], keys: &[Block; 5], lrp: bool, uid: &[u8; 7], counter: u32, random: [u8; 8]) -> Vec<u8> {
        let [c0, c1, c2, _] = counter.to_le_bytes();
        let mut out = file.to_vec();
        if let Some(at) = self.uid_at {
            put(&mut out, at, uid);
        }
        if let Some(at) = self.counter_at {
            put(&mut out, at, &[c2, c1, c0]);
        }
        if let Some(at) = self.picc_at {
            let mut clear = vec![self.options & 0xc0 | if self.options & 0x80 != 0 { 7 } else { 0 }];
            if self.options & 0x80 != 0 {
                clear.extend(uid);
            }
            if self.options & 0x40 != 0 {
                clear.extend([c0, c1, c2]);
            }
            let key = &keys[usize::from(self.meta)];
            if lrp {
                clear.resize(16, 0);
                let mut start = random;
                let hidden = LrpKey::new(key, 0).crypt(&mut start, &clear, true);
                put(&mut out, at, &[&random[..], &hidden].concat());
            } else {
                clear.extend(random);
                clear.truncate(16);
                clear.resize(16, 0);
                put(&mut out, at, &crypto::cbc_encrypt(key, [0; 16], &clear));
            }
        }
        if self.file <= 4 {
            let key = &keys[usize::from(self.file)];
            let mut seed = Vec::new();
            if self.options & 0x80 != 0 {
                seed.extend(uid);
            }
            if self.options & 0x40 != 0 {
                seed.extend([c0, c1, c2]);
            }
            let session = TapKeys::new(key, lrp, &seed);
            if self.data_length > 0 {
                let clear = file[self.data_at..self.data_at + self.data_length / 2].to_vec();
                put(&mut out, self.data_at, &session.encrypt(&clear, [c0, c1, c2]));
            }
            let mac = session.mac(&out[self.input_at..self.mac_at]);
            put(&mut out, self.mac_at, &crypto::short_mac(mac));
        }
        out
    }
}

enum TapKeys {
    Aes { encryption: Block, mac: Block },
    Lrp { encryption: LrpKey, mac: LrpKey },
}

impl TapKeys {
    fn new(key: &Block, lrp: bool, seed: &[u8]) -> Self {
        if lrp {
            let mut vector = vec![0x00, 0x01, 0x00, 0x80];
            vector.extend(seed);
            vector.resize(14, 0);
            vector.extend([0x1e, 0xe1]);
            let master = LrpKey::new(key, 0).cmac(&vector);
            Self::Lrp { encryption: LrpKey::new(&master, 1), mac: LrpKey::new(&master, 0) }
        } else {
            let derive = |a: u8, b: u8| {
                let mut vector = vec![a, b, 0x00, 0x01, 0x00, 0x80];
                vector.extend(seed);
                vector.resize(16, 0);
                crypto::aes_cmac(key, &vector)
            };
            Self::Aes { encryption: derive(0xc3, 0x3c), mac: derive(0x3c, 0xc3) }
        }
    }
    fn mac(&self, input: &[u8]) -> Block {
        match self {
            Self::Aes { mac, .. } => crypto::aes_cmac(mac, input),
            Self::Lrp { mac, .. } => mac.cmac(input),
        }
    }
    fn encrypt(&self, clear: &[u8], counter: [u8; 3]) -> Vec<u8> {
        match self {
            Self::Aes { encryption, .. } => {
                let mut start = [0; 16];
                start[..3].copy_from_slice(&counter);
                crypto::cbc_encrypt(encryption, crypto::aes_encrypt(encryption, start), clear)
            }
            Self::Lrp { encryption, .. } => {
                let mut start = [counter[0], counter[1], counter[2], 0, 0, 0];
                encryption.crypt(&mut start, clear, true)
            }
        }
    }
}

/// Writes bytes as digits, as far as the file reaches.
fn put(file: &mut [u8], at: usize, bytes: &[u8]) {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    for (place, digit) in file[at..].iter_mut().zip(digits.bytes()) {
        *place = digit;
    }
}
