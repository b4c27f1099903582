//! TLS: who is believed, and what is offered. The server is rustls with a certificate of an authority that
//! the test makes.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use mfn_plugin::{author::Component, testing::MemoryHost, value::ErrorClass};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};

use crate::common::{classes, new_publisher, publish, publisher, records};

struct TlsServer {
    address: SocketAddr,
    /// The authority's certificate.
    authority: String,
    requests: Arc<AtomicUsize>,
    /// The protocols that were agreed on.
    agreed: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

/// A server for `localhost` that answers 204 to everything, for a request per connection.
fn start(protocols: &[&[u8]]) -> TlsServer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(AtomicUsize::new(0));
    let agreed: Arc<Mutex<Vec<Option<Vec<u8>>>>> = Arc::default();
    let (count, protocols) = (Arc::clone(&requests), Arc::clone(&agreed));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            // A client that does not believe the certificate ends here.
            while let Ok(read @ 1..) = stream.read(&mut buffer) {
                bytes.extend_from_slice(&buffer[..read]);
                if bytes.ends_with(b"}") {
                    protocols.lock().unwrap().push(stream.conn.alpn_protocol().map(<[u8]>::to_vec));
                    count.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(b"HTTP/1.1 204 X\r\nconnection: close\r\n\r\n");
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                    break;
                }
            }
        }
    });
    TlsServer { address, authority: authority.pem(), requests, agreed }
}

/// Guards trust: a server is believed with its authority in `client.ca_file`, and without it nothing is sent;
/// nor is a name believed that the certificate does not have. HTTP/1.1 is agreed on by ALPN.
#[test]
fn servers_are_believed_by_their_authority_only() {
    let server = start(&[b"http/1.1"]);
    let directory = tempfile::tempdir().unwrap();
    let ca = directory.path().join("ca.pem");
    std::fs::write(&ca, &server.authority).unwrap();
    // An authority of its own that has signed nothing here.
    std::fs::write(directory.path().join("other.pem"), start(&[]).authority).unwrap();
    let host = MemoryHost::new();
    let send = |name: &str, file: &str| {
        let config = json!({ "client": { "ca_file": directory.path().join(file) } });
        let url = format!("https://{name}:{}/", server.address.port());
        publish(&mut publisher(&host, &url, config), &records(1))
    };
    assert_eq!(classes(&send("localhost", "ca.pem")), [None]);
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
    assert_eq!(*server.agreed.lock().unwrap(), [Some(b"http/1.1".to_vec())]);
    for (name, file) in [("localhost", "other.pem"), ("127.0.0.1", "ca.pem")] {
        let results = send(name, file);
        assert_eq!(classes(&results), [Some(ErrorClass::Retryable)], "{name} {file}");
        let text = &results[0].as_ref().unwrap_err().message;
        assert!(text.contains("not sent") && text.contains("certificate"), "{text}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

/// Guards the file: a missing one is told when the component opens, and may still be put there.
#[test]
fn a_missing_file_of_authorities_is_told() {
    let config: Value = json!({ "url": "https://example.org/", "allow_unsigned": true,
        "client": { "ca_file": "no/such/file.pem" } });
    let mut target = new_publisher(&MemoryHost::new(), config).unwrap();
    let error = target.open().unwrap_err();
    assert_eq!(error.class, ErrorClass::Blocked);
    assert!(error.message.starts_with("client.ca_file: "), "{}", error.message);
}
