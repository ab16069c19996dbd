//! TLS to an engine: a client's configuration from PEM texts.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::run::docker::address::Tls;

/// Where systems keep the certificates that they trust.
const SYSTEM_BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The name that the engine's certificate has to carry.
pub fn server_name(host: &str) -> io::Result<ServerName<'static>> {
    ServerName::try_from(host.to_owned()).map_err(|_| wrong(format!("`{host}` is no host name")))
}

/// A client's configuration.
///
/// # Errors
/// When a text holds no certificate or key, or they do not fit together.
pub fn config(tls: &Tls) -> io::Result<ClientConfig> {
    // Not the process-wide provider: nobody has to install one first.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = if tls.verify {
        builder.with_root_certificates(roots(tls.ca.as_deref())?)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    };
    match (&tls.certificate, &tls.key) {
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate, "the client's certificate")?;
            let key = PrivateKeyDer::from_pem_slice(key)
                .map_err(|error| wrong(format!("the client's key cannot be read: {error}")))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong(format!("the client's certificate and key do not fit: {error}")))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(_), None) => {
            Err(wrong("there is a client's certificate (`cert.pem`) without its key (`key.pem`)"))
        }
        (None, Some(_)) => {
            Err(wrong("there is a client's key (`key.pem`) without its certificate (`cert.pem`)"))
        }
    }
}

fn roots(ca: Option<&[u8]>) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(ca) => {
            for certificate in certificates(ca, "the authority's certificate (`ca.pem`)")? {
                roots.add(certificate).map_err(|error| wrong(format!("`ca.pem` cannot be used: {error}")))?;
            }
        }
        None => {
            let bundle = SYSTEM_BUNDLES.iter().find_map(|path| std::fs::read(Path::new(path)).ok());
            let bundle = bundle.ok_or_else(|| {
                wrong("there is no `ca.pem`, and the system has no bundle of certificates that it trusts")
            })?;
            // Systems carry certificates that are too odd to be used; the others count.
            let found = CertificateDer::pem_slice_iter(&bundle).filter_map(Result::ok);
            roots.add_parsable_certificates(found);
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8], what: &str) -> io::Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(format!("{what} cannot be read: {error}")))?;
    if found.is_empty() { Err(wrong(format!("{what} holds no certificate"))) } else { Ok(found) }
}

fn wrong(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message.into())
}

/// Takes any certificate whose key the other side has: what a context with `SkipTLSVerify` asks for.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(certificate: Option<&str>, key: Option<&str>, ca: &str) -> String {
        let bytes = |text: &str| text.as_bytes().to_vec();
        let tls = Tls {
            ca: Some(bytes(ca)),
            certificate: certificate.map(bytes),
            key: key.map(bytes),
            verify: !ca.is_empty(),
        };
        config(&tls).unwrap_err().to_string()
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert_eq!(
            error(None, None, "no PEM"),
            "the authority's certificate (`ca.pem`) holds no certificate"
        );
        assert_eq!(
            error(Some("a"), None, ""),
            "there is a client's certificate (`cert.pem`) without its key (`key.pem`)"
        );
        assert_eq!(
            error(None, Some("a"), ""),
            "there is a client's key (`key.pem`) without its certificate (`cert.pem`)"
        );
        assert_eq!(error(Some("a"), Some("b"), ""), "the client's certificate holds no certificate");
        let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
        assert!(
            error(None, None, broken).starts_with("the authority's certificate (`ca.pem`) cannot be read: ")
        );
        assert_eq!(server_name("a b").unwrap_err().to_string(), "`a b` is no host name");
        assert!(server_name("::1").is_ok() && server_name("build.example").is_ok());
    }
}
