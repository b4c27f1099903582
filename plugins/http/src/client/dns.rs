//! Names to addresses: kept for a limited time, and never an address that is not allowed.
//!
//! The check stands between the name server and the socket, on exactly the addresses that will be
//! connected to, so a name that changes its address after it was looked at (DNS rebinding) gains nothing.

use std::{
    collections::HashMap,
    error::Error,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use reqwest::dns::{Name, Resolve, Resolving};

use super::address::is_private;

/// Names kept at most; a component asks one host and a proxy.
const NAMES_MAX: usize = 64;

/// A name that leads to addresses that are not allowed only.
#[derive(Debug, thiserror::Error)]
#[error(
    "the name {name:?} leads to {address}, which is not a public address; set allow_private_addresses = true \
     if this component may reach private, loopback and link-local addresses"
)]
pub(crate) struct PrivateAddress {
    name: String,
    address: IpAddr,
}

/// Asks for the addresses of a name.
pub(crate) type Lookup = Arc<dyn Fn(String) -> Answering + Send + Sync>;
type Answering = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// The look-up of the operating system.
pub(crate) fn system_lookup() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address| address.ip()).collect())
        })
    })
}

/// The resolver of one client.
#[derive(Clone)]
pub(crate) struct Resolver {
    lookup: Lookup,
    kept_for: Duration,
    allow_private: bool,
    /// The proxy's name: the operator has chosen it, and proxies are mostly on private addresses.
    exempt: Option<String>,
    known: Arc<Mutex<HashMap<String, Known>>>,
}

struct Known {
    until: Instant,
    addresses: Vec<IpAddr>,
}

impl Resolver {
    pub(crate) fn new(
        lookup: Lookup,
        kept_for: Duration,
        allow_private: bool,
        exempt: Option<String>,
    ) -> Self {
        Self { lookup, kept_for, allow_private, exempt, known: Arc::default() }
    }

    /// The allowed addresses of a name, from memory where it is fresh.
    pub(crate) async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(name).filter(|known| Instant::now() < known.until) {
            return Ok(known.addresses.clone());
        }
        let found = (self.lookup)(name.to_owned()).await?;
        let is_allowed = |address: &IpAddr| {
            self.allow_private || !is_private(*address) || self.exempt.as_deref() == Some(name)
        };
        let addresses: Vec<IpAddr> = found.iter().copied().filter(is_allowed).collect();
        match (addresses.is_empty(), found.first()) {
            (true, Some(&address)) => {
                return Err(Box::new(PrivateAddress { name: name.to_owned(), address }));
            }
            (true, None) => {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            (false, _) => {}
        }
        let mut known = lock();
        if known.len() >= NAMES_MAX {
            known.clear();
        }
        let until = Instant::now() + self.kept_for;
        known.insert(name.to_owned(), Known { until, addresses: addresses.clone() });
        Ok(addresses)
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as Box<dyn Iterator<Item = SocketAddr> + Send>)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A name server that gives one answer after the other, the last for ever, and counts.
    pub(crate) fn scripted(answers: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let answers: Vec<Vec<IpAddr>> =
            answers.iter().map(|a| a.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        let count = Arc::clone(&asked);
        let lookup: Lookup = Arc::new(move |_| {
            let turn = count.fetch_add(1, Ordering::SeqCst).min(answers.len() - 1);
            let answer = answers[turn].clone();
            Box::pin(async move { Ok(answer) })
        });
        (lookup, asked)
    }

    fn ask(resolver: &Resolver) -> Result<Vec<IpAddr>, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(resolver.addresses("feed.example")).map_err(|error| error.to_string())
    }

    /// Guards against rebinding: the second answer for the same name is private and is not handed on,
    /// nor is the private half of a mixed answer.
    #[test]
    fn a_name_that_moves_to_a_private_address_is_refused() {
        let (lookup, asked) = scripted(&[&["93.184.216.34", "10.0.0.1"], &["169.254.169.254"]]);
        let resolver = Resolver::new(lookup, Duration::ZERO, false, None);
        assert_eq!(ask(&resolver).unwrap(), ["93.184.216.34".parse::<IpAddr>().unwrap()]);
        let error = ask(&resolver).unwrap_err();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(error.contains("169.254.169.254") && error.contains("allow_private_addresses"), "{error}");
    }

    /// Guards the time that an answer is kept: not asked again within it, asked again after it.
    #[test]
    fn answers_are_kept_for_their_time() {
        let (lookup, asked) = scripted(&[&["93.184.216.34"], &["93.184.216.35"]]);
        let resolver = Resolver::new(lookup, Duration::from_millis(200), false, None);
        let first = ask(&resolver).unwrap();
        assert_eq!(ask(&resolver).unwrap(), first);
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        std::thread::sleep(Duration::from_millis(210));
        assert_ne!(ask(&resolver).unwrap(), first);
    }

    /// Guards the two ways to a private address: the switch, and the proxy's own name.
    #[test]
    fn private_addresses_are_allowed_when_asked_for() {
        let (lookup, _) = scripted(&[&["127.0.0.1"]]);
        let open = Resolver::new(lookup.clone(), Duration::ZERO, true, None);
        assert!(ask(&open).is_ok());
        let proxy = Resolver::new(lookup, Duration::ZERO, false, Some("feed.example".to_owned()));
        assert!(ask(&proxy).is_ok());
    }
}
