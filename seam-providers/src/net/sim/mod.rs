//! What fakes of servers are built of: a server on a socket of this host that can be told to misbehave, and HTTP for it.
mod certificate;
mod http;
mod server;

pub use certificate::SimCertificate;
pub use http::{HttpAnswer, HttpAsked, HttpConversation, HttpService};
pub use server::{Conversation, Misbehaviour, Server, ServerOptions, Wire};
