//! Requests to the Connect interface.
use super::error::checked;
use super::wire::{Page, Request};
use crate::net::oauth::Tokens;
use crate::net::{Deadline, LONGEST_ANSWER, LONGEST_LIST, only_asked};
use seam_core::provider::{Failure, HttpMethod, HttpRequest, HttpResponse, HttpTransport, Reason};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Pages that are read before somebody is told that the list has no end.
const MOST_PAGES: usize = 500;

#[derive(Debug)]
pub(super) struct Client {
    pub(super) api_url: String,
    pub(super) http: Arc<dyn HttpTransport>,
    pub(super) tokens: Tokens,
}

impl Client {
    /// Sends a request; once more with another token when the first one is refused.
    pub(super) async fn send(&self, request: &Request, deadline: &Deadline) -> Result<HttpResponse, Failure> {
        let changes = request.method != HttpMethod::Get;
        let honest = |failure: Failure| if changes { failure } else { only_asked(failure) };
        let token = self.tokens.token(deadline).await?;
        let mut answer = self.once(request, &token, deadline).await.map_err(honest)?;
        if answer.status == 401 {
            // A request without a right to it does nothing.
            let token = self.tokens.after_refusal(&token, deadline).await?;
            answer = self.once(request, &token, deadline).await.map_err(honest)?;
        }
        checked(answer, changes)
    }

    async fn once(&self, request: &Request, token: &SecretString, deadline: &Deadline) -> Result<HttpResponse, Failure> {
        let mut asked = HttpRequest::new(request.method, format!("{}{}", self.api_url, request.path))
            .with_header("Authorization", format!("Bearer {}", token.expose_secret()))
            .with_header("Accept", "application/json")
            .with_within(deadline.left())
            .with_max_response(LONGEST_ANSWER);
        if let Some(body) = &request.body {
            asked = asked.with_header("Content-Type", "application/json").with_body(body.to_string());
        }
        match deadline.bound(self.http.send(asked)).await {
            Some(answer) => answer,
            None => Err(Failure::unknown(Reason::TimedOut, "no answer in time")),
        }
    }

    /// Sends a request and reads what the answer says.
    pub(super) async fn read<T: DeserializeOwned>(&self, request: &Request, deadline: &Deadline) -> Result<T, Failure> {
        parsed(request, &self.send(request, deadline).await?)
    }

    /// Reads a list to its end. Its next pages are looked for at the same server only: a link may say anything.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        first: &Request,
        deadline: &Deadline,
        mut enough: impl FnMut(&[T]) -> bool,
    ) -> Result<Vec<T>, Failure> {
        let mut request = first.clone();
        let (mut all, mut bytes) = (Vec::new(), 0);
        for _ in 0..MOST_PAGES {
            let answer = self.send(&request, deadline).await?;
            bytes += answer.body.len();
            if bytes > LONGEST_LIST {
                return Err(Failure::nothing(Reason::Garbled, "the list is too long"));
            }
            let (items, next) = match parsed::<Page<T>>(&request, &answer)? {
                Page::Bare(items) => (items, None),
                Page::Items { items, next_page_link } => (items, next_page_link.filter(|l| !l.is_empty())),
            };
            let done = items.is_empty();
            all.extend(items);
            let Some(next) = next.filter(|_| !done && !enough(&all)) else { return Ok(all) };
            let path = next.strip_prefix(&self.api_url).unwrap_or(&next);
            if !path.starts_with('/') || path.starts_with("//") {
                return Err(Failure::nothing(Reason::Garbled, "the list goes on at another server"));
            }
            path.clone_into(&mut request.path);
        }
        Err(Failure::nothing(Reason::Garbled, "the list has no end"))
    }
}

fn parsed<T: DeserializeOwned>(request: &Request, answer: &HttpResponse) -> Result<T, Failure> {
    let failure = Failure::unknown(Reason::Garbled, "the answer could not be understood");
    // The message of the parser may quote the answer.
    serde_json::from_slice(&answer.body).map_err(|_| if request.method == HttpMethod::Get { only_asked(failure) } else { failure })
}
