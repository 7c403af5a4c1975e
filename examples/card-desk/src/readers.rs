//! The readers of the machine, and a simulated one.
use crate::DeskError;
use crate::args::{Args, Technology};
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind, SimulatedCard};
use seam_encoders::transport::{Reader, SimulatedReader};
use std::sync::Arc;
use std::time::Duration;

/// The name of the simulated reader.
const VIRTUAL: &str = "Simulated reader";
/// How long the person takes who lays the simulated card there, and who puts it back.
const HAND: Duration = Duration::from_millis(300);

pub(crate) async fn print_list(is_virtual: bool) -> Result<(), DeskError> {
    let names = names(is_virtual).await?;
    names.iter().for_each(|name| println!("{name}"));
    if names.is_empty() {
        eprintln!("no reader is there");
    }
    Ok(())
}

async fn names(is_virtual: bool) -> Result<Vec<String>, DeskError> {
    if is_virtual {
        return Ok(vec![VIRTUAL.to_owned()]);
    }
    #[cfg(feature = "pcsc")]
    return Ok(seam_encoders::transport::pcsc::list().await?);
    #[cfg(not(feature = "pcsc"))]
    Err(DeskError::Asked("for a reader of this machine: cargo run -p card-desk --features pcsc; without one: --virtual".to_owned()))
}

/// What somebody does at the simulated reader.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hand {
    /// Lays a new card there, which is pulled away at this command and put back.
    Lays(Technology, Option<usize>),
    /// Lays one card after the other there and takes it away again.
    PassesBy,
}

/// The reader that was asked for.
pub(crate) async fn chosen(args: &Args, hand: Hand) -> Result<Arc<dyn Reader>, DeskError> {
    let names = names(args.is_virtual).await?;
    let fits = |name: &&String| args.reader.as_ref().is_none_or(|wanted| name.contains(wanted.as_str()));
    let name = match names.iter().filter(fits).collect::<Vec<_>>().as_slice() {
        [name] => (*name).clone(),
        [] => return Err(DeskError::Asked("there is no such reader; `card-desk list` shows them".to_owned())),
        _ => return Err(DeskError::Asked("there are several readers; choose one with --reader".to_owned())),
    };
    if args.is_virtual {
        return Ok(Arc::new(simulated(hand)));
    }
    #[cfg(feature = "pcsc")]
    return Ok(Arc::new(seam_encoders::transport::pcsc::PcscReader::new(name)));
    #[cfg(not(feature = "pcsc"))]
    Err(DeskError::Asked(name))
}

fn new_card(technology: Technology) -> Box<dyn SimulatedCard> {
    match technology {
        Technology::Desfire => Box::new(DesfireCard::new(DesfireModel::Ev3, [0x04, 0x5E, 0xA8, 0x01, 0x02, 0x03, 0x04])),
        Technology::Ntag424 => Box::new(Ntag424Card::new([0x04, 0x5E, 0xA8, 0x0A, 0x0B, 0x0C, 0x0D])),
        Technology::Classic => Box::new(ClassicCard::new_1k([0x5E, 0xA8, 0x01, 0x02])),
    }
}

/// A simulated reader, and somebody at it.
fn simulated(hand: Hand) -> SimulatedReader {
    let reader = SimulatedReader::new(VIRTUAL);
    let field = reader.clone();
    tokio::spawn(async move {
        let a_moment = || tokio::time::sleep(HAND);
        a_moment().await;
        match hand {
            Hand::Lays(technology, pull_at) => {
                if let Some(at) = pull_at {
                    field.with_field(|field| field.plan(Fault { at, kind: FaultKind::PulledAfterBytes(0) }));
                }
                field.put(new_card(technology));
                loop {
                    a_moment().await;
                    field.put_back();
                }
            }
            Hand::PassesBy => loop {
                for technology in [Technology::Desfire, Technology::Ntag424, Technology::Classic] {
                    field.put(new_card(technology));
                    a_moment().await;
                    field.take();
                    a_moment().await;
                }
            },
        }
    });
    reader
}
