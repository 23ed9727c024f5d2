//! Trying another server, and choosing one by a key: further methods of [`XClient`].

use std::time::{Duration, Instant};

use crate::codec::Body;
use crate::xclient::is_unreachable;
use crate::{Error, Result, XClient};

impl XClient {
    /// Calls one server and, if it cannot be reached or is lost on the way, another; `tries` of
    /// them at most. Only for calls that may be made twice: a connection that is lost does not
    /// say whether the method ran.
    ///
    /// # Errors
    /// The last one. An error of the method itself, or a timeout, is final at once.
    pub fn call_failover<R: Body + 'static>(
        &self,
        method: &str,
        args: &dyn Body,
        tries: usize,
        within: Option<Duration>,
    ) -> Result<R> {
        let until = within.and_then(|within| Instant::now().checked_add(within));
        let (mut tried, mut last) = (Vec::new(), Error::NoServers);
        while tried.len() < tries {
            let address = match self.choose(None, &tried, until) {
                Ok(address) => address,
                Err(error) if tried.is_empty() => return Err(error),
                // All have been tried: there is nothing more to say than why.
                Err(_) => break,
            };
            match self.call_on(&address, method, args, until) {
                Err(error) if is_unreachable(&error) => last = error,
                other => return other,
            }
            tried.push(address);
        }
        Err(last)
    }

    /// Calls the server that the client's policy gives `key`; of use with
    /// [`ConsistentHash`](super::select::ConsistentHash).
    ///
    /// # Errors
    /// Those of [`XClient::call`].
    pub fn call_keyed<R: Body + 'static>(
        &self,
        key: &str,
        method: &str,
        args: &dyn Body,
    ) -> Result<R> {
        self.call_on(&self.choose(Some(key), &[], None)?, method, args, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RegistryDiscovery;
    use crate::discovery::Random;

    #[test]
    fn a_registry_that_is_not_there_is_the_reason_told() {
        let nobody = RegistryDiscovery::new("http://127.0.0.1:1/_geerpc_/registry");
        let client = XClient::new(nobody, Random::new());
        let error = client.call_failover::<i64>("Foo.Double", &1i64, 3, None).unwrap_err();
        assert!(matches!(error, Error::Http(_)), "{error}");
    }
}
