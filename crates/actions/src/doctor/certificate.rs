//! Reads the issuer of a certificate, for display. Nothing here decides about trust; rustls does.
//!
//! `webpki` reads these names, too, but refuses old and unusual certificates, and those that inspect TLS are often so.

/// The issuer of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authority {
    common_name: Option<String>,
    organization: Option<String>,
    self_signed: bool,
}

/// The organizations of the public authorities that Databricks' clouds and the related services use.
const PUBLIC: [&str; 11] = [
    "Amazon",
    "DigiCert Inc",
    "Entrust, Inc.",
    "GlobalSign nv-sa",
    "GoDaddy.com, Inc.",
    "Google Trust Services",
    "Google Trust Services LLC",
    "Let's Encrypt",
    "Microsoft Corporation",
    "Sectigo Limited",
    "SSL Corporation",
];

impl Authority {
    /// The issuer of a DER-encoded certificate; `None` if the bytes are no certificate.
    pub(super) fn from_der(certificate: &[u8]) -> Option<Self> {
        let (SEQUENCE, certificate, _) = element(certificate)? else { return None };
        let (SEQUENCE, mut rest, _) = element(certificate)? else { return None };
        // Certificates of version 1 have no version field.
        if let (VERSION, _, after) = element(rest)? {
            rest = after;
        }
        let (_serial, rest) = skip(rest)?;
        let (_algorithm, rest) = skip(rest)?;
        let (SEQUENCE, issuer, rest) = element(rest)? else { return None };
        let (_validity, rest) = skip(rest)?;
        let (SEQUENCE, subject, _) = element(rest)? else { return None };
        Some(Self {
            common_name: attribute(issuer, COMMON_NAME),
            organization: attribute(issuer, ORGANIZATION),
            self_signed: issuer == subject,
        })
    }

    /// Whether it has the name of a public authority. A name proves nothing, so this is for display only.
    pub(super) fn is_public_by_name(&self) -> bool {
        !self.self_signed && self.organization.as_deref().is_some_and(|o| PUBLIC.contains(&o))
    }

    /// Describes the issuer in one sentence.
    pub(super) fn describe(&self) -> String {
        let name = match (&self.common_name, &self.organization) {
            (Some(name), Some(organization)) => format!("{name} ({organization})"),
            (Some(name), None) | (None, Some(name)) => name.clone(),
            (None, None) => "an authority without a name".to_owned(),
        };
        match (self.self_signed, self.is_public_by_name()) {
            (true, _) => format!("self-signed by {name}"),
            (false, true) => format!("issued by {name}, a public authority"),
            (false, false) => {
                format!("issued by {name}, not a known public authority: perhaps a company's own")
            }
        }
    }
}

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const OBJECT_ID: u8 = 0x06;
/// 2.5.4.3
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
/// 2.5.4.10
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

/// Splits off the first DER element: its tag, its content, and the rest.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |n, b| (n << 8) | usize::from(*b)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

fn skip(bytes: &[u8]) -> Option<(u8, &[u8])> {
    element(bytes).map(|(tag, _, after)| (tag, after))
}

/// The first attribute of this type in a name, which consists of sets of pairs of an object id and a text.
fn attribute(mut name: &[u8], id: &[u8]) -> Option<String> {
    while let Some((_, set, after)) = element(name) {
        name = after;
        let Some((SEQUENCE, pair, _)) = element(set) else { continue };
        let Some((OBJECT_ID, found, value)) = element(pair) else { continue };
        if found == id {
            let (_, text, _) = element(value)?;
            let text = String::from_utf8_lossy(text);
            // The text comes from the network and may be printed on a terminal.
            return Some(text.chars().filter(|c| !c.is_control()).take(100).collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![tag];
        match content.len() {
            short @ 0..=0x7f => bytes.push(short as u8),
            long => bytes.extend([0x82, (long >> 8) as u8, long as u8]),
        }
        bytes.extend(content);
        bytes
    }

    fn name(parts: &[(&[u8], &str)]) -> Vec<u8> {
        let part = |(id, text): &(&[u8], &str)| {
            der(0x31, &der(SEQUENCE, &[der(OBJECT_ID, id), der(0x0c, text.as_bytes())].concat()))
        };
        der(SEQUENCE, &parts.iter().map(part).collect::<Vec<_>>().concat())
    }

    fn certificate(issuer: &[u8], subject: &[u8]) -> Vec<u8> {
        let (serial, empty, padding) = (der(0x02, &[1]), der(SEQUENCE, &[]), der(0x04, &[0; 300]));
        let body = [&der(VERSION, &der(0x02, &[2])), &serial, &empty, issuer, &empty, subject, &padding[..]]
            .concat();
        der(SEQUENCE, &der(SEQUENCE, &body))
    }

    #[test]
    fn names_the_issuer_and_what_it_is() {
        let subject = name(&[(COMMON_NAME, "x.cloud.databricks.com")]);
        let digicert = name(&[(ORGANIZATION, "DigiCert Inc"), (COMMON_NAME, "DigiCert TLS RSA\u{7} CA1")]);
        let public = Authority::from_der(&certificate(&digicert, &subject)).unwrap();
        assert!(public.is_public_by_name());
        assert_eq!(public.describe(), "issued by DigiCert TLS RSA CA1 (DigiCert Inc), a public authority");
        let company =
            Authority::from_der(&certificate(&name(&[(ORGANIZATION, "Zscaler Inc.")]), &subject)).unwrap();
        assert!(company.describe().contains("Zscaler Inc., not a known public"), "{}", company.describe());
        let itself = Authority::from_der(&certificate(&digicert, &digicert)).unwrap();
        assert!(itself.describe().starts_with("self-signed by DigiCert"), "{}", itself.describe());
        let nameless = Authority::from_der(&certificate(&name(&[]), &subject)).unwrap();
        assert!(nameless.describe().contains("without a name"));
    }

    #[test]
    fn anything_else_is_none_and_no_panic() {
        let whole = certificate(&name(&[(COMMON_NAME, "a")]), &name(&[]));
        for end in 0..whole.len() {
            assert_eq!(Authority::from_der(&whole[..end]), None, "{end}");
        }
        for seed in 0..=255u8 {
            let noise: Vec<u8> =
                whole.iter().enumerate().map(|(i, b)| b ^ (i as u8).wrapping_mul(seed)).collect();
            // The result doesn't matter, as long as there is no panic.
            drop(Authority::from_der(&noise));
        }
    }
}
