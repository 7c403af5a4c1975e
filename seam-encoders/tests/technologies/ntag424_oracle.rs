//! The crate `ntag424`, an implementation that shares nothing with ours, as a reader of the simulated card: what it writes, ours reads, and what
//! ours writes, it believes.
use super::ntag424_card::{Counting, UID};
use ntag424::sdm::Verifier;
use ntag424::types::file_settings::{Access, AccessRights, CommMode, CryptoMode, FileSettingsUpdate};
use ntag424::types::{File, KeyNumber, NonMasterKeyNumber};
use ntag424::{AuthenticatedSession, Response, Session, Transport};
use seam_encoders::dialogue::Dialogue;
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::ntag424 as ours;
use seam_encoders::ntag424::Suite;
use seam_encoders::ntag424::sdm::SdmUrl;
use seam_encoders::ntag424::settings::KeyNo;
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::{Field, Reply};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

struct Reader(Field);

#[derive(Debug)]
struct NoAnswer;
impl std::fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no answer")
    }
}
impl std::error::Error for NoAnswer {}

impl Transport for Reader {
    type Error = NoAnswer;
    type Data = Vec<u8>;

    async fn transmit(&mut self, apdu: &[u8]) -> Result<Response<Vec<u8>>, NoAnswer> {
        let Reply::Answer(mut data, _) = self.0.transmit(apdu) else { return Err(NoAnswer) };
        let (sw2, sw1) = (data.pop().ok_or(NoAnswer)?, data.pop().ok_or(NoAnswer)?);
        Ok(Response { data, sw1, sw2 })
    }

    async fn get_uid(&mut self) -> Result<Vec<u8>, NoAnswer> {
        Ok(self.0.card().ok_or(NoAnswer)?.uid())
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the simulated card answers at once"),
    }
}

fn reader(suite: Suite) -> Reader {
    let card = Ntag424Card::new(UID);
    Reader(Field::with(if suite == Suite::Lrp { card.with_lrp() } else { card }))
}

/// Everything that the other implementation does with a card, in one session.
async fn personalise<S: AuthenticatedSession>(session: S, reader: &mut Reader, file: &[u8], update: &FileSettingsUpdate) {
    let (uid, session) = session.get_uid(reader).await.unwrap();
    assert_eq!(uid, UID);
    let (version, session) = session.get_version(reader).await.unwrap();
    assert_eq!(version.uid().as_ref(), UID);
    let (number, session) = session.get_key_version(reader, KeyNumber::Key1).await.unwrap();
    assert_eq!(number, 0);
    let session = session.write_file(reader, File::Ndef, 0, file).await.unwrap();
    let session = session.change_file_settings(reader, File::Ndef, update).await.unwrap();
    let session = session.change_key(reader, NonMasterKeyNumber::Key1, &[0x11; 16], 7, &[0; 16]).await.unwrap();
    let session = session.change_key(reader, NonMasterKeyNumber::Key3, &[0x13; 16], 8, &[0; 16]).await.unwrap();
    let (number, session) = session.get_key_version(reader, KeyNumber::Key3).await.unwrap();
    assert_eq!(number, 8);
    // The third file is read with key 2 or 3 and written with 3, encrypted.
    let session = session.authenticate(reader, KeyNumber::Key3, &[0x13; 16], [0x77; 16]).await.unwrap();
    let secret: Vec<u8> = (0..128).collect();
    let session = session.write_file_with_mode(reader, File::Proprietary, 0, &secret, CommMode::Full).await.unwrap();
    let mut read = [0; 128];
    let (length, session) = session.read_file_with_mode(reader, File::Proprietary, 0, 128, CommMode::Full, &mut read).await.unwrap();
    assert_eq!(read[..length], secret);
    let session = session.authenticate(reader, KeyNumber::Key0, &[0; 16], [0x78; 16]).await.unwrap();
    session.change_master_key(reader, &[0x10; 16], 9).await.unwrap();
}

