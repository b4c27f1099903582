//! Which servers are believed: those that an authority of the system, or of `ca_file`, vouches for.

use std::{path::Path, sync::Arc};

use mfn_plugin::value::{ErrorClass, PluginError};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

/// The TLS settings of a client: TLS 1.2 and 1.3, HTTP/2 before HTTP/1.1.
///
/// # Errors
/// When the file can not be read, holds no certificate, or no authority is known at all.
pub(crate) fn config(ca_file: Option<&Path>) -> Result<ClientConfig, PluginError> {
    let mut roots = RootCertStore::empty();
    // Single certificates of the system that can not be read do not matter.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(PluginError::new(
            ErrorClass::Blocked,
            "the system has no certificates of authorities, so no server can be believed; install \
             ca-certificates or set client.ca_file",
        ));
    }
    with_roots(roots)
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, PluginError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let versions = builder.with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12]);
    let mut config = versions
        .map_err(|error| PluginError::fatal(format!("TLS can not be set up: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Settings that believe nobody, for a client that speaks without TLS only.
///
/// # Errors
/// When TLS can not be set up.
pub(crate) fn none() -> Result<ClientConfig, PluginError> {
    with_roots(RootCertStore::empty())
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), PluginError> {
    let fault = |text: &dyn std::fmt::Display| {
        let message = format!("client.ca_file: {}: {text}", path.display());
        PluginError::new(ErrorClass::Blocked, message)
    };
    let mut count = 0;
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| fault(&error))? {
        roots.add(certificate.map_err(|error| fault(&error))?).map_err(|error| fault(&error))?;
        count += 1;
    }
    if count == 0 {
        return Err(fault(&"there is no certificate in it; it must be a PEM file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards the file of certificates: what is missing, empty or no certificate is a typed error that
    /// names field and file.
    #[test]
    fn a_bad_file_of_certificates_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        let told = |path: &Path| config(Some(path)).unwrap_err();
        assert!(told(&path).message.starts_with("client.ca_file: "));
        for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            std::fs::write(&path, text).unwrap();
            let error = told(&path);
            assert!(error.message.contains("ca.pem"), "{}", error.message);
            assert_eq!(error.class, ErrorClass::Blocked);
        }
    }
}
