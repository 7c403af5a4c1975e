//! Whose certificates are believed.
use crate::receiver::*;
use seam_core::Effect;
use seam_core::provider::{HttpMethod, HttpRequest, HttpTransport};
use seam_providers::http::{HttpClient, HttpOptions, Reach, Roots};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A server with a certificate of its own for 127.0.0.1; its address, its certificate, what it was sent.
async fn server() -> (SocketAddr, Vec<u8>, Arc<Mutex<Vec<Got>>>) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (at, got) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Got>>>::default());
    let all = Arc::clone(&got);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(stream) = acceptor.accept(stream).await {
                tokio::spawn(serve(stream, Arc::clone(&all), Arc::new(|_| status(200))));
            }
        }
    });
    (at, own.cert.pem().into_bytes(), got)
}

#[tokio::test]
async fn a_certificate_is_believed_only_by_its_root_or_by_an_option_that_says_danger() {
    let (at, pem, got) = server().await;
    let (_, stranger, _) = server().await;
    let send = async |roots: Roots, danger: bool| {
        let mut options = HttpOptions::new(Reach::Anywhere);
        (options.roots, options.danger_accept_any_certificate) = (roots, danger);
        let client = HttpClient::new(&options).unwrap();
        client.send(HttpRequest::new(HttpMethod::Post, format!("https://{at}/")).with_body(b"x".as_slice())).await
    };
    let refused = send(Roots::Only(stranger.clone()), false).await.unwrap_err();
    assert_eq!(refused.effect, Effect::Nothing, "{refused}");
    assert_eq!(got.lock().unwrap().len(), 0, "nothing was sent to a server that nobody knows");
    assert_eq!(send(Roots::Only(pem), false).await.unwrap().status, 200);
    assert_eq!(send(Roots::Only(stranger), true).await.unwrap().status, 200);
    assert_eq!(got.lock().unwrap().len(), 2);
}

#[test]
fn roots_that_are_none_are_refused() {
    for bad in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut options = HttpOptions::new(Reach::Anywhere);
        options.roots = Roots::Only(bad.as_bytes().to_vec());
        assert_eq!(HttpClient::new(&options).unwrap_err().effect, Effect::Refused, "{bad}");
    }
}
