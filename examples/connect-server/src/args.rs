//! What the server is started with.
use clap::{Parser, ValueEnum};
use std::net::SocketAddr;
use std::path::PathBuf;

/// A Seam-compatible server: the official client SDKs run against it unchanged.
#[derive(Clone, Debug, Parser)]
#[command(version)]
pub struct Args {
    /// Where it listens. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4010")]
    pub listen: SocketAddr,
    /// The API key of the first workspace; it begins with `seam_`, or the clients refuse it.
    #[arg(long, value_name = "KEY", env = "CONNECT_API_KEY", hide_env_values = true, value_parser = |text: &str| api_key(text).map(ApiKey))]
    pub api_key: ApiKey,
    /// One more workspace, or one more key of a workspace that is named before. May be repeated.
    #[arg(long = "workspace", value_name = "NAME=KEY", value_parser = named_key)]
    pub workspaces: Vec<(String, ApiKey)>,
    /// The SQLite file that holds the state; the files beside it are its key (`.key`) and the sandbox (`.world`). `:memory:` keeps nothing.
    #[arg(long, value_name = "PATH", default_value = "connect.db")]
    pub database: PathBuf,
    /// Sets up a virtual site in every workspace that has no system yet.
    #[arg(long, value_enum, value_name = "SITE")]
    pub sandbox: Option<Sandbox>,
    /// The address under which others reach the server, for links to instant keys and pages; else `http://` and where it listens.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Lets webhooks be delivered to this machine and to private networks: for tests.
    #[arg(long)]
    pub allow_private_webhooks: bool,
    /// So many requests per second are served for one workspace, and a burst of as many; 0: any number.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub requests_per_second: u32,
    /// How the log is written, to the standard error. What is logged is said by `RUST_LOG`.
    #[arg(long, value_enum, default_value_t = Log::Text)]
    pub log: Log,
}

/// A virtual site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sandbox {
    /// A hotel with four doors and an encoder, and an office with two groups.
    Hotel,
}

/// A form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Log {
    /// Lines for people.
    Text,
    /// One JSON object per line.
    Json,
}

/// A key that is not shown.
#[derive(Clone)]
pub struct ApiKey(pub String);

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

fn api_key(text: &str) -> Result<String, String> {
    let other = ["seam_at", "seam_cst", "seam_pk"].iter().any(|p| text.starts_with(p));
    let printable = text.bytes().all(|b| b.is_ascii_graphic());
    if text.starts_with("seam_") && !other && printable && (12..=200).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("an API key has 12 to 200 characters and begins with seam_, but not with seam_at, seam_cst or seam_pk".to_owned())
    }
}

fn named_key(text: &str) -> Result<(String, ApiKey), String> {
    let (name, key) = text.split_once('=').ok_or("NAME=KEY is wanted")?;
    if name.is_empty() {
        return Err("the workspace has no name".to_owned());
    }
    Ok((name.to_owned(), ApiKey(api_key(key)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_keys_that_the_clients_would_send_are_taken() {
        for good in ["seam_test_key", "seam_apikey1_token"] {
            api_key(good).expect("a key");
        }
        for wrong in ["seam_", "seam_at_1234567", "seam_cst_1234567", "seam_pk_1234567", "secret_key_123", "seam_with blank"] {
            api_key(wrong).expect_err(wrong);
        }
        named_key("annex=seam_test_annex").expect("a pair");
        named_key("=seam_test_annex").expect_err("no name");
        named_key("annex").expect_err("no key");
    }

    #[test]
    fn keys_are_not_shown() {
        let args = Args::parse_from(["connect-server", "--api-key", "seam_canary_1", "--workspace", "b=seam_canary_2"]);
        assert!(!format!("{:?}", args.workspaces).contains("canary"));
    }
}
