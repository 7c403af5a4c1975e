//! The simulated card against another implementation: the crate `desox` as its reader. So the driver and the card here cannot share one
//! misunderstanding of EV1 messaging.
use desox::{
    AppPermissions, Card, FileCommunication, FileIo, FilePermissions, FileSettings, Key, KeyCount, KeyPermissions, Permissions, io,
};
use seam_encoders::sim::{DesfireCard, DesfireModel, SimulatedCard};
use std::convert::Infallible;

use super::support::UID;

/// Native frames of that crate, wrapped for the card.
struct Native(DesfireCard);

impl io::Backend for &mut Native {
    type Error = Infallible;
    async fn exchange_raw(&mut self, output: &mut [u8], input: &[u8]) -> Result<usize, Infallible> {
        let (ins, params) = input.split_first().expect("a command has an instruction");
        let length = if params.is_empty() { Vec::new() } else { vec![params.len() as u8] };
        let answer = self.0.answer(&[&[0x90, *ins, 0, 0][..], &length, params, &[0]].concat());
        let (data, status) = answer.split_at(answer.len() - 2);
        output[0] = status[1];
        output[1..=data.len()].copy_from_slice(data);
        Ok(1 + data.len())
    }
}

fn permissions() -> Permissions {
    let app = AppPermissions { can_change_key_settings: true, can_change_root_key: true, anyone_can_delete: false, anyone_can_list: false };
    Permissions { app, key: KeyPermissions::RequiresRoot }
}

#[tokio::test]
async fn another_reader_personalises_the_card() {
    for model in [DesfireModel::Ev1, DesfireModel::Ev2, DesfireModel::Ev3] {
        let mut native = Native(DesfireCard::new(model, UID));
        native.0.power_on();
        {
            let card = Card::new(&mut native);
            let mut card = card.authenticate(0, Key::Des([0; 8])).await.expect("the factory key");
            assert_eq!(card.get_uid().await.expect("the serial number"), UID);
            assert_eq!(card.get_version_info().await.expect("the version").uid, UID);
            card.create_application([1, 2, 3], permissions(), KeyCount::Aes(2)).await.expect("an application");
            let card = card.select_application([1, 2, 3]).await.expect("the application");
            let mut card = card.authenticate(0, Key::Aes([0; 16])).await.expect("its key");
            let modes = [(1, FileCommunication::Plain), (2, FileCommunication::Cmac), (3, FileCommunication::Encrypted)];
            let permissions = FilePermissions { change: 0, read_write: 0, write: 0, read: 0 };
            let mut out = [0; 0xffff];
            for (file, communication) in modes {
                for size in [5_u32, 16, 59, 200] {
                    let settings = FileSettings::Data { communication, permissions, size };
                    card.create_file(file, settings).await.expect("a file");
                    assert_eq!(card.get_file_settings(file).await.expect("its settings"), settings);
                    let data: Vec<u8> = (0..size).map(|i| i as u8 ^ 0x5A).collect();
                    card.write_file_at(file, communication, 0, &data).await.expect("written");
                    let read = card.read_file_at(&mut out, file, communication, 0, size).await.expect("read");
                    assert_eq!(read, data, "{model:?} {communication:?} {size}");
                    card.delete_file(file).await.expect("deleted");
                }
            }
            let card = card.change_current_key(Key::Aes([7; 16]), 9).await.expect("the key changes");
            let card = card.authenticate(0, Key::Aes([7; 16])).await.expect("the new key");
            let mut card =
                card.select_application([0, 0, 0]).await.expect("the card").authenticate(0, Key::Des([0; 8])).await.expect("the key");
            let listed = card.list_applications(&mut out).await.expect("listed").to_vec();
            assert_eq!(listed, [[1, 2, 3]]);
            let card = card.change_current_key(Key::Aes([3; 16]), 1).await.expect("the key of the card becomes AES");
            card.authenticate(0, Key::Aes([3; 16])).await.expect("the new key of the card");
        }
        assert_eq!(native.0.key(0x0003_0201, 0), Some((vec![7; 16], 9)));
        assert_eq!(native.0.key(0, 0), Some((vec![3; 16], 1)));
    }
}

#[tokio::test]
async fn another_reader_with_a_wrong_key_is_refused() {
    let mut native = Native(DesfireCard::new(DesfireModel::Ev3, UID));
    native.0.power_on();
    let card = Card::new(&mut native);
    assert!(card.authenticate(0, Key::Des([2; 8])).await.is_err());
}
