//! The jobs of the desk.
use crate::args::{Args, Encode, Job, Technology};
use crate::keys::Master;
use crate::readers::Hand;
use crate::virtual_card::{Kept, VirtualCard};
use crate::{DeskError, readers, show};
use chrono::TimeDelta;
use seam_core::clock::{Clock, SystemClock};
use seam_core::encoder::{CardImage, CardSeen, JobControl, Technology as Name};
use seam_encoders::access_data::GenericAccess;
use seam_encoders::classic::LEGACY;
use seam_encoders::classic::mad::Aid;
use seam_encoders::desfire::{self, AccessRights, Right};
use seam_encoders::job::{
    ClassicProfile, DesfireProfile, Encoder, EncoderBuilder, FileJournal, JobFailure, Ntag424Profile, UltralightImageProfile,
};
use seam_encoders::ntag424::Suite;
use seam_encoders::transport::FieldState;
use seam_encoders::ultralight;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::{Arc, Mutex};

/// Bytes in the file of a DESFire application.
const FILE: u32 = 64;
/// The sector of a MIFARE Classic.
const SECTOR: u8 = 1;

/// All that this desk writes, in the order in which a card is asked what it is.
const ALL: [Technology; 4] = [Technology::Ultralight, Technology::Classic, Technology::Ntag424, Technology::Desfire];

pub(crate) async fn read(args: &Args, job: &Job) -> Result<(), DeskError> {
    // An application, or access data, is of a DESFire unless somebody says otherwise.
    let technologies = match job.technology {
        None if job.app.is_none() && !job.access => ALL.to_vec(),
        technology => vec![technology.unwrap_or(Technology::Desfire)],
    };
    let (hand, kept) = hand(args, job.technology.unwrap_or(Technology::Desfire), None)?;
    let reader = readers::chosen(args, hand).await?;
    let mut encoder = Encoder::at(reader);
    for technology in technologies {
        encoder = with_profile(encoder, args, job, technology, false)?;
    }
    let encoder = encoder.build();
    let control = control(job.wait);
    let done = watched(&control, encoder.read(&control)).await;
    kept.as_ref().map(Kept::keep).transpose()?;
    let (card, content) = done?;
    print_card(&card);
    print_content(content.as_ref());
    Ok(())
}

pub(crate) async fn encode(args: &Args, encode: &Encode) -> Result<(), DeskError> {
    let job = &encode.job;
    let technology = job.technology.unwrap_or(Technology::Desfire);
    let content = content(encode, technology)?;
    if technology == Technology::Classic {
        eprintln!("warning: {LEGACY}");
    }
    if encode.pull_at.is_some() && !args.is_virtual {
        return Err(DeskError::Asked("--pull-at is for the simulated card: --virtual".to_owned()));
    }
    let (hand, kept) = hand(args, technology, encode.pull_at)?;
    let reader = readers::chosen(args, hand).await?;
    let mut encoder = with_profile(Encoder::at(reader), args, job, technology, encode.share)?;
    encoder = encoder.waits_for_return(TimeDelta::seconds(encode.patience.into()));
    if encode.share {
        encoder = encoder.may_share_cards();
    }
    if let Some(folder) = &encode.journal {
        encoder = encoder.journal(Arc::new(FileJournal::open(folder)?));
    }
    let image = CardImage { technology: Name(name(technology).to_owned()), content };
    let control = control(job.wait);
    let encoder = encoder.build();
    let done = watched(&control, encoder.encode(&image, &control)).await;
    // However it ended: a card that is half written stays so.
    kept.as_ref().map(Kept::keep).transpose()?;
    let done = done?;
    print_card(&done.card);
    let proof = match technology {
        Technology::Desfire | Technology::Classic => "read back with the door's key",
        Technology::Ntag424 => "tapped and believed as a backend would",
        Technology::Ultralight => "read back",
    };
    println!("written     and {proof}, in {} commands", done.commands);
    Ok(())
}