#[test]
fn what_the_other_implementation_writes_ours_reads() {
    for suite in [Suite::Aes, Suite::Lrp] {
        let mode = if suite == Suite::Aes { CryptoMode::Aes } else { CryptoMode::Lrp };
        let template = ntag424::sdm::sdm_url_config(
            // Theirs covers the address from the brackets on, ours from the first placeholder.
            "https://door.example/t?p=[[{picc}&m={mac}",
            mode,
            ntag424::sdm::SdmUrlOptions { picc_key: KeyNumber::Key1, mac_key: KeyNumber::Key3, ..ntag424::sdm::SdmUrlOptions::new() },
        )
        .unwrap();
        let rights = AccessRights {
            read: Access::Free,
            write: Access::Key(KeyNumber::Key0),
            read_write: Access::NoAccess,
            change: Access::Key(KeyNumber::Key0),
        };
        let update = FileSettingsUpdate::new(CommMode::Mac, rights).with_sdm(template.sdm_settings);
        let mut reader = reader(suite);
        block_on(async {
            let session = Session::default();
            match suite {
                Suite::Aes => {
                    let session = session.authenticate_aes(&mut reader, KeyNumber::Key0, &[0; 16], [0x42; 16]).await.unwrap();
                    personalise(session, &mut reader, &template.ndef_bytes, &update).await;
                }
                Suite::Lrp => {
                    let session = session.authenticate_lrp(&mut reader, KeyNumber::Key0, &[0; 16], [0x42; 16]).await.unwrap();
                    personalise(session, &mut reader, &template.ndef_bytes, &update).await;
                }
            }
        });

        // Our template of the same address is the same file and the same settings, byte for byte.
        let url = SdmUrl::new(suite, "https://door.example/t?p={picc}&m={mac}").unwrap();
        let (content, sdm) = url.layout(KeyNo::new(1).unwrap(), KeyNo::new(3).unwrap()).unwrap();
        assert_eq!(content, template.ndef_bytes);
        let length = content.len();
        let mut field = reader.0;
        field.reset();
        let address = field
            .run(Dialogue::<_, CardError>::new(|card| async move {
                let tag = ours::Ntag424::select(card).await?;
                let tapped = tag.read(ours::File::Ndef, 0, length).await?;
                let mut session = tag.authenticate(suite, KeyNo::MASTER, &Key::aes([0x10; 16], 9), &mut Counting(3)).await?;
                let settings = session.settings(ours::File::Ndef).await?;
                assert_eq!(settings.sdm, Some(sdm));
                assert_eq!(session.read(ours::File::Ndef, &settings, 0, length).await?.as_slice(), content);
                assert_eq!(session.key_version(KeyNo::new(3)?).await?, 8);
                session.prove(KeyNo::new(3)?, &Key::aes([0x13; 16], 8), &mut Counting(4)).await?;
                let third = session.settings(ours::File::Proprietary).await?;
                assert_eq!(session.read(ours::File::Proprietary, &third, 0, 128).await?.as_slice(), (0..128).collect::<Vec<u8>>());
                Ok(tapped)
            }))
            .unwrap();
        let message = seam_encoders::ndef::file::message(&address).unwrap().unwrap();
        let tap = url.tap(&message.records()[0].as_uri().unwrap().unwrap()).unwrap();
        let verified = tap.verify(&Key::aes([0x11; 16], 7), &Key::aes([0x13; 16], 8), None).unwrap();
        assert_eq!((verified.uid, verified.counter), (Some(UID), Some(1)));
    }
}

#[test]
fn what_ours_writes_the_other_implementation_believes() {
    for suite in [Suite::Aes, Suite::Lrp] {
        let url = SdmUrl::new(suite, "https://door.example/t?p={picc}&d={data:sixteen letters!}&m={mac}").unwrap();
        let (content, sdm) = url.layout(KeyNo::new(1).unwrap(), KeyNo::new(2).unwrap()).unwrap();
        let mut field = reader(suite).0;
        let length = content.len();
        field
            .run(Dialogue::<_, CardError>::new(|card| async move {
                let zero = Key::zero(KeyType::Aes128);
                let tag = ours::Ntag424::select(card).await?;
                let mut session = tag.authenticate(suite, KeyNo::MASTER, &zero, &mut Counting(3)).await?;
                let mut settings = session.settings(ours::File::Ndef).await?;
                session.write(ours::File::Ndef, &settings, 0, &content).await?;
                settings.sdm = Some(sdm);
                session.change_settings(ours::File::Ndef, &settings).await?;
                session.change_key(KeyNo::new(1)?, &zero, &Key::aes([1; 16], 1)).await?;
                session.change_key(KeyNo::new(2)?, &zero, &Key::aes([2; 16], 1)).await?;
                session.change_master(&Key::aes([3; 16], 1)).await.map(drop)
            }))
            .unwrap();
        let mode = if suite == Suite::Aes { CryptoMode::Aes } else { CryptoMode::Lrp };
        let mut reader = Reader(field);
        reader.0.reset();
        block_on(async {
            let mut session = Session::default();
            let view = session.get_file_settings(&mut reader, File::Ndef).await.unwrap();
            let verifier = Verifier::try_new(&view.sdm.unwrap(), mode).unwrap();
            for tap in 1..4 {
                let mut file = vec![0; length];
                reader.0.reset();
                assert_eq!(Session::default().read_file_unauthenticated(&mut reader, File::Ndef, 0, &mut file).await.unwrap(), length);
                let seen = verifier.verify_with_meta_key(&file, &[2; 16], &[1; 16]).unwrap();
                assert_eq!((seen.uid, seen.read_ctr), (Some(UID), Some(tap)));
                assert_eq!(seen.enc_file_data.unwrap(), b"sixteen letters!");
                assert!(verifier.verify_with_meta_key(&file, &[9; 16], &[1; 16]).is_err());
            }
            let session = Session::default();
            let number = match suite {
                Suite::Aes => {
                    let session = session.authenticate_aes(&mut reader, KeyNumber::Key0, &[3; 16], [0x42; 16]).await.unwrap();
                    session.get_key_version(&mut reader, KeyNumber::Key0).await.unwrap().0
                }
                Suite::Lrp => {
                    let session = session.authenticate_lrp(&mut reader, KeyNumber::Key0, &[3; 16], [0x42; 16]).await.unwrap();
                    session.get_key_version(&mut reader, KeyNumber::Key0).await.unwrap().0
                }
            };
            assert_eq!(number, 1);
        });
    }
}
