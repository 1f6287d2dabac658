//! Signed statements of where the chain stood.
//!
//! A checkpoint is the number and hash of a record, with an HMAC-SHA-256 under a key that lies in the settings of the
//! store. It shows that the end of the chain was cut off or written anew by somebody without the key. It is small
//! enough to print or send elsewhere, which shows the rest.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::archive::kv::{Batch, Engine, Family};
use crate::auth::secret;

use super::AuditError;

/// Where the key lies in [`Family::Settings`].
const KEY: &[u8] = b"audit-checkpoint-key";

/// Where the chain stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpoint {
    /// Number of the record.
    pub seq: u64,
    /// Its hash.
    pub hash: [u8; 32],
}

/// Signs and checks checkpoints.
#[derive(Clone)]
pub struct Signer {
    key: [u8; 32],
}

impl Signer {
    /// The signer of this store; makes its key when there is none.
    pub fn of(engine: &dyn Engine) -> Result<Signer, AuditError> {
        if let Some(key) = engine.get(Family::Settings, KEY)?.and_then(|bytes| bytes.try_into().ok()) {
            return Ok(Signer { key });
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|_| AuditError::Key)?;
        let mut batch = Batch::default();
        batch.put(Family::Settings, KEY, key);
        engine.commit(batch)?;
        Ok(Signer { key })
    }

    /// The stored form: hash, then signature.
    pub fn seal(&self, checkpoint: Checkpoint) -> Vec<u8> {
        [checkpoint.hash, self.sign(checkpoint)].concat()
    }

    /// The checkpoint of a stored form, when its signature is right.
    pub fn unseal(&self, seq: u64, bytes: &[u8]) -> Option<Checkpoint> {
        let (hash, signature) = bytes.split_first_chunk::<32>()?;
        let checkpoint = Checkpoint { seq, hash: *hash };
        secret::same(signature, &self.sign(checkpoint)).then_some(checkpoint)
    }

    fn sign(&self, checkpoint: Checkpoint) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&checkpoint.seq.to_be_bytes());
        mac.update(&checkpoint.hash);
        mac.finalize().into_bytes().into()
    }
}