pub(crate) async fn watch(args: &Args) -> Result<(), DeskError> {
    let hand = match &args.virtual_card {
        Some(_) => match hand(args, Technology::Desfire, None)? {
            (Hand::Lays(card, _), _) => Hand::PassesBy(vec![card]),
            (passes, _) => passes,
        },
        None => Hand::PassesBy(ALL.iter().rev().map(|technology| Arc::new(Mutex::new(VirtualCard::new(*technology)))).collect()),
    };
    let reader = readers::chosen(args, hand).await?;
    let job = Job { technology: None, app: None, wait: 600, access: false, key_version: 1 };
    let mut encoder = Encoder::at(Arc::clone(&reader));
    for technology in ALL {
        encoder = with_profile(encoder, args, &job, technology, false)?;
    }
    let encoder = encoder.build();
    let cards = async {
        loop {
            reader.wait(FieldState::Card).await?;
            match encoder.read(&control(600)).await {
                Ok((card, content)) => {
                    print_card(&card);
                    print_content(content.as_ref());
                }
                Err(e) => println!("card        {e}"),
            }
            reader.wait(FieldState::Empty).await?;
            println!("gone");
        }
    };
    tokio::select! {
        done = cards => done,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

/// Somebody with the simulated card, and the file that it is kept in.
fn hand(args: &Args, technology: Technology, pull_at: Option<usize>) -> Result<(Hand, Option<Kept>), DeskError> {
    let kept = match &args.virtual_card {
        Some(_) if !args.is_virtual => {
            return Err(DeskError::Asked("--virtual-card is for the simulated card: --virtual".to_owned()));
        }
        Some(file) => Some(Kept::open(file, technology)?),
        None => None,
    };
    let card = kept.as_ref().map_or_else(|| Arc::new(Mutex::new(VirtualCard::new(technology))), |kept| Arc::clone(&kept.card));
    Ok((Hand::Lays(card, pull_at), kept))
}

/// What an image of the card says.
fn content(encode: &Encode, technology: Technology) -> Result<Value, DeskError> {
    let asked = |what: &str| Err(DeskError::Asked(what.to_owned()));
    let job = &encode.job;
    if technology == Technology::Ntag424 {
        return match &encode.url {
            Some(url) => Ok(json!({ "url": url })),
            None => asked("an NTAG 424 gets an address: --url 'https://door.example/t?p={picc}&m={mac}'"),
        };
    }
    if encode.url.is_some() {
        return asked("--url is for an NTAG 424: --technology ntag424");
    }
    if job.access {
        return match (encode.site, encode.credential) {
            (Some(site), Some(credential)) => Ok(json!({ "access": { "site": site, "credential": credential } })),
            _ => asked("access data are a site and a credential: --site N --credential N"),
        };
    }
    let data = match &encode.text {
        Some(text) => text.bytes().map(|byte| format!("{byte:02X}")).collect(),
        None => encode.data.clone(),
    };
    if from_hex(&data).is_none() {
        return asked("--data is hexadecimal: two digits for each byte");
    }
    if technology == Technology::Ultralight {
        return Ok(json!({ "first_page": ultralight::FIRST, "hex": data }));
    }
    Ok(json!({ "data": data }))
}

/// An encoder that takes cards of this technology too; with `overwrites`, also ones that do not say whose they are.
fn with_profile(
    encoder: EncoderBuilder,
    args: &Args,
    job: &Job,
    technology: Technology,
    overwrites: bool,
) -> Result<EncoderBuilder, DeskError> {
    let master = Master::from_env(args.is_virtual)?;
    let wrong = || DeskError::Asked("--app: six hexadecimal digits for DESFire, four for MIFARE Classic".to_owned());
    if job.access && technology != Technology::Desfire {
        return Err(DeskError::Asked("--access is for a DESFire".to_owned()));
    }
    match technology {
        Technology::Desfire => {
            let app = from_hex(job.app.as_deref().unwrap_or("F532F0")).ok_or_else(wrong)?;
            let [a, b, c] = app[..] else { return Err(wrong()) };
            let app = u32::from_be_bytes([0, a, b, c]);
            if job.access {
                // Where a reader at a door expects them unless it was told otherwise: file 2, read with key 1, written with key 2.
                let rights = AccessRights { read: Right::Key(1), write: Right::Key(2), read_write: Right::Never, change: Right::Key(0) };
                let format = GenericAccess::new(master.access()?)?.at(desfire::Aid::new(app)?, 2, rights);
                return Ok(encoder.profile(DesfireProfile::access(format, master.keys(), job.key_version)?));
            }
            Ok(encoder.profile(DesfireProfile::new(app, FILE, master.keys(), job.key_version)?))
        }
        Technology::Ntag424 if job.app.is_some() => Err(DeskError::Asked("an NTAG 424 has one application: leave --app out".to_owned())),
        Technology::Ntag424 => Ok(encoder.profile(Ntag424Profile::new(Suite::Aes, master.keys(), job.key_version)?)),
        Technology::Ultralight if job.app.is_some() => {
            Err(DeskError::Asked("an Ultralight has no applications: leave --app out".to_owned()))
        }
        Technology::Ultralight => {
            // What every reader has; one that passes raw commands on could tell which chip it is.
            let profile = UltralightImageProfile::new(ultralight::Reader::StorageOnly);
            Ok(encoder.profile(if overwrites { profile.overwrites() } else { profile }))
        }
        Technology::Classic => {
            let app = from_hex(job.app.as_deref().unwrap_or("3821")).ok_or_else(wrong)?;
            let [cluster, application] = app[..] else { return Err(wrong()) };
            let (keys, directory) = master.classic();
            Ok(encoder.profile(ClassicProfile::new(Aid { cluster, application }, SECTOR, keys, directory?)?))
        }
    }
}

fn name(technology: Technology) -> &'static str {
    match technology {
        Technology::Desfire => "desfire",
        Technology::Ntag424 => "ntag424",
        Technology::Classic => "mifare_classic",
        Technology::Ultralight => "mifare_ultralight_ev1",
    }
}

/// A job that waits so many seconds for its card, and may take a minute more.
fn control(wait: u32) -> JobControl {
    let card_by = SystemClock.now() + TimeDelta::seconds(wait.into());
    JobControl::new(card_by, card_by + TimeDelta::minutes(1))
}

/// Runs a job, shows its progress, and cancels it on Ctrl-C: at the next command, so that the card is in a known state.
async fn watched<T>(control: &JobControl, job: impl Future<Output = Result<T, JobFailure>>) -> Result<T, JobFailure> {
    let mut progress = control.progress();
    let mut shown = show::Shown::new();
    let cancel = async {
        if tokio::signal::ctrl_c().await.is_ok() {
            control.cancel();
        }
        std::future::pending::<()>().await;
    };
    let (mut cancel, mut job) = (std::pin::pin!(cancel), std::pin::pin!(job));
    loop {
        tokio::select! {
            biased;
            Some(step) = progress.recv() => shown.take(step),
            () = &mut cancel => {}
            done = &mut job => {
                while let Ok(step) = progress.try_recv() {
                    shown.take(step);
                }
                return done;
            }
        }
    }
}

fn print_content(content: Option<&Value>) {
    let Some(content) = content.and_then(Value::as_object) else { return println!("content     nothing of ours") };
    for (name, what) in content {
        println!("{name:<11} {}", what.as_str().map_or(what.to_string(), str::to_owned));
    }
    if let Some(text) = content.get("data").and_then(Value::as_str).and_then(as_text) {
        println!("as text     {text}");
    }
}

/// What was written as text: printable letters, filled up with zeros.
fn as_text(hex: &str) -> Option<String> {
    let text = String::from_utf8(from_hex(hex)?).ok()?;
    let text = text.trim_end_matches('\0');
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

fn print_card(card: &CardSeen) {
    println!("card        {}", card.number.as_deref().unwrap_or("without a number"));
    println!("technology  {}", card.technology.as_ref().map_or("unknown", |technology| &technology.0));
}

/// Bytes of hexadecimal text; `None` when it is not.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| u8::try_from(high << 4 | low).ok()).collect()
}
